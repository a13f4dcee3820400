"""Interest on late invoices, month by month, from what was open on each day. Values in, values out.

A month's interest is the difference of two running totals, each exact until it is rounded once: so however many months
a debt is late, what was charged adds up to the interest on all of its days.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from saldo.accounts.model import LatePolicy, LateTerms, TaxStatus
from saldo.invoicing.rules_interest import (
    LateInterest,
    Owed,
    compensation_of,
    fees_due,
    first_late,
    interest_of,
    late_spans,
)
from saldo.invoicing.rules_late_law import STATUTES, ReferenceRate, reference_on
from saldo.kernel.errors import Refusal
from saldo.kernel.exact import ZERO
from saldo.kernel.money import Money
from saldo.kernel.periods import Period, Unit, add_months
from saldo.ledger.model import Entry, EntryKind, LedgerAccount
from saldo.tax.rules import percent_of

INTEREST, FEE = "late_interest", "late_fee"
_DAY = timedelta(days=1)
# How far back a month that was missed is still caught up.
MONTHS_BACK = 12


@dataclass(frozen=True, slots=True)
class Debt:
    """An invoice as the journal tells it: what its receivable moved by, day by day in order; minor units.

    `bears_none`: the part that is interest or fees itself and bears no interest (§ 289 BGB); it counts as paid last.
    """

    invoice_id: str
    currency: str
    due_on: date
    moves: tuple[tuple[date, int], ...]
    bears_none: int = 0

    def open_on(self, day: date) -> int:
        """What bears interest on the day: that of a payment still counts (§§ 187, 188 BGB), as quotes reckon it too."""
        return max(sum(minor for on, minor in self.moves if on < day) - self.bears_none, 0)


def debts_of(entries: Iterable[Entry]) -> list[Debt]:
    """Every invoice with receivables in the journal."""
    moves: dict[str, list[tuple[date, int]]] = defaultdict(list)
    due: dict[str, date] = {}
    bears_none: dict[str, int] = defaultdict(int)
    currency: dict[str, str] = {}
    for entry in entries:
        for p in entry.postings:
            if p.account is LedgerAccount.RECEIVABLES and p.invoice_id:
                moves[p.invoice_id].append((entry.booked_on, p.minor))
                currency[p.invoice_id] = entry.currency
                due[p.invoice_id] = p.due_on or due.get(p.invoice_id, entry.booked_on)
            if entry.kind is EntryKind.INVOICE_ISSUED and p.tag in (INTEREST, FEE):
                bears_none[entry.source_id] -= p.minor
    return [Debt(i, currency[i], due[i], tuple(sorted(m)), bears_none[i]) for i, m in moves.items()]


@dataclass(frozen=True, slots=True)
class LateCase:
    """Whose debts are looked at, by which terms and law; `rates` are those known, `country` is the seller's."""

    terms: LateTerms
    country: str
    status: TaxStatus
    rates: Sequence[ReferenceRate]


@dataclass(frozen=True, slots=True)
class LateCharge:
    """To be charged once under its id: interest for a month, the fixed sum for a debt (`month` None), or an agreed fee
    (`month`: the day on which it fell due, the `days_late`th after the due date)."""

    id: str
    invoice_id: str
    kind: str
    money: Money
    month: date | None = None
    days_late: int = 0


def charges_on(debt: Debt, case: LateCase, on: date, disputed_minor: int = 0) -> list[LateCharge]:
    """What is to be charged for a debt by a day: interest for each whole month gone by, agreed fees, and the fixed sum.

    disputed_minor: bears nothing. Refusal `no_statutory_rate`, `reference_rate_missing` where the law cannot be told,
    `compensation_currency` where its fixed sum is in another currency than the debt.
    """
    terms = case.terms
    begins = debt.due_on + timedelta(days=terms.grace_days)
    if terms.policy is LatePolicy.NONE or begins >= on or debt.open_on(begins + _DAY) <= disputed_minor:
        return []
    since = max(debt.due_on + _DAY, add_months(on.replace(day=1), -MONTHS_BACK)).replace(day=1)
    interest, fees = _interest(debt, case, since, on, disputed_minor), _fees(debt, case, on, disputed_minor)
    dated = sorted([*interest, *((day, fee) for day, fee in fees if day >= since)], key=lambda one: one[0])
    found = [charge for _, charge in dated]
    if terms.most_percent is not None:
        most = percent_of(first_late(_owed(debt, on, disputed_minor), begins), terms.most_percent)
        charged = _interest_until(debt, case, since, disputed_minor)
        charged += sum(fee.money.minor for day, fee in fees if day < since)
        found = list(_up_to(most - charged, found))
    if terms.compensation and case.status is TaxStatus.BUSINESS:
        found.append(_compensation(debt, case, begins, disputed_minor))
    return [charge for charge in found if charge.money.minor > 0]


