"""Interest, compensation and fees for late payment."""

from __future__ import annotations

from calendar import isleap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from saldo.accounts.model import LateFee as LateFee
from saldo.accounts.model import MonthCount
from saldo.kernel.money import Money, round_exact
from saldo.kernel.periods import Cycle, Period, Unit
from saldo.rating.rules.proration import days_360_eu
from saldo.tax.rules import percent_of

Bands = tuple[tuple[Decimal | None, Decimal], ...]
_DAY = timedelta(days=1)

# UK: Late Payment of Commercial Debts (Interest) Act 1998, section 5A: debts below each bound, and the sum for each.
UK_BANDS: Bands = ((Decimal(1000), Decimal(40)), (Decimal(10000), Decimal(70)), (None, Decimal(100)))
# EU: directive 2011/7/EU, article 6: 40 euros whatever the debt.
EU_BANDS: Bands = ((None, Decimal(40)),)
# Ireland: S.I. 580/2012, schedule: debts not exceeding 1,000 and 10,000, which are below the next cent.
IE_BANDS: Bands = ((Decimal("1000.01"), Decimal(40)), (Decimal("10000.01"), Decimal(70)), (None, Decimal(100)))


@dataclass(frozen=True, slots=True)
class LateInterest:
    """Interest on each day after the due date, compensation by the size of the debt, and fees.

    `percent` a year, or a month with `per` MONTH; `later`: other percents from days on, in their order (base rates
    change by half-years). A year has `year_days`, None for those of the calendar; `thirty_days`: each month has 30.
    `daily_rounding`: the amount per day is rounded first, as UK guidance has it; otherwise all is exact and rounded
    once. `bands`: bounds in major units, exclusive, and the sum due below them. `compounds`: after each such time,
    counted from the due date, interest bears interest; a whole one is its part of a year. `grace_days`: what is
    settled within them bears nothing; else it counts from the due date, or from their end (`from_grace`).
    `most_percent`: of the debt, the most that interest and fees come to. `fixed`: the percent of the first late day
    holds until it is paid.
    """

    percent: Decimal
    year_days: int | None = 365
    daily_rounding: bool = False
    bands: Bands = field(default=())
    per: Unit = Unit.YEAR
    later: tuple[tuple[date, Decimal], ...] = ()
    fees: tuple[LateFee, ...] = ()
    thirty_days: bool = False
    compounds: Unit | None = None
    months: MonthCount = MonthCount.EXACT
    grace_days: int = 0
    from_grace: bool = False
    most_percent: Decimal | None = None
    fixed: bool = False


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

    Nothing where nothing was open after the due date and its grace. Compensation and fees go by what was open when they
    fell due.
    """
    late = late_spans(owed, rule)
    if not late:
        return LateCharges(0, 0, 0, 0, 0)
    due_on, last = owed[0].after, late[-1]
    start = due_on + timedelta(days=rule.grace_days)
    debt = first_late(owed, start)
    interest = interest_of(late, rule)
    fees = sum(minor for fee in rule.fees for _, minor in fees_due(fee, owed))
    if rule.most_percent is not None:
        most = percent_of(debt, rule.most_percent)
        interest, fees = min(interest, most), min(fees, most - min(interest, most))
    yearly = last.percent * 12 if rule.per is Unit.MONTH else last.percent
    return LateCharges(
        days=(last.owed.through - (start if rule.from_grace else due_on)).days,
        per_year_minor=percent_of(last.owed.minor, yearly),
        per_day_minor=_per_day(rule, last),
        interest_minor=interest,
        compensation_minor=compensation_of(Money(debt, currency), rule.bands),
        fees_minor=fees,
        spans=late,
    )


def interest_of(late: Sequence[LateSpan], rule: LateInterest) -> int:
    """All interest of some days, in minor units: rounded once, or what each day costs rounded first."""
    if not rule.daily_rounding:
        return round_exact(sum((span.exact for span in late), Fraction(0)))
    days_between = days_360_eu if rule.thirty_days else _days_between
    return sum(_per_day(rule, span) * days_between(span.owed.after, span.owed.through) for span in late)


def _days_between(after: date, through: date) -> int:
    return (through - after).days


def late_spans(owed: Sequence[Owed], rule: LateInterest) -> tuple[LateSpan, ...]:
    """The interest of days on which debt and percent were the same, exact; empty where all was settled in time."""
    open_ones = [one for one in owed if one.minor > 0 and one.through > one.after]
    if not open_ones:
        return ()
    due_on = owed[0].after
    start = due_on + timedelta(days=rule.grace_days)
    if open_ones[-1].through <= start:
        return ()
    if rule.from_grace:
        due_on = start
        open_ones = [replace(one, after=max(one.after, start)) for one in open_ones if one.through > start]
    if rule.fixed:
        rule = replace(rule, percent=_percent_on(rule, due_on + _DAY), later=())
    parts = [part for one in open_ones for part in _by_percent(rule, one)]
    if rule.compounds is not None:
        return tuple(_compounded(rule, parts, Cycle(rule.compounds, 1, due_on)))
    return tuple(_span(rule, part, due_on) for part in parts)


# How much of a year, or of a month, one time after which interest bears interest is.
_OF_YEAR = {Unit.MONTH: Fraction(1, 12), Unit.QUARTER: Fraction(1, 4), Unit.YEAR: Fraction(1)}


def _compounded(rule: LateInterest, parts: Sequence[Owed], cycle: Cycle) -> Iterator[LateSpan]:
    """Interest on the debt and on the interest of whole times before; a begun time bears by its days.

    Sums are kept over one denominator that is never reduced: of days by the thousand, that is what would take long.
    """
    of, borne, pending = 1, 0, 0  # the denominator; interest that bears interest, and that does not yet
    for part in parts:
        after, here = part.after, 0
        percent = _percent_on(rule, after + _DAY)
        while after < part.through:
            k = cycle.index_at(after)
            end = cycle.boundary(k + 1)
            stretch = replace(part, after=after, through=min(part.through, end))
            factor = Fraction(percent) / 100 * _stretch(rule, stretch, Period(cycle.boundary(k), end))
            more = factor.numerator * (part.minor * of + borne)
            of, borne, pending, here = (n * factor.denominator for n in (of, borne, pending, here))
            pending, here = pending + more, here + more
            if stretch.through == end:
                borne, pending = borne + pending, 0
            after = stretch.through
        yield LateSpan(part, percent, Fraction(here, of))


def _stretch(rule: LateInterest, stretch: Owed, whole: Period) -> Fraction:
    """Years, or months, of some days within one time of compounding."""
    assert rule.compounds is not None
    days, by_month = (stretch.through - stretch.after).days, rule.per is Unit.MONTH
    of_year = _OF_YEAR.get(rule.compounds)  # none of days and weeks
    if of_year and (by_month or days == whole.days):
        return Fraction(days, whole.days) * of_year * (12 if by_month else 1)
    if by_month:
        return Fraction(days, 30)
    return Fraction(days, rule.year_days or _days_of_year(stretch.through))


def _by_percent(rule: LateInterest, owed: Owed) -> list[Owed]:
    """The same days, cut where the percent changes: a new one holds from its day on."""
    turns = {on for on, _ in rule.later}
    if rule.daily_rounding and rule.year_days is None:  # what a day costs is another amount in a leap year
        turns |= {date(year, 1, 1) for year in range(owed.after.year + 1, owed.through.year + 1)}
    last_days = [on - _DAY for on in turns if owed.after < on - _DAY < owed.through]
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
    if rule.thirty_days:
        days = days_360_eu(due_on, day)
        return Fraction(days, 30) if rule.per is Unit.MONTH else Fraction(days, rule.year_days or 360)
    if rule.per is Unit.MONTH:
        months = Cycle(Unit.MONTH, 1, due_on)
        k = months.index_at(day)
        begun = Period(months.boundary(k), months.boundary(k + 1))
        rest = Fraction((day - begun.start).days, begun.days)
        if rule.months is not MonthCount.EXACT:
            rest = Fraction(1 if rest and rule.months is MonthCount.BEGUN else 0)
        return k + rest
    if rule.year_days is not None:
        return Fraction((day - due_on).days, rule.year_days)
    return _calendar_years(day) - _calendar_years(due_on)


def _days_of_year(day: date) -> int:
    return 366 if isleap(day.year) else 365


def _calendar_years(day: date) -> Fraction:
    return day.year + Fraction(day.timetuple().tm_yday, _days_of_year(day))


def _per_day(rule: LateInterest, span: LateSpan) -> int:
    """A month has thirty days, a year those of the rule, or of the year of the span's last day."""
    of = 30 if rule.per is Unit.MONTH else rule.year_days or _days_of_year(span.owed.through)
    time = Fraction(1, of)
    return round_exact(Fraction(span.percent) * span.owed.minor / 100 * time)


