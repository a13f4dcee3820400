"""Hourly auditor: every invariant over every record of the region; what is wrong becomes a task of the seller's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from functions.looks import looked
from functions.observed import count, logger, observed
from functions.services import books_look, differences
from saldo.insight.model import Violation
from saldo.storage.looks import Look

MOST_LOGGED = 50
# Violations that have an alarm of their own, since people do something else about them.
NAMED = {"MoneyUnexplained": {1, 2, 3, 9, 13, 14, 18}, "ClearingNotZero": {5}, "NumberGaps": {7, 8}}


class _Books:
    """Tells of each violation once, in the part that finds it, whether or not the look comes to its end."""

    def part(self, look: Look, part: int) -> dict[str, Any]:
        report = books_look().part(look, part)
        _tell(report.violations)
        return {"violations": len(report.violations), "records": report.counted.total()}

    def is_whole(self, look: Look) -> bool:
        return books_look().is_whole(look)

    def end(self, look: Look) -> dict[str, Any]:
        found = books_look().together(look)
        _tell(found.across)
        violations = found.report.violations
        told = ((v.invariant, v.owner_id, v.message) for v in violations)
        changed = differences().look(told, found.report.sellers, look.began_at)
        return {"violations": len(violations), "records": found.report.counted.total(), "gone": changed.gone}


@observed("CheckInvariants")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{} or a message of its own queue → {violations, records, gone} or {parts}; violations raise the metric that the
    alarm watches and are logged by id."""
    return looked(event, _Books())


def _tell(violations: Sequence[Violation]) -> None:
    for violation in violations[:MOST_LOGGED]:
        logger().error(
            "invariant violated",
            extra={"invariant": violation.invariant, "owner_id": violation.owner_id, "what": violation.message},
        )
    count("InvariantViolations", len(violations))
    for metric, numbers in NAMED.items():
        count(metric, sum(1 for violation in violations if violation.invariant in numbers))
