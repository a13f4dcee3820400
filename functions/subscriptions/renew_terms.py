"""Daily, for each seller: subscriptions whose term will end soon are told of, and renew."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from functions.observed import count, observed
from functions.services import renewals


@observed("RenewTerms")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{entity_id, as_of} → {told, priced, renewed, ended, unanswered}; `as_of`: a date, or the scheduled instant. Safe
    to repeat; makes up for days that were missed. `unanswered`: what somebody changed at that moment, for the next day.
    """
    report = renewals().run(event["entity_id"], event["as_of"])
    count("RenewalsTold", report.told)
    return asdict(report)
