"""What a run billed against what was to be expected of it: what the same accounts were billed a month before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from saldo.invoicing.model import InvoiceBody, Line, LineKind
from saldo.invoicing.run import records
from saldo.invoicing.run.account_parts import Part, parts_of
from saldo.invoicing.run.model import Attempt, Drafted, RunState
from saldo.invoicing.run.number import drafts_of, set_aside_of
from saldo.kernel.periods import add_months
from saldo.storage.store import Store

_LAST_COMPARED_DAY = 27  # from the 28th on, days of a month stand for others in shorter months
_MONTH = range(28, 32)  # days
_COMES_AGAIN = frozenset({LineKind.CHARGE, LineKind.TRUE_UP, LineKind.DISCOUNT})


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
    before = _closed_on(store, closed.entity_id, add_months(closed.as_of, -1))
    if not before:
        return []
    now = _closed_on(store, closed.entity_id, closed.as_of)
    compared = Comparison()
    for part in parts_of(sum(attempt.invoices for attempt in before)):
        compared.add(_drafts(store, before, part), _drafts(store, now, part), _set_aside(store, now, part))
    return compared.unexpected(tolerance)


@dataclass(slots=True)
class Comparison:
    """By currency, what was expected of the accounts that were compared, and what they were billed."""

    expected: Counter[str] = field(default_factory=Counter)
    billed: Counter[str] = field(default_factory=Counter)

    def add(self, before: Iterable[Drafted], now: Iterable[Drafted], set_aside: Iterable[str]) -> None:
        """Add the accounts that were billed something before and are not set aside now; what came before is held in
        memory, and all else gone through once, if there is anything to compare it with."""
        held = Counter[str]()
        for draft in before:
            held[f"{draft.account_id} {draft.currency}"] += draft.regular_minor or 0
        if not any(held.values()):
            return
        missing = set(set_aside)
        for draft in now:
            missing.discard(draft.account_id)  # which another attempt of the day did bill
            if held.get(f"{draft.account_id} {draft.currency}"):
                self.billed[draft.currency] += draft.regular_minor or 0
        for key, minor in held.items():
            account_id, currency = key.split(" ")
            if account_id not in missing:
                self.expected[currency] += minor

    def unexpected(self, tolerance: Fraction) -> list[Unexpected]:
        both = [Unexpected(currency, minor, self.billed[currency]) for currency, minor in sorted(self.expected.items())]
        return [one for one in both if abs(one.billed_minor - one.expected_minor) > tolerance * abs(one.expected_minor)]


def _closed_on(store: Store, entity_id: str, on: date) -> list[Attempt]:
    """A seller's closed attempts of a day."""
    items = store.query_all(entity_id, prefix=f"run#{on.isoformat()}", consistent=True)
    attempts = [a for a in map(records.attempt_from, items) if a.state is RunState.CLOSED]
    return [a for a in attempts if not (a.is_one_off or a.dry_run)]


def _drafts(store: Store, attempts: Iterable[Attempt], part: Part) -> Iterator[Drafted]:
    drafts = (draft for attempt in attempts for draft in drafts_of(store, attempt))
    return (draft for draft in drafts if part(draft.account_id))


def _set_aside(store: Store, attempts: Iterable[Attempt], part: Part) -> Iterator[str]:
    asides = (aside.account_id for attempt in attempts for aside in set_aside_of(store, attempt))
    return filter(part, asides)
