"""How items lie in the table.

`<account>` / `item#<id>`: one each. While it waits it is on the agenda `due#<entity>#<shard>` under `bill_on`.
`<account>` / `items`: how often some were added.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from saldo.accounts.agenda import due_agenda
from saldo.kernel.exact import plain
from saldo.kernel.states import moved
from saldo.orders.model import MOVES, Item, ItemStatus, WaitingItem
from saldo.storage.claims import CLAIM
from saldo.storage.items import Item as Record
from saldo.storage.items import Key
from saldo.storage.units import Unit

PREFIX = "item#"
ITEMS = "items"


def item_key(account_id: str, item_id: str) -> Key:
    return account_id, PREFIX + item_id


def items_added_key(account_id: str) -> Key:
    return account_id, ITEMS


def add_item(unit: Unit, waiting: WaitingItem) -> Unit:
    """Have an item billed by the first run on or after its day. The unit does not hold when its id was there before."""
    item = waiting.item
    pk, sk = item_key(waiting.account_id, item.id)
    unit.count_once(items_added_key(waiting.account_id))
    return unit.insert(
        {
            "pk": pk,
            "sk": sk,
            "kind": "item",
            "account_id": waiting.account_id,
            "entity_id": waiting.entity_id,
            "names": item.names,
            "unit_price": plain(item.unit_price),
            "quantity": plain(item.quantity),
            "tax_category": item.tax_category,
            "revenue_tag": item.revenue_tag,
            "inclusive": item.inclusive,
            "purchase_order": item.purchase_order,
            "cost_centre": item.cost_centre,
            **({"price_per": item.price_per} if item.price_per != 1 else {}),
            **({"supplied_on": item.supplied_on.isoformat()} if item.supplied_on else {}),
            "bill_on": waiting.bill_on.isoformat(),
            "origin": waiting.origin,
            "status": waiting.status.value,
            "invoice_id": waiting.invoice_id,
            "agenda_pk": due_agenda(waiting.entity_id, waiting.account_id),
            "agenda_on": waiting.bill_on.isoformat(),
        }
    )


def waiting_item_from(record: Record) -> WaitingItem:
    item = Item(
        id=record["sk"].removeprefix(PREFIX),
        names=record["names"],
        unit_price=Decimal(record["unit_price"]),
        quantity=Decimal(record["quantity"]),
        tax_category=record["tax_category"],
        revenue_tag=record["revenue_tag"],
        inclusive=record["inclusive"],
        purchase_order=record["purchase_order"],
        cost_centre=record["cost_centre"],
        price_per=int(record.get("price_per", 1)),
        supplied_on=date.fromisoformat(record["supplied_on"]) if "supplied_on" in record else None,
    )
    return WaitingItem(
        account_id=record["account_id"],
        entity_id=record["entity_id"],
        item=item,
        bill_on=date.fromisoformat(record["bill_on"]),
        origin=record["origin"],
        status=ItemStatus(record["status"]),
        invoice_id=record["invoice_id"],
    )


def close_item(unit: Unit, waiting: WaitingItem, status: ItemStatus, *, invoice_id: str = "", **more: Any) -> Unit:
    """Bill or withdraw an item in this unit, which holds only while it waits and nobody has claimed it.

    `more`: attributes written besides.
    """
    moved(MOVES, waiting.status, status)
    return unit.update(
        item_key(waiting.account_id, waiting.item.id),
        set={"status": status.value, "invoice_id": invoice_id, **more},
        remove=("agenda_pk", "agenda_on"),
        when={"status": ItemStatus.WAITING.value, CLAIM: None},
    )
