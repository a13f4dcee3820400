"""Ask the gateway about payments that have waited too long for news."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from functions.observed import count, observed
from functions.services import payments


@observed("SweepPayments")
def handler(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{} → {asked, changed, unknown, unanswered, resolved, payments_changed}; safe to repeat."""
    report = payments().sweep()
    count("PaymentsUnknownToGateway", report.unknown)
    count("PaymentsUnanswered", report.unanswered)
    count("GatewayNewsLate", report.changed)
    return asdict(report)
