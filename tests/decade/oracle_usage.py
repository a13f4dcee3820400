"""What a meter counted, event by event. Sources: USE-2, usage/README.md, docs/quote.md ("Usage")."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from fractions import Fraction

from saldo.usage.model import Aggregation, Meter, UsageEvent
from tests.decade.oracle_calendar import midnight
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
    bounds: tuple[int, Fraction],
) -> Used:
    """What was used in the days `[start, end)` of the zone. bounds: the cycle's number, the part of the period."""
    start, end = midnight(days[0], zone), midnight(days[1], zone)
    counted = [
        e
        for e in first_of_each(events)
        if e.meter_id == meter.event_name and all(e.properties.get(k) in v for k, v in meter.filters.items())
    ]
    counted = sorted((e for e in counted if e.at < end), key=lambda e: (e.at, e.source, e.id))
    inside = [e for e in counted if e.at >= start]
    before = [e for e in counted if e.at < start] if meter.carries else []
    amounts = [Fraction(e.value) for e in inside]
    if not dimensions:
        return Used(folded(inside, before, meter, start, end), amounts, None, *bounds)
    groups: dict[tuple[str, ...], list[UsageEvent]] = {}
    for event in inside:
        groups.setdefault(tuple(event.properties.get(name, "") for name in dimensions), []).append(event)
    by_value = {values: folded(group, [], meter, start, end) for values, group in groups.items()}
    return Used(sum(by_value.values(), Fraction(0)), amounts, by_value, *bounds)


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
        case Aggregation.MAX:
            return max([*level, *values], default=Fraction(0))
        case Aggregation.LATEST:
            return [Fraction(0), *level, *values][-1]
        case Aggregation.WEIGHTED:
            return averaged(inside, sum((Fraction(e.value) for e in before), Fraction(0)), start, end)
        case other:
            raise AssertionError(f"no clerk counts by {other}")


def averaged(inside: Sequence[UsageEvent], level: Fraction, start: datetime, end: datetime) -> Fraction:
    """The level held from each change to the next, weighed by how long it was; to 12 digits, half up."""
    area, at = Fraction(0), start
    for event in inside:
        area += level * seconds(at, event.at)
        level, at = level + Fraction(event.value), event.at
    area += level * seconds(at, end)
    return Fraction(whole(area / seconds(start, end) * 10**12), 10**12)
