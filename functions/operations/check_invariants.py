"""Hourly auditor: every invariant over every record of the region."""

from __future__ import annotations

from typing import Any

from functions.observed import count, logger, observed
from functions.services import store
from saldo.insight.invariants import check_all

MOST_LOGGED = 50


@observed("CheckInvariants")
def handler(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{} → {violations, records}; violations raise the metric that the alarm watches and are logged by id."""
    report = check_all(store())
    for violation in report.violations[:MOST_LOGGED]:
        logger().error(
            "invariant violated",
            extra={"invariant": violation.invariant, "owner_id": violation.owner_id, "what": violation.message},
        )
    count("InvariantViolations", len(report.violations))
    return {"violations": len(report.violations), "records": sum(report.counted.values())}
