"""What a meter counted, event by event. Sources: USE-2, usage/README.md, docs/quote.md ("Usage")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from zoneinfo import ZoneInfo

from saldo.usage.model import Aggregation, Meter, UsageEvent
from tests.decade.oracle_calendar import DAY, midnight
from tests.decade.oracle_prices import Used, whole


def first_of_each(events: Sequence[UsageEvent]) -> list[UsageEvent]:
    """In the order of arrival; of one source and id the first counts."""
    seen: set[tuple[str, str]] = set()
    return [e for e in events if (key := (e.source, e.id)) not in seen and not seen.add(key)]  # type: ignore[func-returns-value]


def seconds(gone: datetime, to: datetime) -> Fraction:
    delta = to - gone
    return Fraction(delta.days * 86_400 + delta.seconds) + Fraction(delta.microseconds, 1_000_000)


def used_in(
    events: Sequence[UsageEvent],
    meter: Meter,
    days: tuple[date, date],
    zone: str,
    dimensions: tuple[str, ...],
    bounds: tuple[int, Fraction, Fraction | None, Fraction],
) -> Used:
    """What was used in the days `[start, end)` of the zone. bounds: what a price must know besides (`Used`): the
    cycle's number, the part of the period, what earlier cycles used, what is left of their allowances."""
    start, end = midnight(days[0], zone), midnight(days[1], zone)
    counted = [
        e
        for e in first_of_each(events)
        if e.at < end and (meter.carries or e.at >= start)
        if e.meter_id == meter.event_name and all(e.properties.get(k) in v for k, v in meter.filters.items())
    ]
    counted = [replace(e, value=as_billed(e.value, meter)) for e in counted]
    counted = sorted(counted, key=lambda e: (e.at, e.source, e.id))
    inside = [e for e in counted if e.at >= start]
    before = [e for e in counted if e.at < start] if meter.carries else []
    amounts = [Fraction(e.value) * Fraction(meter.factor) for e in inside]
    if not dimensions:
        return Used(of_full(read_off(inside, before, meter, days, zone), meter, bounds[1]), amounts, None, *bounds)
    groups: dict[tuple[str, ...], list[UsageEvent]] = {}
    for event in inside:
        groups.setdefault(tuple(event.properties.get(name, "") for name in dimensions), []).append(event)
    by_value = {v: of_full(read_off(group, [], meter, days, zone), meter, bounds[1]) for v, group in groups.items()}
    return Used(sum(by_value.values(), Fraction(0)), amounts, by_value, *bounds)


def of_full(shown: Fraction, meter: Meter, part: Fraction) -> Fraction:
    """What an average over the days comes to over the full period of which they are a part; to 12 digits, half up."""
    averages = meter.aggregation is Aggregation.WEIGHTED or meter.of_windows.value == "average"
    return Fraction(whole(shown * part * 10**12), 10**12) if averages and part != 1 else shown


def read_off(
    inside: Sequence[UsageEvent], before: Sequence[UsageEvent], meter: Meter, days: tuple[date, date], zone: str
) -> Fraction:
    """What the meter shows at the end of these days, in the unit and to the digits that it shows."""
    if meter.whole_days:
        shown = by_days(inside, sum((Fraction(e.value) for e in before), Fraction(0)), days, zone)
    elif meter.per is None:
        shown = folded(inside, before, meter, midnight(days[0], zone), midnight(days[1], zone))
    else:
        windows: dict[object, list[UsageEvent]] = {}
        for event in inside:
            clock = event.at.astimezone(ZoneInfo(zone))
            windows.setdefault(window_of(clock, meter.per.value), []).append(event)
        any_time = inside[0].at if inside else midnight(days[0], zone)
        numbers = [folded(some, [], meter, any_time, any_time) for some in windows.values()]
        if meter.of_windows.value != "sum":
            numbers += [Fraction(0)] * (windows_in(days, zone, meter.per.value) - len(numbers))
        shown = of_all(numbers, meter)
    shown *= Fraction(meter.factor)
    if meter.rounding is None:
        return shown
    return Fraction(whole(shown * 10**meter.digits, meter.rounding.value), 10**meter.digits)


def window_of(clock: datetime, per: str) -> str:
    """The name of the window on this clock."""
    by = {"hour": "%Y-%m-%d %H %z", "day": "%Y-%m-%d", "month": "%Y-%m"}
    return f"{clock:%Y-%m-%d %H %z} {clock.minute // 5}" if per == "5_minutes" else format(clock, by[per])


