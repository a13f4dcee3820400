"""Folds of usage events: what each meter counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from saldo.kernel.errors import Refusal
from saldo.kernel.exact import ZERO, plus, total
from saldo.kernel.money import round_exact
from saldo.kernel.periods import Period, local_date
from saldo.usage.model import Aggregation, Meter, UsageEvent

WEIGHTED_DIGITS = 12
_MICROSECOND = Fraction(1, 1_000_000)


def first_of_each(events: Iterable[UsageEvent]) -> list[UsageEvent]:
    """Events in the order they came, each (source, id) once: the first one counts."""
    seen: dict[tuple[str, str], UsageEvent] = {}
    for event in events:
        seen.setdefault((event.source, event.id), event)
    return list(seen.values())


def events_in(events: Iterable[UsageEvent], meter: Meter, period: Period, zone: str) -> list[UsageEvent]:
    """The meter's events that happened in the period of the zone; the instant of a boundary is in the later one."""
    start, end = period.instants(zone)
    return [e for e in events if e.meter_id == meter.id and start <= e.at < end]


def metered(events: Sequence[UsageEvent], meter: Meter, period: Period, zone: str) -> Decimal:
    """What the meter counted over the period: events of one account, other meters' and periods' ignored, each once.

    Exact, but for WEIGHTED, which is rounded half up to 12 digits so that it can be printed.
    """
    inside = first_of_each(events_in(events, meter, period, zone))
    if meter.aggregation is Aggregation.WEIGHTED:
        return weighted([(e.at, e.value) for e in inside], *period.instants(zone))
    return _FOLDS[meter.aggregation](inside, meter)


def _sum(events: Sequence[UsageEvent], _meter: Meter) -> Decimal:
    return total(e.value for e in events)


def _count(events: Sequence[UsageEvent], _meter: Meter) -> Decimal:
    return Decimal(len(events))


def _unique(events: Sequence[UsageEvent], meter: Meter) -> Decimal:
    """Events without the property are not counted."""
    return Decimal(len({e.properties[meter.unique_by] for e in events if meter.unique_by in e.properties}))


def _max(events: Sequence[UsageEvent], _meter: Meter) -> Decimal:
    return max((e.value for e in events), default=ZERO)


def _latest(events: Sequence[UsageEvent], _meter: Meter) -> Decimal:
    """The value of the last event; of several at one instant, the one whose source and id sort last."""
    return max(events, key=lambda e: (e.at, e.source, e.id)).value if events else ZERO


_FOLDS: Mapping[Aggregation, Callable[[Sequence[UsageEvent], Meter], Decimal]] = {
    Aggregation.SUM: _sum,
    Aggregation.COUNT: _count,
    Aggregation.UNIQUE: _unique,
    Aggregation.MAX: _max,
    Aggregation.LATEST: _latest,
}


def weighted(
    changes: Iterable[tuple[datetime, Decimal]], start: datetime, end: datetime, opening: Decimal = ZERO
) -> Decimal:
    """The level averaged over the time of `[start, end)`, when it opens at `opening` and changes as told.

    Rounded half up to 12 digits after the point.
    """
    area = Fraction(opening) * _seconds(start, end)
    for at, change in changes:
        area += Fraction(change) * _seconds(at, end)
    scaled = round_exact(area / _seconds(start, end) * 10**WEIGHTED_DIGITS)
    return Decimal(scaled).scaleb(-WEIGHTED_DIGITS)


def _seconds(start: datetime, end: datetime) -> Fraction:
    gone = end - start
    return gone.days * 86400 + gone.seconds + gone.microseconds * _MICROSECOND


def by_day(events: Iterable[UsageEvent], meter: Meter, zone: str) -> dict[date, Decimal]:
    """Totals per local day of a meter whose days add up (SUM or COUNT); events must be unique.

    Refusal `not_additive` for other meters: their days do not make up the period.
    """
    if meter.aggregation not in (Aggregation.SUM, Aggregation.COUNT):
        raise Refusal("not_additive", f"days of a {meter.aggregation} meter do not add up")
    days: dict[date, Decimal] = defaultdict(Decimal)
    for event in events:
        if event.meter_id == meter.id:
            day = local_date(event.at, zone)
            value = event.value if meter.aggregation is Aggregation.SUM else Decimal(1)
            days[day] = plus(days[day], value)
    return dict(days)


def total_of_days(days: Mapping[date, Decimal], period: Period) -> Decimal:
    """The total of a period from totals per day."""
    return total(value for day, value in days.items() if day in period)
