"""Usage of a quote's document: meters, totals and events."""

from __future__ import annotations

from datetime import date

from saldo.kernel.exact import ONE, ZERO, total
from saldo.kernel.reading import Fields
from saldo.quotes.model import Usage, UsageTotal
from saldo.usage.codec import meter_from
from saldo.usage.model import SUBSCRIPTION, Repeats, UsageEvent
from saldo.usage.rules import counts


def usage_from(fields: Fields, account_id: str) -> Usage:
    """What was used. Events are counted by the meters named here; totals need none."""
    repeats = fields.choice("duplicates", Repeats, Repeats.FIRST)
    meters = [meter_from(child, "ent_quote", repeats) for child in fields.maybe_children("meters")]
    told = [_event(child, n, account_id) for n, child in enumerate(fields.maybe_children("events"), 1)]
    events = [event for event, _ in told]
    usage = Usage(
        totals=tuple(_total(child) for child in fields.maybe_children("totals")),
        events=tuple(event for event, came_on in told if came_on is None),
        meters={meter.id: meter for meter in meters},
        late=tuple((came_on, event) for event, came_on in told if came_on is not None),
    )
    counted, seen = {meter.event_name for meter in meters}, set[str]()
    for n, meter in enumerate(meters):
        if meter.id in seen:
            fields.problems.add(f"{fields.at('meters')}[{n}].id", "not_unique", f"{meter.id!r} is there twice")
        seen.add(meter.id)
    for n, event in enumerate(events):
        if event.meter_id and event.meter_id not in counted:
            where = f"{fields.at('events')}[{n}].meter_id"
            fields.problems.add(where, "unknown_meter", f"{event.meter_id!r} is not among the meters")
        apart = [m.id for m in meters if m.by_subscription and counts(m, event)]
        if apart and SUBSCRIPTION not in event.properties:
            where = f"{fields.at('events')}[{n}].properties.{SUBSCRIPTION}"
            fields.problems.add(where, "missing_subscription", f"{apart[0]} counts by subscription")
    fields.finish()
    return usage


def _total(fields: Fields) -> UsageTotal:
    fields.one_of("quantity", "amounts")
    amounts = fields.decimal_list("amounts") if fields.has("amounts") else None
    told = UsageTotal(
        subscription_id=fields.text("subscription", ""),
        meter_id=fields.text("meter_id"),
        quantity=fields.decimal("quantity") if amounts is None else total(amounts),
        from_on=fields.maybe_day("from"),
        until_on=fields.maybe_day("until"),
        before=fields.decimal("before", ZERO),
        amounts=amounts,
        properties=fields.texts("properties"),
    )
    if told.before < 0:
        fields.problems.add(fields.at("before"), "negative", "must be zero or more")
    if (told.from_on is None) != (told.until_on is None):
        fields.problems.add(fields.at("until"), "half_a_period", "`from` and `until` go together")
    elif told.from_on is not None and told.until_on is not None and told.until_on <= told.from_on:
        fields.problems.add(fields.at("until"), "empty_period", "must be after `from`")
    fields.finish()
    return told


def _event(fields: Fields, n: int, account_id: str) -> tuple[UsageEvent, date | None]:
    """An event, and the day on which it came where it is told."""
    event = UsageEvent(
        source=fields.text("source", "quote"),
        id=fields.text("id", f"event {n}"),
        account_id=account_id,
        meter_id=fields.text("meter_id"),
        at=fields.instant("at"),
        value=fields.decimal("value", ONE),
        properties=fields.texts("properties"),
    )
    came_on = fields.maybe_day("came_on")
    fields.finish()
    return event, came_on
