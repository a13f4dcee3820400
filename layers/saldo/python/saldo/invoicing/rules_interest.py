"""Interest, compensation and fees for late payment."""

from __future__ import annotations

from calendar import isleap
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from saldo.kernel.money import Money, round_exact
from saldo.kernel.periods import Cycle, Period, Unit
from saldo.kernel.rounding import rounded_ratio

Bands = tuple[tuple[Decimal | None, Decimal], ...]
_DAY = timedelta(days=1)

# UK: Late Payment of Commercial Debts (Interest) Act 1998, section 5A: debts below each bound, and the sum for each.
UK_BANDS: Bands = ((Decimal(1000), Decimal(40)), (Decimal(10000), Decimal(70)), (None, Decimal(100)))
# EU: directive 2011/7/EU, article 6: 40 euros whatever the debt.
EU_BANDS: Bands = ((None, Decimal(40)),)


@dataclass(frozen=True, slots=True)
class LateFee:
    """What is due once when a debt is more than `after_days` late: an amount in minor units, or a percent of it."""

    after_days: int
    amount_minor: int = 0
    percent: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class LateInterest:
    """Simple interest on each day after the due date, compensation by the size of the debt, and fees.

    `percent` a year, or a month with `per` MONTH; `later`: other percents from days on, in their order (base rates
    change by half-years). A year has `year_days`, None for those of the calendar. `daily_rounding`: the amount per day
    is rounded first, as UK guidance has it; otherwise all is exact and rounded once. `bands`: bounds in major units,
    exclusive, and the sum due below them.
    """

    percent: Decimal
    year_days: int | None = 365
    daily_rounding: bool = False
    bands: Bands = field(default=())
    per: Unit = Unit.YEAR
    later: tuple[tuple[date, Decimal], ...] = ()
    fees: tuple[LateFee, ...] = ()


@dataclass(frozen=True, slots=True)
class Owed:
    """What was open on the days after `after` through `through`, in minor units."""

    after: date
    through: date
    minor: int


@dataclass(frozen=True, slots=True)
class LateSpan:
    """Interest of days on which debt and percent were the same; `exact` in minor units, not rounded."""

    owed: Owed
    percent: Decimal
    exact: Fraction


@dataclass(frozen=True, slots=True)
class LateCharges:
    """Minor units of the debt's currency. `per_year_minor`, `per_day_minor`: of what was open last, rounded."""

    days: int
    per_year_minor: int
    per_day_minor: int
    interest_minor: int
    compensation_minor: int
    fees_minor: int = 0
    spans: tuple[LateSpan, ...] = ()

    @property
    def total_minor(self) -> int:
        return self.interest_minor + self.compensation_minor + self.fees_minor


def late_charges(owed: Sequence[Owed], currency: str, rule: LateInterest) -> LateCharges:
    """What a debt costs besides itself, from what was open on which days since it was due, in their order.

    Nothing where nothing was open after the due date. Compensation and fees go by what was open when they fell due.
    """
    open_ones = [one for one in owed if one.minor > 0 and one.through > one.after]
    if not open_ones:
        return LateCharges(0, 0, 0, 0, 0)
    due_on, last = owed[0].after, open_ones[-1]
    spans = tuple(_span(rule, part, due_on) for one in open_ones for part in _by_percent(rule, one))
    percent = spans[-1].percent
    per_day = [_per_day(rule, span) * (span.owed.through - span.owed.after).days for span in spans]
    return LateCharges(
        days=(last.through - due_on).days,
        per_year_minor=_percent_of(last.minor, percent * 12 if rule.per is Unit.MONTH else percent),
        per_day_minor=_per_day(rule, spans[-1]),
        interest_minor=sum(per_day) if rule.daily_rounding else round_exact(sum((s.exact for s in spans), Fraction(0))),
        compensation_minor=compensation_of(Money(open_ones[0].minor, currency), rule.bands),
        fees_minor=sum(_fee(fee, owed, due_on) for fee in rule.fees),
        spans=spans,
    )


def _by_percent(rule: LateInterest, owed: Owed) -> list[Owed]:
    """The same days, cut where the percent changes: a new one holds from its day on."""
    last_days = [on - _DAY for on, _ in rule.later if owed.after < on - _DAY < owed.through]
    bounds = [owed.after, *sorted(last_days), owed.through]
    return [replace(owed, after=a, through=b) for a, b in pairwise(bounds)]


def _percent_on(rule: LateInterest, day: date) -> Decimal:
    begun = [percent for on, percent in rule.later if on <= day]
    return begun[-1] if begun else rule.percent


def _span(rule: LateInterest, owed: Owed, due_on: date) -> LateSpan:
    percent = _percent_on(rule, owed.after + _DAY)
    time = _time(rule, owed.through, due_on) - _time(rule, owed.after, due_on)
    return LateSpan(owed, percent, Fraction(percent) * owed.minor / 100 * time)


def _time(rule: LateInterest, day: date, due_on: date) -> Fraction:
    """Years or months from the due date through a day."""
    if day <= due_on:
        return Fraction(0)
    if rule.per is Unit.MONTH:
        months = Cycle(Unit.MONTH, 1, due_on)
        k = months.index_at(day)
        begun = Period(months.boundary(k), months.boundary(k + 1))
        return k + Fraction((day - begun.start).days, begun.days)
    if rule.year_days is not None:
        return Fraction((day - due_on).days, rule.year_days)
    return _calendar_years(day) - _calendar_years(due_on)


def _calendar_years(day: date) -> Fraction:
    return day.year + Fraction(day.timetuple().tm_yday, 366 if isleap(day.year) else 365)


def _per_day(rule: LateInterest, span: LateSpan) -> int:
    """Of the span's last day: a month has the days of the one that has begun, a year those of the rule."""
    day = span.owed.through
    time = _time(rule, day, day - _DAY) if rule.per is Unit.YEAR else Fraction(1, 30)
    return round_exact(Fraction(span.percent) * span.owed.minor / 100 * time)


def _fee(fee: LateFee, owed: Sequence[Owed], due_on: date) -> int:
    falls_due = due_on + timedelta(days=fee.after_days + 1)
    debt = next((one.minor for one in owed if one.after < falls_due <= one.through and one.minor > 0), 0)
    return (fee.amount_minor + _percent_of(debt, fee.percent)) if debt else 0


def _percent_of(minor: int, percent: Decimal) -> int:
    numerator, denominator = percent.as_integer_ratio()
    return rounded_ratio(minor * numerator, denominator * 100)


def compensation_of(debt: Money, bands: Bands) -> int:
    """The fixed sum for a debt of this size, in minor units; 0 without bands."""
    for below, amount in bands:
        if below is None or debt.as_decimal() < below:
            return Money.of_major(amount, debt.currency).minor
    return 0
