"""Which share of a full period a part of it is, by each way of counting days."""

from __future__ import annotations

from datetime import date

from saldo.catalog.model import DayCount
from saldo.kernel.periods import Period
from saldo.rating.model import Share

WHOLE = Share(1, 1)


def share_of(period: Period, full: Period, day_count: DayCount = DayCount.ACTUAL) -> Share:
    """The share that `period` is of `full`, which contains it; a whole period is 1 by every way of counting.

    Shares are not reduced: customers are shown the days. With ACTUAL the parts of a split period add up to 1.
    """
    return WHOLE if period == full else counted(period, full, day_count)


def counted(period: Period, full: Period, day_count: DayCount) -> Share:
    """Days of a part over days of the full period, as the day count has it; at most all of them."""
    if day_count is DayCount.ACTUAL:
        return Share(period.days, full.days)
    of = _days_360(full.start, full.end)
    days = period.days if day_count is DayCount.ACTUAL_OVER_30 else _days_360(period.start, period.end)
    return Share(min(days, of), of)


def _days_360(start: date, end: date) -> int:
    """Days of a half-open period when every month has 30; a 31st adds nothing to a period that began before it."""
    return _day_360(end) - _day_360(start)


def _day_360(day: date) -> int:
    """How many days are before this one on a calendar of 30-day months."""
    return (day.year * 12 + day.month - 1) * 30 + min(day.day - 1, 30)
