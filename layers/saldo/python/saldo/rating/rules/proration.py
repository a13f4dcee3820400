"""Which share of a full period a part of it is, by each way of counting days."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

from saldo.catalog.model import BY_MONTHS, DayCount
from saldo.kernel.periods import MONTHS, Cycle, Period, months_before, whole_seconds
from saldo.rating.model import Share

WHOLE = Share(1, 1)
MONTHS_OF_30 = (DayCount.THIRTY_360, DayCount.THIRTY_360_US, DayCount.THIRTY_360_EU)


def share_of(period: Period, full: Period, day_count: DayCount = DayCount.ACTUAL, zone: str = "UTC") -> Share:
    """The share that `period` is of `full`, which contains it; a whole period is 1 by every way of counting.

    Shares are not reduced: customers are shown the days. With ACTUAL, FIXED_30 and SECOND the parts of a split period
    add up to 1. zone: the account's, for SECOND.
    """
    return WHOLE if period == full else counted(period, full, day_count, zone)


def share_of_units(
    period: Period,
    units: Cycle,
    day_count: DayCount = DayCount.ACTUAL,
    zone: str = "UTC",
    seconds: int | None = None,
) -> Share:
    """How many units of time (years, months) a period is: whole ones count 1 each, begun ones by their days.

    seconds: how many real ones the period has where it begins or ends at a moment of its first or last day.
    """
    found = Fraction(0)
    for unit in units.periods_from(period.start):
        part = period.overlap(unit)
        if part is None:
            break
        share = share_of(part, unit, day_count, zone) if seconds is None else _in_unit(period, unit, seconds, zone)
        if part == period:
            return share
        found += Fraction(share.days, share.of)
    return Share(found.numerator, found.denominator)


def _in_unit(period: Period, unit: Period, seconds: int, zone: str) -> Share:
    """What of those seconds, up to the period's end (or from its start, where they are more), is in a unit."""
    begins, ends = period.instants(zone)
    start = max(ends - timedelta(seconds=seconds), begins)
    end = start + timedelta(seconds=seconds)
    from_, to = unit.instants(zone)
    last = period.overlap(unit) == Period(max(period.start, unit.start), period.end)
    part = whole_seconds(max(start, from_), end if last else min(end, to))
    whole = whole_seconds(from_, to)
    return WHOLE if part == whole else Share(part, whole)


def counted(period: Period, full: Period, day_count: DayCount, zone: str = "UTC") -> Share:
    """Days of a part over days of the full period, as the day count has it; at most all of them."""
    if day_count in BY_MONTHS:  # of days with nothing before and after them; between changes, see `Charge.share`
        begun = months_before(period.end, full, begun=True) - months_before(period.start, full, begun=False)
        return Share(begun, months_before(full.end, full, begun=True), MONTHS)
    if day_count is DayCount.ACTUAL:
        return Share(period.days, full.days)
    if day_count is DayCount.SECOND:
        return Share(whole_seconds(*period.instants(zone)), whole_seconds(*full.instants(zone)))
    between = _DAYS_360.get(day_count, _days_360)
    of = between(full.start, full.end)
    if day_count is DayCount.FIXED_30:
        return Share(_fixed(period.end, full, of) - _fixed(period.start, full, of), of)
    days = period.days if day_count is DayCount.ACTUAL_OVER_30 else between(period.start, period.end)
    return Share(min(days, of), of) if of else Share(period.days, full.days)


def _fixed(day: date, full: Period, of: int) -> int:
    """Where a day stands in a period of `of` days, counted back from its end; its first day is at 0."""
    return 0 if day <= full.start else of - min(of, (full.end - day).days)


def _days_360(start: date, end: date) -> int:
    """Days of a half-open period when every month has 30; a 31st adds nothing to a period that began before it."""
    return _day_360(end) - _day_360(start)


def days_360_eu(start: date, end: date) -> int:
    """30E/360 (ISDA 2006 4.16(g)): a 31st is a 30th."""
    return _months_360(start, end) + min(end.day, 30) - min(start.day, 30)


def _days_360_us(start: date, end: date) -> int:
    """30/360 US (NASD): a 31st is a 30th where a period begins on it, or after a beginning on a 30th; so is the last of
    February."""
    first, last = start.day, end.day
    if _ends_february(start):
        last = 30 if _ends_february(end) else last
        first = 30
    first = min(first, 30)
    return _months_360(start, end) + (30 if last == 31 and first == 30 else last) - first


def _months_360(start: date, end: date) -> int:
    return ((end.year - start.year) * 12 + end.month - start.month) * 30


def _ends_february(day: date) -> bool:
    return day.month == 2 and (day + timedelta(days=1)).month == 3


_DAYS_360 = {DayCount.THIRTY_360_US: _days_360_us, DayCount.THIRTY_360_EU: days_360_eu}


def _day_360(day: date) -> int:
    """How many days are before this one on a calendar of 30-day months."""
    return (day.year * 12 + day.month - 1) * 30 + min(day.day - 1, 30)
