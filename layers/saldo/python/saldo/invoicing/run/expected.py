"""What a run billed against what was to be expected of it: what the same accounts were billed a month before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from saldo.invoicing.model import InvoiceBody, Line, LineKind
from saldo.invoicing.run import records
from saldo.invoicing.run.model import Attempt, RunState
from saldo.invoicing.run.number import drafts_of, set_aside_of
from saldo.kernel.periods import add_months
from saldo.storage.store import Store

_LAST_COMPARED_DAY = 27  # from the 28th on, days of a month stand for others in shorter months
_MONTH = range(28, 32)  # days
_COMES_AGAIN = frozenset({LineKind.CHARGE, LineKind.TRUE_UP, LineKind.DISCOUNT})

# By account and currency, in minor units.
Billed = Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Unexpected:
    """A currency in which a run billed too far from what was expected of it, in minor units before tax."""

    currency: str
    expected_minor: int
    billed_minor: int

    def __str__(self) -> str:
        return f"{self.billed_minor} {self.currency} billed, {self.expected_minor} expected"


def regular_of(body: InvoiceBody) -> int:
    """What of an invoice comes again each month, before tax, in minor units: charges of whole months with what is taken
    off them, the last month of each. Parts of a period, other cycles, late usage, what is given back and what is sold
    once do not."""
    again = [line for line in body.lines if _comes_again(line)]
    last: dict[tuple[str, str, str], date] = {}
    for line in again:
        last[_charge(line)] = max(last.get(_charge(line), date.min), line.period.start)
    return sum(line.net_minor - line.included_tax_minor for line in again if line.period.start == last[_charge(line)])


def _charge(line: Line) -> tuple[str, str, str]:
    return line.account_id, line.subscription_id, line.component_id


def _comes_again(line: Line) -> bool:
    whole = line.share.days == line.share.of and line.period.days in _MONTH
    return whole and line.kind in _COMES_AGAIN and not line.gives_back


def unexpected_totals(store: Store, closed: Attempt, tolerance: Fraction) -> list[Unexpected]:
    """Currencies in which that day's run billed otherwise, by more than `tolerance` of it, than was expected.

    Expected of an account is what came again on its invoices of the day a month before (`regular_of`). So new accounts
    are not compared, nor those set aside, which are told elsewhere; one that is billed nothing any more is. Nothing is
    said of dry runs, of invoices that staff asked for, of days after the 27th, and of what attempts of before billed
    that did not put on record what comes again.
    """
    if closed.dry_run or closed.is_one_off or closed.as_of.day > _LAST_COMPARED_DAY:
        return []
    before = _day(store, closed.entity_id, add_months(closed.as_of, -1))
    if not any(before.regular.values()):
        return []
    now = _day(store, closed.entity_id, closed.as_of)
    return compared(before.regular, now.regular, now.set_aside, tolerance)


def compared(before: Billed, now: Billed, set_aside: Collection[str], tolerance: Fraction) -> list[Unexpected]:
    """By currency, over the accounts that were billed something before and are not set aside now."""
    expected, billed = Counter[str](), Counter[str]()
    for (account_id, currency), minor in before.items():
        if minor and account_id not in set_aside:
            expected[currency] += minor
            billed[currency] += now.get((account_id, currency), 0)
    both = [Unexpected(currency, minor, billed[currency]) for currency, minor in sorted(expected.items())]
    return [one for one in both if abs(one.billed_minor - one.expected_minor) > tolerance * abs(one.expected_minor)]


@dataclass(slots=True)
class _Day:
    """What a seller's closed attempts of a day billed and set aside."""

    regular: Counter[tuple[str, str]] = field(default_factory=Counter)
    set_aside: set[str] = field(default_factory=set)


def _day(store: Store, entity_id: str, on: date) -> _Day:
    items = store.query_all(entity_id, prefix=f"run#{on.isoformat()}", consistent=True)
    attempts = [a for a in map(records.attempt_from, items) if a.state is RunState.CLOSED]
    counted = [a for a in attempts if not (a.is_one_off or a.dry_run)]
    found, billed = _Day(), set[str]()
    for attempt in counted:
        for draft in drafts_of(store, attempt):
            billed.add(draft.account_id)
            if draft.regular_minor is not None:
                found.regular[draft.account_id, draft.currency] += draft.regular_minor
        found.set_aside.update(aside.account_id for aside in set_aside_of(store, attempt))
    found.set_aside -= billed
    return found
