"""How orders lie in the table.

`<account>` / `order#<id>`: one each, lines inside; `<entity>` / `order#<id>` while its customer is not known. On the
agenda
`orders#<entity>` by day of order. `<entity>` / `order_owner#<id>`: whose it is.
`<entity>` / `discrepancy#<id>`: one per order that waits for a person.
`<entity>` / `guard#purchase_order#<print>`: which lines of a party's purchase order came, for ever.
`<entity>` / `guard#order_key#<print>`: a delivery (an API key, an EDI control number) and what became of it, for ever.
`<entity>` / `guard#order_file#<print>`: a file that was imported, with its report.
`<account>` / `ordering`: who orders, what was ordered, limits. `<entity>` / `reference#<print>`: whom a reference
names.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from saldo.catalog.model import BillingTrigger
from saldo.kernel.clock import instant_from, instant_text
from saldo.kernel.exact import plain
from saldo.kernel.ids import fingerprint
from saldo.orders.model_orders import (
    Agreed,
    Approval,
    Channel,
    Code,
    Discrepancy,
    LineStatus,
    Order,
    Ordering,
    OrderLine,
    OrderRequest,
    OrderStatus,
    OrderStatusChange,
    RecentOrder,
    Reference,
    ReferenceKind,
    RequestedLine,
)
from saldo.storage.items import Item, Key

PREFIX = "order#"
DISCREPANCY_PREFIX = "discrepancy#"
ORDERING = "ordering"


def order_key(owner: str, order_id: str) -> Key:
    return owner, PREFIX + order_id


def orders_agenda(entity_id: str) -> str:
    """The agenda partition of a seller's orders, by day of order."""
    return f"orders#{entity_id}"


def discrepancy_key(entity_id: str, order_id: str) -> Key:
    return entity_id, DISCREPANCY_PREFIX + order_id


def purchase_order_key(entity_id: str, party: str, purchase_order: str) -> Key:
    return entity_id, f"guard#purchase_order#{fingerprint(entity_id, party, purchase_order)}"


def delivery_key(entity_id: str, party: str, key: str) -> Key:
    return entity_id, f"guard#order_key#{fingerprint(entity_id, party, key)}"


def file_key(entity_id: str, digest: str) -> Key:
    return entity_id, f"guard#order_file#{fingerprint(digest)}"


def reference_key(entity_id: str, reference: Reference) -> Key:
    """Names are compared without case and spacing, everything else without spacing."""
    value = "".join(reference.value.split())
    value = value.casefold() if reference.kind is ReferenceKind.NAME else value
    return entity_id, f"reference#{fingerprint(entity_id, reference.kind, value)}"


def order_item(order: Order) -> Item:
    pk, sk = order_key(order.owner, order.id)
    return {
        "pk": pk,
        "sk": sk,
        "kind": "order",
        "order_id": order.id,
        "account_id": order.account_id,
        "entity_id": order.entity_id,
        "status": order.status.value,
        "currency": order.currency,
        "amount_minor": order.amount_minor,
        "request": request_fields(order.request),
        "lines": [_line_fields(line) for line in order.lines],
        "discrepancies": [discrepancy_fields(d) for d in order.discrepancies],
        "received_at": instant_text(order.received_at),
        "origin": order.origin,
        "history": [{"at": instant_text(c.at), "status": c.status.value} for c in order.history],
        "approvals": [{"actor_id": a.actor_id, "lines": list(a.lines), "reason": a.reason} for a in order.approvals],
        "version": order.version,
        "agenda_pk": orders_agenda(order.entity_id),
        "agenda_on": f"{order.request.order_on.isoformat()}#{order.id}",
    }


def order_from(item: Item) -> Order:
    return Order(
        id=item["order_id"],
        entity_id=item["entity_id"],
        account_id=item["account_id"],
        request=request_from(item["request"], [line["asked"] for line in item["lines"]]),
        currency=item["currency"],
        lines=tuple(_line_from(line) for line in item["lines"]),
        discrepancies=tuple(_discrepancy_from(d) for d in item["discrepancies"]),
        received_at=instant_from(item["received_at"]),
        origin=item["origin"],
        history=tuple(OrderStatusChange(instant_from(c["at"]), OrderStatus(c["status"])) for c in item["history"]),
        approvals=tuple(Approval(a["actor_id"], tuple(a["lines"]), a["reason"]) for a in item["approvals"]),
        version=item["version"],
    )


def owner_key(entity_id: str, order_id: str) -> Key:
    return entity_id, f"order_owner#{order_id}"


def owner_item(order: Order) -> Item:
    """Where an order lies, for those who know its seller and id."""
    pk, sk = owner_key(order.entity_id, order.id)
    return {"pk": pk, "sk": sk, "kind": "order_owner", "owner": order.owner}


def discrepancy_item(order: Order) -> Item:
    """What a person sees of an order that waits: where it lies, what does not agree, what it is about."""
    pk, sk = discrepancy_key(order.entity_id, order.id)
    return {
        "pk": pk,
        "sk": sk,
        "kind": "discrepancy",
        "order_id": order.id,
        "owner": order.owner,
        "account_id": order.account_id,
        "party": order.request.party,
        "channel": order.request.channel.value,
        "purchase_order": order.request.purchase_order,
        "currency": order.currency,
        "amount_minor": order.amount_minor,
        "discrepancies": [discrepancy_fields(d) for d in order.discrepancies],
        "approvals": len(order.approvals),
        "received_at": instant_text(order.received_at),
    }


