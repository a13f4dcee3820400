"""What became of an order: what was invoiced of each line, and what is still to come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from saldo.kernel.money import Money
from saldo.orders import records
from saldo.orders.model import ItemStatus, WaitingItem
from saldo.orders.model_contracts import Contract
from saldo.orders.model_orders import LineStatus, Order, OrderLine
from saldo.storage.store import Store
from saldo.subscriptions.model import Subscription
from saldo.subscriptions.records import subscription_from, subscription_key


@dataclass(frozen=True, slots=True)
class LineProgress:
    """One line, amounts net in minor units. ordered: per cycle where it recurs.

    invoiced and to_come add up to what was ordered; for what recurs invoiced is 0 and to_come one cycle: how far it is
    billed says `billed_through`, and `next_bill_on` when it is billed next. invoice_ids: where to look.
    """

    line: OrderLine
    ordered_minor: int
    invoiced_minor: int
    to_come_minor: int
    invoice_ids: tuple[str, ...] = ()
    billed_through: date | None = None
    next_bill_on: date | None = None


def progress_of(store: Store, order: Order) -> list[LineProgress]:
    """How far each line of an order is billed. `store` may be scoped to the account."""
    keys = [records.item_key(order.account_id, i) for line in order.lines for i in line.item_ids]
    keys += [subscription_key(order.account_id, line.subscription_id) for line in order.lines if line.subscription_id]
    found = store.get_many(keys, consistent=True)
    items = {sk: records.waiting_item_from(item) for (_, sk), item in found.items() if item["kind"] == "item"}
    running = {sk: subscription_from(item) for (_, sk), item in found.items() if item["kind"] == "subscription"}
    return [_progress(order, line, items, running) for line in order.lines]


def _progress(
    order: Order, line: OrderLine, items: Mapping[str, WaitingItem], running: Mapping[str, Subscription]
) -> LineProgress:
    ordered = line.agreed.amount_minor if line.agreed and line.status is not LineStatus.REFUSED else 0
    subscription = running.get(subscription_key("", line.subscription_id)[1])
    mine = [items[records.PREFIX + i] for i in line.item_ids if records.PREFIX + i in items]
    billed = [one for one in mine if one.status is ItemStatus.BILLED]
    invoiced = sum(_minor(one, order.currency) for one in billed)
    return LineProgress(
        line,
        ordered,
        invoiced,
        ordered - invoiced,
        tuple(sorted({one.invoice_id for one in billed})),
        subscription.billed_through if subscription else None,
        subscription.next_bill_on if subscription else None,
    )


def _minor(waiting: WaitingItem, currency: str) -> int:
    return Money.of_major(waiting.item.amount, currency).minor


def invoices_of(store: Store, contract: Contract) -> dict[str, str]:
    """Of each milestone that is billed, the invoice that it is on; money kept back comes on a later one."""
    keys = {m.id: records.item_key(contract.account_id, m.item_id) for m in contract.milestones if m.item_id}
    found = store.get_many(list(keys.values()), consistent=True)
    items = {milestone_id: records.waiting_item_from(found[key]) for milestone_id, key in keys.items() if key in found}
    return {milestone_id: one.invoice_id for milestone_id, one in items.items() if one.invoice_id}
