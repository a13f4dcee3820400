"""Folds of usage events: what each meter counted. The one place where events become numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from saldo.catalog.model import Matrix, Percentage, PriceModel, prices_within
from saldo.kernel.errors import Refusal
from saldo.kernel.exact import ONE, ZERO, minus, part_of, plus, rounded_to, times, total, whole_division
from saldo.kernel.numbers import fits
from saldo.kernel.periods import Period, local_date, offsets, whole_seconds, zone_named
from saldo.usage.model import (
    LEVELS,
    NO_NEEDS,
    SUBSCRIPTION,
    Aggregation,
    Counted,
    CountWindow,
    Meter,
    Needs,
    OfWindows,
    Repeats,
    UsageDetail,
    UsageEvent,
    UsageKey,
)

WEIGHTED_DIGITS = 12
PERCENTILE_DIGITS = 6  # so that an engine finds the rank in whole numbers of its own
_MICROSECOND = Fraction(1, 1_000_000)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_INCREMENT = Decimal(10) ** 24


def needs_of(price: PriceModel) -> Needs:
    """What a price model needs to know besides the total."""
    if isinstance(price, Matrix):
        return Needs(price.dimensions)
    if isinstance(price, Percentage):
        return Needs((), price.by_event)
    found = [needs_of(within) for within in prices_within(price).values()]
    dimensions: tuple[str, ...] = next((n.dimensions for n in found if n.dimensions), ())
    return Needs(dimensions, any(n.amounts for n in found))


@dataclass(frozen=True, slots=True)
class LookedBack:
    """Usage is not charged, but a later cycle's price looks back at it, and has it counted as it was charged."""

    price: PriceModel


Asking = PriceModel | LookedBack


def needs_of_all(prices: Iterable[Asking]) -> Needs:
    """What several prices of the same usage need together, as when a charge is taken back and made on other terms.

    Refusal `dimensions_differ` where they tell usage apart by different properties.
    """
    found = [needs_of(asking.price if isinstance(asking, LookedBack) else asking) for asking in prices]
    dimensions = {n.dimensions for n in found if n.dimensions}
    if len(dimensions) > 1:
        raise Refusal("dimensions_differ", f"usage would have to be told apart by {sorted(dimensions)} at once")
    return Needs(next(iter(dimensions), ()), any(n.amounts for n in found))


def prices_by_key(asked: Iterable[tuple[UsageKey, Asking]]) -> dict[UsageKey, list[Asking]]:
    """What is asked for, each once, with all prices that ask for it."""
    prices: dict[UsageKey, list[Asking]] = {}
    for key, price in asked:
        prices.setdefault(key, []).append(price)
    return prices


def is_charged(asking: Iterable[Asking]) -> bool:
    """Whether usage is asked for to be charged, and not only to be looked back at."""
    return any(not isinstance(one, LookedBack) for one in asking)


def faults_of(meter: Meter) -> Iterator[tuple[str, str, str]]:
    """What of a meter's way of counting does not go together: field, code and reason of each fault."""
    if meter.carries and meter.aggregation not in LEVELS:
        yield "carries", "not_a_level", "only a level goes on from period to period"
    if meter.per is not None and (meter.carries or meter.aggregation is Aggregation.WEIGHTED):
        yield "per", "no_windows", "a level that goes on is not counted window by window"
    if meter.per is None and meter.of_windows is not OfWindows.SUM:
        yield "of_windows", "no_windows", "there are no windows without `per`"
    if meter.takes_percentile and not (0 < meter.percentile <= 100 and _digits(meter.percentile) <= PERCENTILE_DIGITS):
        why = f"must be above 0 and at most 100, with at most {PERCENTILE_DIGITS} digits after the point"
        yield "percentile", "not_a_percentile", why
    if meter.percentile and not meter.takes_percentile:
        yield "percentile", "not_expected", "only a percentile of events or of windows has one"
    for name, size in (("increment", meter.increment), ("least", meter.least)):
        if size is not None and not 0 < size < _MOST_INCREMENT:
            yield name, "not_above_zero", f"must be above zero and below {_MOST_INCREMENT}"
        if size is not None and _digits(size) > WEIGHTED_DIGITS:
            yield name, "too_fine", f"must have at most {WEIGHTED_DIGITS} digits after the point"
    if meter.whole_days and meter.aggregation is not Aggregation.WEIGHTED:
        yield "whole_days", "not_weighted", "only a weighted meter counts days"
    if meter.by_subscription and SUBSCRIPTION in meter.filters:
        yield "filters", "not_a_filter", f"a meter that counts by subscription tells {SUBSCRIPTION!r} apart by itself"
    if not 0 <= meter.digits <= WEIGHTED_DIGITS:
        yield "digits", "out_of_range", f"must be from 0 to {WEIGHTED_DIGITS}"
    if not fits(meter.factor) or meter.factor <= 0:
        yield "factor", "not_above_zero", "must be a number above zero"


