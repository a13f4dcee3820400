"""What meters counted in a period, from totals as told or from events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from saldo.catalog.model import Capped, Commitment, Included, Matrix, PriceModel, Ramp
from saldo.invoicing.model import UsageDetail
from saldo.kernel.errors import Refusal
from saldo.kernel.exact import plus, total
from saldo.kernel.periods import Period
from saldo.quotes.model import QuotedMeter, Usage, UsageTotal
from saldo.usage.model import Aggregation, UsageEvent, UsageKey
from saldo.usage.rules import metered, weighted


def usage_of(usage: Usage, key: UsageKey, price: PriceModel, zone: str) -> tuple[Decimal, UsageDetail]:
    """The total of a meter for a subscription in a period, and what its price needs to know besides.

    Totals as told win over events; 0 where there is neither. zone: the account's, whose days the period counts.
    Refusal `usage_straddles_period` for a total over days inside and outside of the period.
    """
    dimensions = dimensions_of(price)
    told = [t for t in usage.totals if _concerns(t, key)]
    meter = usage.meters.get(key.meter_id)
    if told:
        return _of_totals(told, dimensions)
    if meter is None:
        return Decimal(0), UsageDetail(amounts=(), by_value={} if dimensions else None)
    return _of_events(usage.events, meter, key.period, zone, dimensions)


def dimensions_of(price: PriceModel) -> tuple[str, ...]:
    """The properties by which a price model tells usage apart; () where it does not."""
    if isinstance(price, Matrix):
        return price.dimensions
    if isinstance(price, Commitment | Capped):
        return dimensions_of(price.price)
    if isinstance(price, Included):
        return dimensions_of(price.overage)
    if isinstance(price, Ramp):
        return next((d for step in price.steps if (d := dimensions_of(step.price))), ())
    return ()


def _of_totals(told: Sequence[UsageTotal], dimensions: tuple[str, ...]) -> tuple[Decimal, UsageDetail]:
    amounts: list[Decimal] = []
    by_value: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    for one in told:
        amounts += one.amounts or ()
        values = tuple(one.properties.get(name, "") for name in dimensions)
        by_value[values] = plus(by_value[values], one.quantity)
    known = all(one.amounts is not None for one in told)
    before = total(one.before for one in told)
    detail = UsageDetail(before, tuple(amounts) if known else None, dict(by_value) if dimensions else None)
    return total(one.quantity for one in told), detail


def _of_events(
    events: Iterable[UsageEvent], quoted: QuotedMeter, period: Period, zone: str, dimensions: tuple[str, ...]
) -> tuple[Decimal, UsageDetail]:
    start, end = period.instants(zone)
    counted = sorted((e for e in events if e.at < end and _counts(quoted, e)), key=lambda e: e.at)
    groups: dict[tuple[str, ...], list[UsageEvent]] = defaultdict(list)
    for event in counted:
        groups[tuple(event.properties.get(name, "") for name in dimensions)].append(event)
    by_value = {values: _folded(quoted, group, period, zone) for values, group in groups.items()}
    amounts = tuple(event.value for event in counted if event.at >= start)
    quantity = total(by_value.values()) if dimensions else _folded(quoted, counted, period, zone)
    detail = UsageDetail(amounts=amounts, by_value={v: q for v, q in by_value.items() if q} if dimensions else None)
    return quantity, detail


def _counts(quoted: QuotedMeter, event: UsageEvent) -> bool:
    fits = all(event.properties.get(name) in values for name, values in quoted.filters.items())
    return fits and event.meter_id == quoted.counts


def _folded(quoted: QuotedMeter, events: Sequence[UsageEvent], period: Period, zone: str) -> Decimal:
    """What the meter makes of events that all count, of which some may be before the period."""
    start, end = period.instants(zone)
    before = [e for e in events if e.at < start] if quoted.carries else []
    inside = [e for e in events if e.at >= start]
    if quoted.meter.aggregation is Aggregation.WEIGHTED:
        return weighted([(e.at, e.value) for e in inside], start, end, total(e.value for e in before))
    opening = [replace(e, at=start) for e in before[-1:]]
    counted = [replace(e, meter_id=quoted.meter.id) for e in (*opening, *inside)]
    return metered(counted, quoted.meter, period, zone)


def _concerns(told: UsageTotal, key: UsageKey) -> bool:
    if told.meter_id != key.meter_id or told.subscription_id not in ("", key.subscription_id):
        return False
    if told.from_on is None or told.until_on is None:
        return True
    days = Period(told.from_on, told.until_on)
    common = days.overlap(key.period)
    if common is not None and common != days:
        raise Refusal(
            "usage_straddles_period",
            f"the total of {told.meter_id} for {days.as_text()} is not within one period ({key.period.as_text()})",
        )
    return common is not None