def first_late(owed: Sequence[Owed], start: date) -> int:
    """What was open when a debt became late, after its grace; 0 where nothing was."""
    return next((one.minor for one in owed if one.minor > 0 and one.through > start), 0)


def fees_due(fee: LateFee, owed: Sequence[Owed]) -> Iterator[tuple[date, int]]:
    """The fee as often as it fell due, each with its day. owed: not empty."""
    n, last = 0, owed[-1].through
    falls_due = owed[0].after + timedelta(days=fee.after_days + 1)
    while falls_due <= last and (fee.times is None or n < fee.times):
        debt = next((one.minor for one in owed if one.after < falls_due <= one.through and one.minor > 0), 0)
        if debt:
            amount = max(fee.amount_minor + percent_of(debt, fee.percent), fee.least_minor)
            yield falls_due, amount if fee.most_minor is None else min(amount, fee.most_minor)
        if fee.every_days is None:
            break
        n, falls_due = n + 1, falls_due + timedelta(days=fee.every_days)


def compensation_of(debt: Money, bands: Bands) -> int:
    """The fixed sum for a debt of this size, in minor units; 0 without bands."""
    for below, amount in bands:
        if below is None or debt.as_decimal() < below:
            return Money.of_major(amount, debt.currency).minor
    return 0