def _digits(number: Decimal) -> int:
    """After the point."""
    return -int(number.as_tuple().exponent)


def first_of_each(events: Iterable[UsageEvent]) -> list[UsageEvent]:
    """Events in the order they came, each (source, id) once: the first one counts."""
    seen: dict[tuple[str, str], UsageEvent] = {}
    for event in events:
        seen.setdefault((event.source, event.id), event)
    return list(seen.values())


def last_of_each(events: Iterable[UsageEvent]) -> list[UsageEvent]:
    """The same, where the last one counts, in the place at which it came."""
    return first_of_each(list(events)[::-1])[::-1]


def counts(meter: Meter, event: UsageEvent) -> bool:
    """Whether the meter counts this event, whenever it happened."""
    if event.meter_id != meter.event_name:
        return False
    return all(event.properties.get(name) in values for name, values in meter.filters.items())


def events_of(events: Iterable[UsageEvent], meter: Meter) -> list[UsageEvent]:
    """The events that the meter counts, each (source, id) once, in the order they came.

    A corrected event is taken for what it says last before filters look at it.
    """
    named = [e for e in events if e.meter_id == meter.event_name]
    once = last_of_each(named) if meter.repeats is Repeats.LAST else first_of_each(named)
    found = [e for e in once if counts(meter, e)] if meter.filters else once
    if meter.increment is None and meter.least is None:
        return found
    return [replace(e, value=_as_counted(e.value, meter)) for e in found]


def _as_counted(value: Decimal, meter: Meter) -> Decimal:
    """An event's value, away from zero to the meter's least and then by its whole increments: what is taken back takes
    back as much as was counted. Nothing stays nothing."""
    size, least = value.copy_abs(), meter.least or ZERO
    if size <= least:
        return least.copy_sign(value) if size else ZERO
    return plus(least, _in_increments(minus(size, least), meter.increment)).copy_sign(value)


def _in_increments(size: Decimal, step: Decimal | None) -> Decimal:
    if step is None:
        return size
    whole, rest = whole_division(size, step)
    return times(plus(whole, ONE) if rest else whole, step)


def metered(events: Iterable[UsageEvent], meter: Meter, period: Period, zone: str) -> Decimal:
    """What the meter counted over the period; see `counted`."""
    return counted(events, meter, period, zone).quantity


def counted(events: Iterable[UsageEvent], meter: Meter, period: Period, zone: str, needs: Needs = NO_NEEDS) -> Counted:
    """What the meter counted over the period's days in the zone: events of one account in the order they came.

    Others' events and those of other periods are ignored, but for a meter that carries its level: it needs all from
    before the period. The instant of a boundary is in the later period. With dimensions the total is the sum of their
    parts. Exact, but for WEIGHTED and AVERAGE, which are rounded half up to 12 digits so that they can be printed.
    """
    start, end = period.instants(zone)
    inside = sorted(
        (e for e in events_of(events, meter) if e.at < end and (meter.carries or e.at >= start)), key=lambda e: e.at
    )
    amounts = tuple(times(e.value, meter.factor) for e in inside if e.at >= start) if needs.amounts else None
    if not needs.dimensions:
        return Counted(_folded(meter, inside, period, zone), UsageDetail(amounts=amounts, level=meter.averages))
    groups: dict[tuple[str, ...], list[UsageEvent]] = defaultdict(list)
    for event in inside:
        groups[tuple(event.properties.get(name, "") for name in needs.dimensions)].append(event)
    parts = {values: _folded(meter, group, period, zone) for values, group in groups.items()}
    by_value = {values: quantity for values, quantity in parts.items() if quantity}
    return Counted(total(by_value.values()), UsageDetail(amounts=amounts, by_value=by_value, level=meter.averages))


