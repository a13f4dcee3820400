"""What a charge of usage takes over from the cycles before it: where its price goes on, what is left of allowances.

No clock, no I/O. It is told by what was used in those cycles and by nothing else, so that it is the same whenever it is
asked, and a change told late moves it as it moves the charge.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from saldo.catalog.model import DayCount, Included
from saldo.invoicing.model import BillingCase, Charged, DueSubscription
from saldo.kernel.errors import Refusal
from saldo.kernel.exact import ZERO, total
from saldo.rating.model import Ask, Share
from saldo.rating.rules.included import rolled_over
from saldo.rating.rules.proration import WHOLE, share_of
from saldo.subscriptions.model import EarlierCycle
from saldo.subscriptions.rules import cycle_of, earlier_cycles
from saldo.usage.model import NO_DETAIL, Counted, UsageKey
from saldo.usage.rules import Asking, LookedBack, of_full_period


class TakenOver(NamedTuple):
    """`before`: what was used in earlier cycles of the same price; None where it begins with this one. `rolled`: what
    is left of their allowances."""

    before: Decimal | None = None
    rolled: Decimal = ZERO


NOTHING = TakenOver()


def usage_asked(item: DueSubscription) -> Iterator[tuple[UsageKey, Asking]]:
    """The totals that a BillingCase must hold of a subscription: those that are charged, each with its price, and those
    of earlier cycles on which they depend."""
    for charged in item.metered:
        key = charged.usage_key
        yield key, charged.component.price
        back = LookedBack(charged.component.price)
        yield from ((key._replace(period=one.days), back) for one in _earlier(item, charged))


def taken_over(case: BillingCase, item: DueSubscription, charged: Charged, zone: str) -> TakenOver:
    """What a charge takes over. Refusal `usage_total_missing` where a total is not there."""
    component = charged.component
    if not component.looks_back:
        return NOTHING
    asks = list(_asks(case, item, charged, zone))
    if component.cumulates is not None:
        return TakenOver(before=total(ask.quantity for ask in asks) if asks else None)
    assert isinstance(component.price, Included), "only an allowance is left over"
    return TakenOver(rolled=rolled_over(component.price, asks))


def _asks(case: BillingCase, item: DueSubscription, charged: Charged, zone: str) -> Iterator[Ask]:
    """The earlier cycles as they were priced, oldest first."""
    component = charged.component
    for one in _earlier(item, charged):
        key = charged.usage_key._replace(period=one.days)
        used = case.usage.get(key)
        if used is None:
            raise Refusal("usage_total_missing", f"no total of {component.meter_id} for {one.days.as_text()}")
        prorated = component.prorate and component.cumulates is None
        part = _part_of(one, charged.version.day_count, zone) if prorated else WHOLE
        yield usage_ask(Counted(max(used, ZERO), case.details.get(key, NO_DETAIL)), part)


def usage_ask(found: Counted, part: Share, cycle: int = 0, rolled: Decimal = ZERO) -> Ask:
    """What a price is asked for usage as its meter counted it, over a part of the full period."""
    quantity, detail = of_full_period(found, part.days, part.of)
    return Ask(quantity, cycle, part.days, part.of, detail.amounts, detail.by_value, rolled)


def _part_of(one: EarlierCycle, day_count: DayCount, zone: str) -> Share:
    return Share(*one.share) if one.share else share_of(one.days, one.full, day_count, zone)


def _earlier(item: DueSubscription, charged: Charged) -> tuple[EarlierCycle, ...]:
    if charged.change is not None:
        return charged.change.earlier
    if not charged.component.looks_back:
        return ()
    cycle = cycle_of(item.subscription, charged.version)
    since = item.subscription.billed_from
    return earlier_cycles(charged.component, charged.version, cycle, since, charged.period.full)
