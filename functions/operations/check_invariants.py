"""Hourly auditor: every invariant over every record of the region; what is wrong becomes a task of the seller's."""

from __future__ import annotations

from typing import Any

from functions.observed import count, logger, observed
from functions.services import differences, store
from saldo.insight.invariants import check_all

MOST_LOGGED = 50
# Violations that have an alarm of their own, since people do something else about them.
NAMED = {"MoneyUnexplained": {1, 2, 3, 9, 13, 14, 18}, "ClearingNotZero": {5}, "NumberGaps": {7, 8}}


@observed("CheckInvariants")
def handler(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{} → {violations, records, gone}; violations raise the metric that the alarm watches and are logged by id."""
    report = check_all(store())
    for violation in report.violations[:MOST_LOGGED]:
        logger().error(
            "invariant violated",
            extra={"invariant": violation.invariant, "owner_id": violation.owner_id, "what": violation.message},
        )
    count("InvariantViolations", len(report.violations))
    for metric, numbers in NAMED.items():
        count(metric, sum(1 for violation in report.violations if violation.invariant in numbers))
    found = ((v.invariant, v.owner_id, v.message) for v in report.violations)
    looked = differences().look(found, report.sellers)
    records = sum(report.counted.values())
    return {"violations": len(report.violations), "records": records, "gone": looked.gone}
