"""What a run billed against what was to be expected: the same seller's run on the same day of the month before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from saldo.invoicing.run import records
from saldo.invoicing.run.model import Attempt, RunState
from saldo.kernel.periods import add_months
from saldo.storage.store import Store

_LAST_COMPARED_DAY = 27  # from the 28th on, days of a month stand for others in shorter months


@dataclass(frozen=True, slots=True)
class Unexpected:
    """A currency whose total, in minor units, lies too far from that of a month before."""

    currency: str
    before_minor: int
    now_minor: int

    def __str__(self) -> str:
        return f"{self.now_minor} {self.currency}, {self.before_minor} a month before"


def unexpected_totals(store: Store, closed: Attempt, tolerance: Fraction) -> list[Unexpected]:
    """Currencies whose totals of that day differ from the month before by more than `tolerance` of what was then.

    Looked at are all closed attempts of both days. Nothing is said of dry runs, of invoices that staff asked for, of
    days after the 27th, and when nothing was billed a month before.
    """
    if closed.dry_run or closed.is_one_off or closed.as_of.day > _LAST_COMPARED_DAY:
        return []
    before = _totals(store, closed.entity_id, add_months(closed.as_of, -1))
    now = _totals(store, closed.entity_id, closed.as_of) if before else {}
    return compared(before, now, tolerance)


def compared(before: Mapping[str, int], now: Mapping[str, int], tolerance: Fraction) -> list[Unexpected]:
    """By currency; a currency that was not billed before is expected to be whatever it is."""
    both = [Unexpected(currency, minor, now.get(currency, 0)) for currency, minor in sorted(before.items())]
    return [each for each in both if abs(each.now_minor - each.before_minor) > tolerance * abs(each.before_minor)]


def _totals(store: Store, entity_id: str, on: date) -> Counter[str]:
    items = store.query_all(entity_id, prefix=f"run#{on.isoformat()}", consistent=True)
    totals: Counter[str] = Counter()
    for attempt in map(records.attempt_from, items):
        if attempt.state is RunState.CLOSED and not attempt.is_one_off:
            totals.update(attempt.totals)
    return totals
