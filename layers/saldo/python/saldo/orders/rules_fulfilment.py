"""What bills an accepted line: a subscription for what recurs, items for what is delivered once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from saldo.catalog.model import BillingTrigger, Component, PerUnit, PlanVersion
from saldo.kernel.exact import ONE, minus, plus, times
from saldo.kernel.ids import fingerprint
from saldo.kernel.money import Money, minor_digits, round_exact, split_by_weights
from saldo.orders.model import Item, WaitingItem
from saldo.orders.model_orders import Agreed, LineStatus, Order, OrderLine, line_moved
from saldo.orders.rules_prices import list_minor, negotiated_version, priced_components, quantities_of
from saldo.orders.rules_running import Running, ordered_change
from saldo.subscriptions.model import Change, Subscription


@dataclass(frozen=True, slots=True)
class Placement:
    """What one line turns into. `version`: to be published with it, when its price is its own."""

    line: OrderLine
    items: tuple[WaitingItem, ...] = ()
    subscription: Subscription | None = None
    change: Change | None = None
    sold: PlanVersion | None = None
    version: PlanVersion | None = None


def ready(line: OrderLine) -> bool:
    """Whether nothing is waited for any more: the order alone makes it billable."""
    at_once = line.agreed is not None and line.agreed.trigger is BillingTrigger.ORDER
    return at_once and line.status is LineStatus.ACCEPTED


def place(
    order: Order,
    line: OrderLine,
    version: PlanVersion,
    on: date,
    delivered: Decimal | None = None,
    document: str = "",
    running: Running | None = None,
) -> Placement:
    """A line whose trigger came `on` a day, for all of it or for the quantity `delivered`.

    version: the one it was matched with. running: the subscription that the line changes. Parts of a line add up to the
    whole of it to the cent.
    """
    agreed = line.agreed
    assert agreed is not None, "an accepted line was matched"
    if agreed.recurring:
        return _subscribed(order, line, agreed, version, on, document, running)
    part = minus(line.asked.quantity, line.delivered) if delivered is None else delivered
    done = plus(line.delivered, part)
    items = tuple(_items(order, line, agreed, version, (line.delivered, done), on, on if document else None))
    status = line_moved(line, LineStatus.FULFILLED) if done == line.asked.quantity else line.status
    placed = replace(
        line,
        status=status,
        delivered=done,
        item_ids=(*line.item_ids, *(i.item.id for i in items)),
        documents=(*line.documents, *([document] if document else [])),
    )
    return Placement(placed, items=items)


def _subscribed(
    order: Order,
    line: OrderLine,
    agreed: Agreed,
    version: PlanVersion,
    on: date,
    document: str,
    running: Running | None,
) -> Placement:
    own = None
    if agreed.negotiated and agreed.unit_price is not None:
        own = negotiated_version(version, f"{order.id}-{line.asked.number}", agreed.unit_price)
    sold = own or version
    placed = replace(
        line,
        status=line_moved(line, LineStatus.FULFILLED),
        delivered=line.asked.quantity,
        subscription_id=line.asked.changes or f"sub_{fingerprint(order.id, line.asked.number)}",
        documents=(*line.documents, *([document] if document else [])),
    )
    if running is not None:
        change_id = f"order-{order.id}-{line.asked.number}"
        change = ordered_change(change_id, sold, running, line.asked.quantity, on)
        return Placement(placed, change=change, sold=sold, version=own)
    subscription = Subscription(
        id=placed.subscription_id,
        account_id=order.account_id,
        entity_id=order.entity_id,
        plan_version_id=sold.id,
        started_on=on,
        anchor_on=on,
        quantities=quantities_of(sold, line.asked.quantity),
        purchase_order=order.request.purchase_order,
        cost_centre=order.request.cost_centre,
    )
    return Placement(placed, subscription=subscription, sold=sold, version=own)


def _items(
    order: Order,
    line: OrderLine,
    agreed: Agreed,
    version: PlanVersion,
    span: tuple[Decimal, Decimal],
    on: date,
    delivered_on: date | None,
) -> list[WaitingItem]:
    """One item per priced component of the plan, for the quantity between the two of `span`, billed from `on`."""
    components = priced_components(version)
    wholes = _component_amounts(agreed, version, components, line.asked.quantity)
    found = []
    for component, whole in zip(components, wholes, strict=True):
        before, after = (
            round_exact(Fraction(whole) * Fraction(bound) / Fraction(line.asked.quantity)) for bound in span
        )
        quantity, price = _as_priced(agreed, component, minus(span[1], span[0]), after - before, order.currency)
        name = f"-{component.id}" if len(components) > 1 else ""
        nth = len({i.rsplit("#", 1)[-1] for i in line.item_ids}) + 1
        item = Item(
            f"order-{order.id}-{line.asked.number}{name}#{nth}",
            component.names,
            price,
            quantity,
            component.tax_category,
            component.revenue_tag,
            component.tax_inclusive,
            order.request.purchase_order,
            order.request.cost_centre,
            supplied_on=delivered_on,
        )
        found.append(WaitingItem(order.account_id, order.entity_id, item, on, origin=f"order {order.id}"))
    return found


def _component_amounts(
    agreed: Agreed, version: PlanVersion, components: Sequence[Component], quantity: Decimal
) -> list[int]:
    """Minor units of each component; together what was agreed, also where that is not the list's."""
    listed = [list_minor(replace(version, components=(c,)), quantity) for c in components]
    if sum(listed) == agreed.amount_minor or len(listed) == 1 or not any(listed):
        return listed if sum(listed) == agreed.amount_minor else [agreed.amount_minor, *[0] * (len(listed) - 1)]
    return [m.minor for m in split_by_weights(Money(agreed.amount_minor, version.currency), listed)]


def _as_priced(
    agreed: Agreed, component: Component, quantity: Decimal, minor: int, currency: str
) -> tuple[Decimal, Decimal]:
    """Quantity and unit price that come to exactly this amount: as agreed where they do, else one of the amount."""
    unit = agreed.unit_price
    if unit is None and isinstance(component.price, PerUnit):
        unit = component.price.unit_price
    exact = Fraction(times(unit, quantity)) * 10 ** minor_digits(currency) if unit is not None else None
    if unit is not None and exact is not None and round_exact(exact) == minor:
        return quantity, unit
    return ONE, Money(minor, currency).as_decimal()
