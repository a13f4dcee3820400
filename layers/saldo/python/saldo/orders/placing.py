"""Putting what was accepted where runs find it: subscriptions, items, and versions with prices of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from saldo.accounts.model import Account
from saldo.accounts.records import account_from
from saldo.audit.model import Actor
from saldo.catalog.model import PlanVersion
from saldo.catalog.records import plan_version_item
from saldo.catalog.service import PlanVersions
from saldo.kernel.errors import NotFound
from saldo.orders.facts import changed_by, running_of
from saldo.orders.model_orders import Order, OrderLine
from saldo.orders.records import add_item
from saldo.orders.rules_fulfilment import place, ready
from saldo.orders.rules_matching import Facts
from saldo.orders.rules_orders import changed
from saldo.orders.rules_running import Running
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.subscriptions.claims import MeterClaims
from saldo.subscriptions.service import change_in, start_in

# A unit has at most 100 writes; the order itself, its guards and records take up to ten, a line up to four.
_FULL = 80


@dataclass(frozen=True, slots=True)
class Placing:
    """Who places what, when, for whom. `claims`: which meters the account's subscriptions bill."""

    account: Account
    versions: Mapping[str, PlanVersion]
    running: Mapping[str, Running]
    actor: Actor
    at: datetime
    claims: MeterClaims


def placing_for(
    store: Store,
    order: Order,
    actor: Actor,
    at: datetime,
    facts: Facts | None = None,
    claims: MeterClaims | None = None,
) -> Placing:
    """The account, plan versions and subscriptions of an order's matched lines, read where `facts` has them not.

    NotFound without them.
    """
    account = facts.accounts[0] if facts else _account(store, order.account_id)
    running = facts.running if facts else running_of(store, order.account_id, changed_by(order.request))
    versions = {v.id: v for v in facts.assortment.versions} if facts else {}
    wanted = {line.agreed.plan_version_id for line in order.lines if line.agreed} - versions.keys()
    if wanted:
        found = PlanVersions(store).get_many((order.entity_id, name) for name in wanted)
        versions |= {name: version for (_, name), version in found.items()}
    missing = sorted(wanted - versions.keys())
    if missing:
        raise NotFound(f"no such plan version: {', '.join(missing)}")
    claims = claims or MeterClaims(store, account.id, account.entity_id)
    return Placing(account, versions, running, actor, at, claims)


def _account(store: Store, account_id: str) -> Account:
    item = store.get(account_id, "account")
    if item is None:
        raise NotFound("no such account")
    return account_from(item)


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
            placed.append(place_in(unit, order, line, on, placing))
    return with_lines(order, placed, placing.at)


def with_lines(order: Order, lines: Iterable[OrderLine], at: datetime) -> Order:
    """The order with these lines, still as the same version."""
    some = list(lines)
    if not some:
        return order
    after = changed(order, some, at)
    return replace(after, version=order.version)


def place_in(
    unit: Unit,
    order: Order,
    line: OrderLine,
    on: date,
    placing: Placing,
    delivered: Decimal | None = None,
    document: str = "",
) -> OrderLine:
    """Place a line in this unit, or as much of it as was delivered; the line as it then is."""
    assert line.agreed is not None, "an accepted line was matched"
    running = placing.running.get(line.asked.changes)
    version = placing.versions[line.agreed.plan_version_id]
    placement = place(order, line, version, on, delivered, document, running)
    for waiting in placement.items:
        add_item(unit, waiting)
    if placement.version is not None:
        unit.insert(plan_version_item(placing.account.entity_id, placement.version))
    if placement.subscription is not None and placement.sold is not None:
        sold = placement.subscription, placing.account, placement.sold
        start_in(unit, *sold, placing.actor, placing.at, placing.claims)
    if placement.change is not None and placement.sold is not None and running is not None:
        versions = {**running.versions, placement.sold.id: placement.sold}
        change_in(unit, running.subscription, placement.change, versions, placing.actor, placing.at, placing.claims)
    return placement.line