def of_full_period(found: Counted, days: int, of: int) -> Counted:
    """What is priced of what a meter counted in so many of the days of a full period: a level is averaged over all of
    them, so that the parts of a period make up the whole; the rest is what it is."""
    if not found.detail.level or days == of:
        return found
    parts = found.detail.by_value
    if parts is None:
        return found._replace(quantity=part_of(found.quantity, days, of))
    by_value = {values: part_of(quantity, days, of) for values, quantity in parts.items()}
    return Counted(total(by_value.values()), replace(found.detail, by_value=by_value))


def _folded(meter: Meter, events: Sequence[UsageEvent], period: Period, zone: str) -> Decimal:
    """What the meter makes of events in the order of time that all count, of which some may be before the start."""
    start, end = period.instants(zone)
    before = [e for e in events if e.at < start] if meter.carries else []
    inside = events[len(before) :]
    if meter.aggregation is Aggregation.WEIGHTED:
        opening = total(e.value for e in before)
        if meter.whole_days:
            number = weighted_by_days([(local_date(e.at, zone), e.value) for e in inside], period, opening)
        else:
            number = weighted([(e.at, e.value) for e in inside], start, end, opening)
    elif meter.per is not None:
        windows: dict[object, list[UsageEvent]] = defaultdict(list)
        for event in inside:
            windows[_window(meter.per, event.at, zone)].append(event)
        numbers = [_FOLDS[meter.aggregation](found, meter) for found in windows.values()]
        number = across(meter, numbers, period, zone)
    else:
        number = _FOLDS[meter.aggregation]([*before[-1:], *inside], meter)
    return converted(number, meter)


def across(meter: Meter, numbers: Sequence[Decimal], period: Period, zone: str) -> Decimal:
    """What the numbers of the windows in which something happened come to, over all windows of the period."""
    if meter.of_windows is OfWindows.SUM:
        return total(numbers)
    assert meter.per is not None, "a meter without windows makes nothing of them"
    empty = windows_in(meter.per, period, zone) - len(numbers)
    if meter.of_windows is OfWindows.AVERAGE:
        return _to_print(Fraction(total(numbers)) / (len(numbers) + empty))
    if meter.of_windows is OfWindows.PERCENTILE:
        return percentile([*numbers, *[ZERO] * empty], meter.percentile)
    return (max if meter.of_windows is OfWindows.MAX else min)([*numbers, *[ZERO] * (empty > 0)])


def percentile(values: Sequence[Decimal], percent: Decimal) -> Decimal:
    """The least of the values that so many percent of them are not above (nearest rank, as carriers bill bandwidth:
    of 20 samples the 95th is the second highest); 0 for none."""
    return sorted(values)[rank(len(values), percent) - 1] if values else ZERO