def _interest(
    debt: Debt, case: LateCase, month: date, on: date, disputed_minor: int
) -> Iterator[tuple[date, LateCharge]]:
    """Of each month from this one on that is over, with the day after it."""
    before = _interest_until(debt, case, month, disputed_minor)
    while add_months(month, 1) <= on:
        through = add_months(month, 1)
        upto = _interest_until(debt, case, through, disputed_minor)
        money = Money(upto - before, debt.currency)
        yield through, LateCharge(f"interest-{debt.invoice_id}-{month:%Y%m}", debt.invoice_id, INTEREST, money, month)
        month, before = through, upto


def _fees(debt: Debt, case: LateCase, on: date, disputed_minor: int) -> list[tuple[date, LateCharge]]:
    """The agreed fees that fell due before a day, those of one day together."""
    owed = _owed(debt, on, disputed_minor)
    by_day = Counter[date]()
    for day, minor in (due for fee in case.terms.fees if owed for due in fees_due(fee, owed)):
        by_day[day] += minor
    return [(day, _agreed_fee(debt, day, minor)) for day, minor in by_day.items()]


def _agreed_fee(debt: Debt, day: date, minor: int) -> LateCharge:
    fee_id = f"latefee-{debt.invoice_id}-{day:%Y%m%d}"
    return LateCharge(fee_id, debt.invoice_id, FEE, Money(minor, debt.currency), day, (day - debt.due_on).days)


def _up_to(most: int, charges: Iterable[LateCharge]) -> Iterator[LateCharge]:
    """The charges in their order, as far as the most that may be charged reaches."""
    for charge in charges:
        minor = min(charge.money.minor, max(most, 0))
        most -= minor
        yield replace(charge, money=Money(minor, charge.money.currency))


def _interest_until(debt: Debt, case: LateCase, end: date, disputed_minor: int) -> int:
    """All interest on the days after the due date and before `end`, rounded once to minor units: by the rule of
    quotes."""
    owed = _owed(debt, end, disputed_minor)
    if not owed:
        return 0
    rule = _rule(debt, case, owed)
    return interest_of(late_spans(owed, rule), rule)


def _owed(debt: Debt, end: date, disputed_minor: int) -> list[Owed]:
    """What bears interest on the days after the due date and before `end`, by days of equal balance; empty where
    nothing does."""
    start, last = debt.due_on, end - _DAY
    turns = sorted({start, last, *(on for on, _ in debt.moves if start < on < last)})
    days = [(after, through) for after, through in pairwise(turns) if after >= start]
    found = [Owed(after, through, max(debt.open_on(through) - disputed_minor, 0)) for after, through in days]
    return found if any(one.minor for one in found) else []


def _rule(debt: Debt, case: LateCase, owed: Sequence[Owed]) -> LateInterest:
    """As agreed, or the law's points above the reference rate of each half-year on whose days something is late."""
    terms = case.terms
    rule = LateInterest(
        terms.percent,
        year_days=terms.days_of_year,
        daily_rounding=terms.daily_rounding,
        thirty_days=terms.thirty_days,
        months=terms.months,
        grace_days=terms.grace_days if terms.from_grace else 0,
        from_grace=terms.from_grace,
    )
    if terms.policy is LatePolicy.CONTRACT:
        per = Unit.MONTH if terms.per_month else Unit.YEAR
        return replace(rule, per=per, later=terms.later, compounds=terms.compounds)
    statute = STATUTES.get(case.country)
    points = None
    if statute is not None:
        points = statute.consumer_points if case.status is TaxStatus.CONSUMER else statute.points
    if statute is None or points is None:
        raise Refusal("no_statutory_rate", f"no late-payment law of {case.country} for {case.status} is known here")
    found: dict[date, Decimal] = {}
    late = (Period(one.after + _DAY, one.through + _DAY) for one in owed if one.minor)
    for part in (part for days in late for part in _halves(days)):
        day = debt.due_on + _DAY if statute.fixed else part.start
        reference = reference_on(case.rates, statute.reference, day)
        if reference is None:
            raise Refusal("reference_rate_missing", f"the {statute.reference} reference rate of {day} is not on record")
        found[part.start] = max(statute.percent_over(reference, points), ZERO)
    return replace(rule, percent=ZERO, later=tuple(sorted(found.items())))


def _halves(span: Period) -> Iterator[Period]:
    """The same days parted at each half-year, with which reference rates change."""
    begin = span.start
    while begin < span.end:
        turn = date(begin.year, 7, 1) if begin.month < 7 else date(begin.year + 1, 1, 1)
        yield Period(begin, min(turn, span.end))
        begin = min(turn, span.end)


def _compensation(debt: Debt, case: LateCase, begins: date, disputed_minor: int) -> LateCharge:
    statute = STATUTES.get(case.country)
    if statute is None:
        raise Refusal("no_statutory_rate", f"no fixed sum of {case.country} is known here")
    if statute.currency != debt.currency:
        raise Refusal("compensation_currency", f"the law gives {statute.currency}, the debt is in {debt.currency}")
    owed = Money(debt.open_on(begins + _DAY) - disputed_minor, debt.currency)
    fixed = Money(compensation_of(owed, statute.bands), debt.currency)
    return LateCharge(f"latefee-{debt.invoice_id}", debt.invoice_id, FEE, fixed)
