"""Days, cycles and day counts as an auditor finds them: with a calendar on the desk, one day after the other.

Nothing here is taken from Saldo. Sources: the rows SUB-3 and SUB-4 of the requirements, docs/quote.md ("Plans",
"Subscriptions and changes"), the rooms' READMEs.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
# The years that any cycle of the decade is written out for.
FIRST_YEAR, LAST_YEAR = 2012, 2028
HALVES_IN = {"half_month": 1, "month": 2, "quarter": 6, "year": 24}
DAYS_IN = {"day": 1, "week": 7}
Cycle = tuple[str, int, date]  # unit, how many of them, a day on which one begins


def last_of_month(year: int, month: int) -> int:
    following = date(year + month // 12, month % 12 + 1, 1)
    return (following - DAY).day


def in_cycles(unit: str, count: int, of: tuple[str, int]) -> int:
    """How many cycles, of so many units each, a length of time is."""
    units = HALVES_IN if unit in HALVES_IN else DAYS_IN
    return units[unit] * count // (units[of[0]] * of[1])


def months_later(anchor: date, months: int) -> date:
    """The anchor's day of month so many months on, or the last day of a month that has no such day."""
    year, month = anchor.year, anchor.month + months
    while month > 12:
        year, month = year + 1, month - 12
    while month < 1:
        year, month = year - 1, month + 12
    return date(year, month, min(anchor.day, last_of_month(year, month)))


def halves_later(anchor: date, halves: int) -> date:
    """So many half months on: a month has two days on which one begins, the anchor's and the one that is fifteen days
    from it, or its last where it has no such day."""
    days = sorted([anchor.day, anchor.day + 15 if anchor.day <= 15 else anchor.day - 15])
    nth = days.index(anchor.day) + halves
    month = months_later(anchor.replace(day=1), nth // 2)
    return month.replace(day=min(days[nth % 2], last_of_month(month.year, month.month)))


@lru_cache(maxsize=20_000)
def beginnings(cycle: Cycle) -> list[date]:
    """All days on which a cycle begins, from 2012 to 2028, each counted from the anchor."""
    unit, count, anchor = cycle
    found = []
    if unit in HALVES_IN:
        step = HALVES_IN[unit] * count
        first = -((anchor.year - FIRST_YEAR) * 24 // step) - 1
        day, n = halves_later(anchor, first * step), first
        while day.year <= LAST_YEAR:
            found.append(day)
            n += 1
            day = halves_later(anchor, n * step)
        return found
    length = timedelta(days=DAYS_IN[unit] * count)
    day = anchor
    while day.year > FIRST_YEAR:
        day -= length
    while day.year < FIRST_YEAR:
        day += length
    while day.year <= LAST_YEAR:
        found.append(day)
        day += length
    return found


def cycle_around(cycle: Cycle, day: date) -> tuple[date, date]:
    """The first day of the cycle that this day is in, and that of the next."""
    found = beginnings(cycle)
    n = bisect_right(found, day)
    return found[n - 1], found[n]


def cycles_before(cycle: Cycle, first_day: date, day: date) -> int:
    """How many cycles began after the one of `first_day`, up to the one of `day`."""
    found = beginnings(cycle)
    return bisect_right(found, day) - bisect_right(found, first_day)


@lru_cache(maxsize=200_000)
def midnight(day: date, zone: str) -> datetime:
    """The first second at which people in the zone write this date, found by looking at their clocks."""
    tz = ZoneInfo(zone)
    early = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=26)
    low, high = 0, 52 * 3600
    while low < high:
        middle = (low + high) // 2
        if (early + middle * SECOND).astimezone(tz).date() >= day:
            high = middle
        else:
            low = middle + 1
    return early + low * SECOND


def seconds_between(start: datetime, end: datetime) -> int:
    return int((end - start) // SECOND)


def thirty_360_weight(day: date) -> int:
    """What a day counts where every month has 30: a 31st nothing, the last of February what the month lacks."""
    last = last_of_month(day.year, day.month)
    if day.day == 31:
        return 0
    return 1 + 30 - last if day.day == last and last < 30 else 1


def count_30_360(start: date, end: date) -> int:
    """Days from `start` to before `end` where every month has 30, each day weighed for itself."""
    total, day = 0, start
    while day < end:
        if day.day == 1 and months_later(day, 1) <= end:  # a whole month at once
            total, day = total + 30, months_later(day, 1)
            continue
        total, day = total + thirty_360_weight(day), day + DAY
    return total


def bond_days(start: date, end: date, of_us: bool) -> int:
    """Days between two dates on a bond (US: NASD's rule; else 30E/360), the sentences of the rule one by one."""
    first, last = start.day, end.day
    starts_last = start.month == 2 and (start + DAY).month == 3
    ends_last = end.month == 2 and (end + DAY).month == 3
    if of_us:
        if starts_last and ends_last:
            last = 30
        if starts_last:
            first = 30
        if last == 31 and first in (30, 31):
            last = 30
    elif last == 31:
        last = 30
    if first == 31:
        first = 30
    return 360 * (end.year - start.year) + 30 * (end.month - start.month) + last - first


def share_of_days(day_count: str, piece: tuple[date, date], full: tuple[date, date], zone: str) -> Fraction:
    """Which part of a full cycle a piece of it is, by the plan's way of counting; the whole is always 1."""
    if piece == full:
        return Fraction(1)
    days, of_days = (piece[1] - piece[0]).days, (full[1] - full[0]).days
    if day_count == "actual":
        return Fraction(days, of_days)
    if day_count == "second":
        return share_of_seconds((midnight(piece[0], zone), midnight(piece[1], zone)), full, zone)
    if day_count in ("30_360_us", "30_360_eu"):
        whole = bond_days(*full, day_count == "30_360_us")
        return Fraction(min(bond_days(*piece, day_count == "30_360_us"), whole), whole)
    thirties = count_30_360(*full)
    if day_count == "30_360":
        return Fraction(min(count_30_360(*piece), thirties), thirties)
    if day_count == "actual_over_30":
        return Fraction(min(days, thirties), thirties)
    assert day_count == "fixed_30"

    def left_from(day: date) -> int:
        """Days from here to the end; the first day has all thirties before it, however long the months are."""
        return thirties if day == full[0] else min((full[1] - day).days, thirties)

    return Fraction(left_from(piece[0]) - left_from(piece[1]), thirties)


def share_of_seconds(piece: tuple[datetime, datetime], full: tuple[date, date], zone: str) -> Fraction:
    whole = seconds_between(midnight(full[0], zone), midnight(full[1], zone))
    return Fraction(seconds_between(*piece), whole)