def rank(count: int, percent: Decimal) -> int:
    """Which of so many values in order, counted from 1, is the one of that percent."""
    return -(-count * Fraction(percent) // 100)


_SECONDS_OF = {CountWindow.FIVE_MINUTES: 300, CountWindow.HOUR: 3600}


def windows_in(per: CountWindow, period: Period, zone: str) -> int:
    """How many such windows of the zone's clock or calendar a period has; an hour that clocks repeat is two."""
    if per is CountWindow.DAY:
        return period.days
    if per is CountWindow.MONTH:
        last = period.end - timedelta(days=1)
        return (last.year - period.start.year) * 12 + last.month - period.start.month + 1
    start, end = period.instants(zone)
    changes = offsets(start, end, zone)
    ends = [at for at, _ in changes[1:]] + [end]
    size, found = _SECONDS_OF[per], 0
    for (at, ahead), until in zip(changes, ends, strict=True):
        begins, stops = whole_seconds(_EPOCH, at + ahead), whole_seconds(_EPOCH, until + ahead)
        found += -(-stops // size) - begins // size
    return found


def converted(number: Decimal, meter: Meter) -> Decimal:
    """A number that was folded in the meter's own unit, rounded as it says."""
    return rounded(times(number, meter.factor), meter)


def rounded(number: Decimal, meter: Meter) -> Decimal:
    """A number in the meter's unit as the meter rounds; as it is where it does not."""
    return number if meter.rounding is None else rounded_to(meter.digits, number, meter.rounding)


def _window(per: CountWindow, at: datetime, zone: str) -> object:
    """What tells a window from the others; an hour that clocks repeat is two."""
    local = at.astimezone(zone_named(zone))
    day = local.date()
    if per in _SECONDS_OF:
        return day, (local.hour * 3600 + local.minute * 60) // _SECONDS_OF[per], local.utcoffset()
    return day if per is CountWindow.DAY else (day.year, day.month)


def _sum(events: Sequence[UsageEvent], _meter: Meter) -> Decimal:
    return total(e.value for e in events)


def _count(events: Sequence[UsageEvent], _meter: Meter) -> Decimal:
    return Decimal(len(events))


def _unique(events: Sequence[UsageEvent], meter: Meter) -> Decimal:
    """Events without the property are not counted."""
    return Decimal(len({e.properties[meter.unique_by] for e in events if meter.unique_by in e.properties}))


def _max(events: Sequence[UsageEvent], _meter: Meter) -> Decimal:
    return max((e.value for e in events), default=ZERO)


def _min(events: Sequence[UsageEvent], _meter: Meter) -> Decimal:
    return min((e.value for e in events), default=ZERO)


def _average(events: Sequence[UsageEvent], _meter: Meter) -> Decimal:
    """Of the values, whenever they came; 0 for none."""
    if not events:
        return ZERO
    return _to_print(Fraction(total(e.value for e in events)) / len(events))


def _latest(events: Sequence[UsageEvent], _meter: Meter) -> Decimal:
    """The value of the last event; of several at one instant, the one whose source and id sort last."""
    return max(events, key=lambda e: (e.at, e.source, e.id)).value if events else ZERO


def _percentile(events: Sequence[UsageEvent], meter: Meter) -> Decimal:
    return percentile([e.value for e in events], meter.percentile)


_FOLDS: Mapping[Aggregation, Callable[[Sequence[UsageEvent], Meter], Decimal]] = {
    Aggregation.SUM: _sum,
    Aggregation.COUNT: _count,
    Aggregation.UNIQUE: _unique,
    Aggregation.MAX: _max,
    Aggregation.MIN: _min,
    Aggregation.AVERAGE: _average,
    Aggregation.LATEST: _latest,
    Aggregation.PERCENTILE: _percentile,
}


def weighted(
    changes: Iterable[tuple[datetime, Decimal]], start: datetime, end: datetime, opening: Decimal = ZERO
) -> Decimal:
    """The level averaged over the time of `[start, end)`, when it opens at `opening` and changes as told.

    Rounded half up to 12 digits after the point.
    """
    area = Fraction(opening) * seconds(start, end)
    for at, change in changes:
        area += Fraction(change) * seconds(at, end)
    return averaged(area, start, end)


def averaged(area: Fraction, start: datetime, end: datetime) -> Decimal:
    """A level's value times seconds as its average over `[start, end)`: half up to 12 digits after the point."""
    return _to_print(area / seconds(start, end))


def weighted_by_days(changes: Iterable[tuple[date, Decimal]], period: Period, opening: Decimal = ZERO) -> Decimal:
    """The same over days, of which each that is begun counts whole: a rise from its day on, a fall from the next."""
    area = Fraction(opening) * period.days
    for on, change in changes:
        since = on if change > 0 else on + timedelta(days=1)
        area += Fraction(change) * (period.end - since).days
    return averaged_by_days(area, period)


def averaged_by_days(area: Fraction, period: Period) -> Decimal:
    """A level's value times days as its average over a period's days: half up to 12 digits after the point."""
    return _to_print(area / period.days)


def _to_print(number: Fraction) -> Decimal:
    return rounded_to(WEIGHTED_DIGITS, number)


def seconds(start: datetime, end: datetime) -> Fraction:
    """Seconds between two instants, to the microsecond."""
    gone = end - start
    return gone.days * 86400 + gone.seconds + gone.microseconds * _MICROSECOND