@lru_cache(maxsize=10_000)
def windows_in(days: tuple[date, date], zone: str, per: str) -> int:
    """How many windows these days have, by their names in steps that miss none, whatever a zone does to its clocks."""
    at, end, found = midnight(days[0], zone), midnight(days[1], zone), set[str]()
    while at < end:
        found.add(window_of(at.astimezone(ZoneInfo(zone)), per))
        at += timedelta(minutes={"5_minutes": 5, "hour": 15}.get(per, 60))
    return len(found)


def of_all(numbers: Sequence[Fraction], meter: Meter) -> Fraction:
    """What the numbers of all windows are together."""
    match meter.of_windows.value:
        case "max":
            return max(numbers)
        case "min":
            return min(numbers)
        case "average":
            return Fraction(whole(sum(numbers, Fraction(0)) / len(numbers) * 10**12), 10**12)
        case "percentile":
            return percentile(numbers, meter)
    return sum(numbers, Fraction(0))


def percentile(numbers: Sequence[Fraction], meter: Meter) -> Fraction:
    """From the highest on, those are left out of which more than so many percent are lower or as high."""
    left = sorted(numbers)
    while left and Fraction(len(left) - 1, len(numbers)) * 100 >= Fraction(meter.percentile):
        left.pop()
    return left[-1] if left else Fraction(0)


def as_billed(value: Decimal, meter: Meter) -> Decimal:
    """The least that an event counts, and what is beyond it in whole steps; away from zero, and nothing for nothing."""
    least, size = meter.least or Decimal(0), abs(value)
    beyond = max(size - least, Decimal(0))
    if meter.increment is not None:
        beyond = Decimal(int(-(-Fraction(beyond) // Fraction(meter.increment)))) * meter.increment
    return (least + beyond).copy_sign(value) if value else Decimal(0)


def by_days(inside: Sequence[UsageEvent], level: Fraction, days: tuple[date, date], zone: str) -> Fraction:
    """The level day by day: what rises counts on the day itself, what falls from the day after."""
    changes: dict[date, list[Fraction]] = {}
    for event in inside:
        changes.setdefault(event.at.astimezone(ZoneInfo(zone)).date(), []).append(Fraction(event.value))
    day, area = days[0], Fraction(0)
    while day < days[1]:
        today = changes.get(day, [])
        level += sum(v for v in today if v > 0)
        area += level
        level += sum(v for v in today if v < 0)
        day += DAY
    return Fraction(whole(area / (days[1] - days[0]).days * 10**12), 10**12)


def folded(
    inside: Sequence[UsageEvent], before: Sequence[UsageEvent], meter: Meter, start: datetime, end: datetime
) -> Fraction:
    values = [Fraction(e.value) for e in inside]
    level = [Fraction(e.value) for e in before[-1:]]
    match meter.aggregation:
        case Aggregation.SUM:
            return sum(values, Fraction(0))
        case Aggregation.COUNT:
            return Fraction(len(values))
        case Aggregation.UNIQUE:
            name = meter.unique_by
            return Fraction(len({e.properties[name] for e in inside if name in e.properties}))
        case Aggregation.MIN:
            return min(values, default=Fraction(0))
        case Aggregation.AVERAGE:
            return Fraction(whole(sum(values, Fraction(0)) / max(len(values), 1) * 10**12), 10**12)
        case Aggregation.PERCENTILE:
            return percentile(values, meter)
        case Aggregation.MAX:
            return max([*level, *values], default=Fraction(0))
        case Aggregation.LATEST:
            return [Fraction(0), *level, *values][-1]
        case Aggregation.WEIGHTED:
            return averaged(inside, sum((Fraction(e.value) for e in before), Fraction(0)), start, end)


def averaged(inside: Sequence[UsageEvent], level: Fraction, start: datetime, end: datetime) -> Fraction:
    """The level held from each change to the next, weighed by how long it was; to 12 digits, half up."""
    area, at = Fraction(0), start
    for event in inside:
        area += level * seconds(at, event.at)
        level, at = level + Fraction(event.value), event.at
    area += level * seconds(at, end)
    return Fraction(whole(area / seconds(start, end) * 10**12), 10**12)