def discrepancy_fields(one: Discrepancy) -> Item:
    fields: Item = {"line": one.line, "code": one.code.value, "message": one.message}
    if one.asked_minor is not None:
        fields |= {"asked_minor": one.asked_minor, "expected_minor": one.expected_minor}
    return fields


def _discrepancy_from(f: Mapping[str, Any]) -> Discrepancy:
    return Discrepancy(f["line"], Code(f["code"]), f["message"], f.get("asked_minor"), f.get("expected_minor"))


def request_fields(request: OrderRequest) -> Item:
    """All of a request but its lines."""
    return {
        "party": request.party,
        "channel": request.channel.value,
        "purchase_order": request.purchase_order,
        "order_on": request.order_on.isoformat(),
        "references": [{"kind": r.kind.value, "value": r.value} for r in request.references],
        "currency": request.currency,
        "cost_centre": request.cost_centre,
        "contract_id": request.contract_id,
        "ship_to_country": request.ship_to_country,
    }


def request_from(fields: Mapping[str, Any], lines: list[Item]) -> OrderRequest:
    return OrderRequest(
        party=fields["party"],
        channel=Channel(fields["channel"]),
        purchase_order=fields["purchase_order"],
        order_on=date.fromisoformat(fields["order_on"]),
        references=tuple(Reference(ReferenceKind(r["kind"]), r["value"]) for r in fields["references"]),
        lines=tuple(_asked_from(line) for line in lines),
        currency=fields["currency"],
        cost_centre=fields["cost_centre"],
        contract_id=fields["contract_id"],
        ship_to_country=fields["ship_to_country"],
    )


def asked_fields(line: RequestedLine) -> Item:
    return {
        "number": line.number,
        "sku": line.sku,
        "quantity": plain(line.quantity),
        "unit_price": None if line.unit_price is None else plain(line.unit_price),
        "start_on": None if line.start_on is None else line.start_on.isoformat(),
        "buyer_sku": line.buyer_sku,
        "changes": line.changes,
    }


def _asked_from(f: Mapping[str, Any]) -> RequestedLine:
    return RequestedLine(
        f["number"],
        f["sku"],
        Decimal(f["quantity"]),
        _decimal(f["unit_price"]),
        _day(f["start_on"]),
        f["buyer_sku"],
        f["changes"],
    )


def _line_fields(line: OrderLine) -> Item:
    return {
        "asked": asked_fields(line.asked),
        "status": line.status.value,
        "agreed": _agreed_fields(line.agreed) if line.agreed else None,
        "delivered": plain(line.delivered),
        "item_ids": list(line.item_ids),
        "subscription_id": line.subscription_id,
        "documents": list(line.documents),
    }


def _line_from(f: Mapping[str, Any]) -> OrderLine:
    return OrderLine(
        _asked_from(f["asked"]),
        LineStatus(f["status"]),
        _agreed_from(f["agreed"]) if f["agreed"] else None,
        Decimal(f["delivered"]),
        tuple(f["item_ids"]),
        f["subscription_id"],
        tuple(f["documents"]),
    )


def _agreed_fields(agreed: Agreed) -> Item:
    return {
        "plan_id": agreed.plan_id,
        "plan_version_id": agreed.plan_version_id,
        "recurring": agreed.recurring,
        "unit_price": None if agreed.unit_price is None else plain(agreed.unit_price),
        "amount_minor": agreed.amount_minor,
        "trigger": agreed.trigger.value,
        "contract_id": agreed.contract_id,
        "negotiated": agreed.negotiated,
    }


def _agreed_from(f: Mapping[str, Any]) -> Agreed:
    return Agreed(
        f["plan_id"],
        f["plan_version_id"],
        f["recurring"],
        _decimal(f["unit_price"]),
        f["amount_minor"],
        BillingTrigger(f["trigger"]),
        f["contract_id"],
        f["negotiated"],
    )


def ordering_item(ordering: Ordering) -> Item:
    return {
        "pk": ordering.account_id,
        "sk": ORDERING,
        "kind": ORDERING,
        "parties": sorted(ordering.parties),
        "most": {plan: [plain(quantity), orders] for plan, (quantity, orders) in ordering.most.items()},
        "consumed": dict(ordering.consumed),
        "quantities": {key: plain(quantity) for key, quantity in ordering.quantities.items()},
        "recent": [
            {
                "order_id": r.order_id,
                "purchase_order": r.purchase_order,
                "contents": r.contents,
                "order_on": r.order_on.isoformat(),
            }
            for r in ordering.recent
        ],
        "credit_limit_minor": ordering.credit_limit_minor,
        "duplicate_days": ordering.duplicate_days,
        "unusual_factor": ordering.unusual_factor,
        "version": ordering.version,
    }


def ordering_from(account_id: str, item: Item | None) -> Ordering:
    if item is None:
        return Ordering(account_id)
    return Ordering(
        account_id,
        frozenset(item["parties"]),
        {plan: (Decimal(quantity), orders) for plan, (quantity, orders) in item["most"].items()},
        item["consumed"],
        {key: Decimal(quantity) for key, quantity in item["quantities"].items()},
        tuple(
            RecentOrder(r["order_id"], r["purchase_order"], r["contents"], date.fromisoformat(r["order_on"]))
            for r in item["recent"]
        ),
        item["credit_limit_minor"],
        item["duplicate_days"],
        item["unusual_factor"],
        item["version"],
    )


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
