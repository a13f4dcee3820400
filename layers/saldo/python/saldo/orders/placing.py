"""Putting what was accepted where runs find it: subscriptions, items, and versions with prices of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from saldo.accounts.model import Account
from saldo.accounts.records import account_from
from saldo.audit.model import Actor
from saldo.catalog.model import PlanVersion
from saldo.catalog.records import plan_version_item
from saldo.catalog.service import PlanVersions
from saldo.kernel.errors import NotFound
from saldo.orders.model_orders import Order, OrderLine
from saldo.orders.records import add_item
from saldo.orders.rules_fulfilment import Placement, place, ready
from saldo.orders.rules_orders import changed
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.subscriptions.service import start_in

# A unit has at most 100 writes; the order itself, its guards and records take up to ten, a line up to four.
_FULL = 80


@dataclass(frozen=True, slots=True)
class Placing:
    """Who places what, when, for whom."""

    account: Account
    versions: Mapping[str, PlanVersion]
    actor: Actor
    at: datetime


def placing_for(store: Store, order: Order, actor: Actor, at: datetime) -> Placing:
    """The account and the plan versions of an order's matched lines. NotFound without them."""
    item = store.get(order.account_id, "account")
    if item is None:
        raise NotFound("no such account")
    wanted = {(order.entity_id, line.agreed.plan_version_id) for line in order.lines if line.agreed}
    found = PlanVersions(store).get_many(wanted)
    missing = sorted(name for _, name in wanted - found.keys())
    if missing:
        raise NotFound(f"no such plan version: {', '.join(missing)}")
    return Placing(account_from(item), {name: version for (_, name), version in found.items()}, actor, at)


def place_ready(unit: Unit, order: Order, placing: Placing) -> Order:
    """Place as many lines as need nothing more, and as the unit holds, in this unit; the order as it is then.

    Its version stays: the caller writes the order once, in the same unit.
    """
    placed: list[OrderLine] = []
    for line in order.lines:
        if ready(line) and len(unit.writes) < _FULL:
            assert line.agreed is not None
            started = line.asked.start_on or order.request.order_on
            on = started if line.agreed.recurring else order.request.order_on
            placement = place(order, line, placing.versions[line.agreed.plan_version_id], on)
            placed.append(add_placement(unit, placement, placing))
    return with_lines(order, placed, placing.at)


def with_lines(order: Order, lines: Iterable[OrderLine], at: datetime) -> Order:
    """The order with these lines, still as the same version."""
    some = list(lines)
    if not some:
        return order
    after = changed(order, some, at)
    return replace(after, version=order.version)


def add_placement(unit: Unit, placement: Placement, placing: Placing) -> OrderLine:
    for waiting in placement.items:
        add_item(unit, waiting)
    if placement.version is not None:
        unit.insert(plan_version_item(placing.account.entity_id, placement.version))
    if placement.subscription is not None and placement.sold is not None:
        start_in(unit, placement.subscription, placing.account, placement.sold, placing.actor, placing.at)
    return placement.line
