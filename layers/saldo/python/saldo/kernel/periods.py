"""Half-open periods of days in a customer's own calendar, and the boundaries of billing cycles."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from saldo.kernel.errors import Refusal


class Unit(StrEnum):
    """What a cycle is counted in. A HALF_MONTH begins on the anchor's day of the month and fifteen days from it."""

    DAY = "day"
    WEEK = "week"
    HALF_MONTH = "half_month"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


_MONTHS = {Unit.MONTH: 1, Unit.QUARTER: 3, Unit.YEAR: 12}
_HALF_MONTHS = {Unit.HALF_MONTH: 1, **{unit: 2 * months for unit, months in _MONTHS.items()}}
_DAYS = {Unit.DAY: 1, Unit.WEEK: 7}
_SECOND = timedelta(seconds=1)
MONTHS = "months"  # what a share is counted in that is not of days or seconds


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Half-open days `[start, end)` in the account's time zone. Never empty."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise Refusal("empty_period", f"a period must end after it starts ({self.start} to {self.end})")

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end

    def overlap(self, other: Period) -> Period | None:
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Period(start, end) if start < end else None

    def instants(self, zone: str) -> tuple[datetime, datetime]:
        """The period as UTC instants `[from, to)`: local midnights of the zone, so DST days are 23 or 25 hours."""
        return local_midnight(self.start, zone), local_midnight(self.end, zone)

    def as_text(self) -> str:
        return f"{self.start.isoformat()}/{self.end.isoformat()}"

    @classmethod
    def from_text(cls, text: str) -> Period:
        start, end = text.split("/")
        return cls(date.fromisoformat(start), date.fromisoformat(end))


@lru_cache(maxsize=512)
def zone_named(name: str) -> ZoneInfo:
    """The IANA zone of this name; Refusal `unknown_time_zone` otherwise."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise Refusal("unknown_time_zone", f"{name!r} is not an IANA time zone") from error


@lru_cache(maxsize=4096)
def local_midnight(day: date, zone: str) -> datetime:
    """The UTC instant at which `day` begins in the zone (the later one where clocks skip midnight)."""
    tz = zone_named(zone)
    wall = datetime.combine(day, time(), tzinfo=tz)
    return wall.astimezone(UTC)


def offsets(start: datetime, end: datetime, zone: str) -> list[tuple[datetime, timedelta]]:
    """How far the zone's clocks are ahead of UTC in `[start, end)`: from the start on, then from each instant (to the
    second) at which they change. No zone changes them twice within a day."""
    tz = zone_named(zone)

    def ahead(at: datetime) -> timedelta:
        return at.astimezone(tz).utcoffset() or timedelta()

    found, at = [(start, ahead(start))], start
    while at < end:
        known, changed = at, min(at + timedelta(days=1), end)
        at = changed
        if ahead(changed) == found[-1][1]:
            continue
        while changed - known > _SECOND:
            middle = known + (changed - known) // (2 * _SECOND) * _SECOND
            known, changed = (middle, changed) if ahead(middle) == found[-1][1] else (known, middle)
        if changed < end:
            found.append((changed, ahead(changed)))
    return found


def whole_seconds(start: datetime, end: datetime) -> int:
    """Seconds between two UTC instants, begun ones not counted."""
    gone = end - start
    return gone.days * 86400 + gone.seconds


def local_date(instant: datetime, zone: str) -> date:
    """The date people in the zone write at this UTC instant."""
    return instant.astimezone(zone_named(zone)).date()


@lru_cache(maxsize=8192)
def add_months(day: date, months: int, anchor_day: int | None = None) -> date:
    """`day` plus whole months; the day of month is `anchor_day` (default: day's own), clipped to the month's end.

    Counting from an anchor keeps the 31st from drifting: Jan 31, Feb 28, Mar 31.
    """
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    wanted = anchor_day or day.day
    return date(year, month + 1, min(wanted, monthrange(year, month + 1)[1]))


def months_before(day: date, full: Period, begun: bool) -> int:
    """How many months of a period of whole months are over by a day of it; begun: the one that it falls in counts too.

    They are counted from the period's start, to the day of the month on which it begins or ends, whichever is later.
    """
    anchor = max(full.start.day, full.end.day)
    n = (day.year - full.start.year) * 12 + day.month - full.start.month
    n -= add_months(full.start, n, anchor) > day
    return n + 1 if begun and add_months(full.start, n, anchor) < day else n


def _add_half_months(day: date, halves: int) -> date:
    """`day` plus half months: the days of the month are its own and the one fifteen days before or after."""
    second = day.day > 15
    months, later = divmod(halves + second, 2)
    return add_months(day, months, day.day + 15 * (later - second))


@dataclass(frozen=True, slots=True)
class Length:
    """So many units: how long a minimum's period or a term is."""

    unit: Unit
    count: int = 1

    def holds(self, other: Length) -> int:
        """How many of the other it is; 0 where no whole number of them makes it up (a month has no number of days)."""
        for units in (_HALF_MONTHS, _DAYS):
            if self.unit in units and other.unit in units:
                times, rest = divmod(self.count * units[self.unit], other.count * units[other.unit])
                return 0 if rest else times
        return 0


@dataclass(frozen=True, slots=True)
class Cycle:
    """A repeating billing cycle of `count` units, with its boundaries counted from `anchor`.

    Boundary k is anchor + (skipped + k·count) units, always computed from the anchor, never from the last boundary,
    so months ends and leap days do not drift.
    """

    unit: Unit
    count: int
    anchor: date
    skipped: int = 0

    def __post_init__(self) -> None:
        if self.count < 1:
            raise Refusal("invalid_cycle", "a cycle counts at least one unit")

    def boundary(self, k: int) -> date:
        units = self.skipped + k * self.count
        if self.unit in _MONTHS:
            return add_months(self.anchor, units * _MONTHS[self.unit])
        if self.unit is Unit.HALF_MONTH:
            return _add_half_months(self.anchor, units)
        return self.anchor + timedelta(days=units * _DAYS[self.unit])

    def times(self, count: int, first: date) -> Cycle:
        """So many of its periods as one; the first of them begins with the period that `first` lies in."""
        return Cycle(self.unit, self.count * count, self.anchor, self.skipped + self.index_at(first) * self.count)

    def index_at(self, day: date) -> int:
        """The k with boundary(k) <= day < boundary(k + 1)."""
        if self.unit in _HALF_MONTHS:
            halves = ((day.year - self.anchor.year) * 12 + day.month - self.anchor.month) * 2
            k = (halves - self.skipped * _HALF_MONTHS[self.unit]) // (self.count * _HALF_MONTHS[self.unit])
        else:
            k = ((day - self.anchor).days - self.skipped * _DAYS[self.unit]) // (self.count * _DAYS[self.unit])
        while self.boundary(k) > day:
            k -= 1
        while self.boundary(k + 1) <= day:
            k += 1
        return k

    def period_at(self, day: date) -> Period:
        k = self.index_at(day)
        return Period(self.boundary(k), self.boundary(k + 1))

    def periods_from(self, day: date) -> Iterator[Period]:
        """Periods in order, beginning with the one that contains `day`; endless."""
        k = self.index_at(day)
        while True:
            yield Period(self.boundary(k), self.boundary(k + 1))
            k += 1
