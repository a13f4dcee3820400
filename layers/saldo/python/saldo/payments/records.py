"""How payments lie in the table.

`<account>` / `payment#<payment id>`: one item, rewritten whole with each change (guarded by `version`).
`<entity>` / `payment_of#<fingerprint>`: which payment has this id, receipt number or name at the gateway, for ever.
`<account>` / `guard#payment#<fingerprint of the request key>`: which payment a form submission became, for ever.
`<account>` / `guard#gateway_event#<event id>`: the event was handled, for ever; with its body, so that it can be
told again to a restored copy.
`<account>` / `guard#imported_settlement#<fingerprint of the source id>`: the settlement was imported, for ever.
`parked_<gateway>` / `parked#<event id>#<payment id>`: an event that fits no payment, kept until it does, on the agenda
`parked#<gateway>` by when it is tried again; or dropped by people, which it then says.
Agenda `paying#<0-7>`, `clearing#<0-7>` and `unrated#<0-7>` by when a sweep looks after it; each look moves it on.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from zlib import crc32

from saldo.kernel.clock import instant_from, instant_text
from saldo.kernel.exchange import rate_from_row, rate_row
from saldo.kernel.ids import fingerprint
from saldo.kernel.money import Money
from saldo.payments import rules
from saldo.payments.model import (
    Allocation,
    GatewayEvent,
    GatewayPayment,
    Payment,
    PaymentStatus,
    Payout,
    Received,
    StatusChange,
)
from saldo.payments.webhooks import event_body, event_from
from saldo.storage.items import Item, Key
from saldo.storage.units import Unit

PREFIX = "payment#"
PAYMENTS = "payments"
PARKED = "parked#"
SHARDS = 8
_TEXTS = [
    *("entity_id", "booking_zone", "reason", "gateway", "gateway_ref", "checkout_url", "method"),
    *("failure_code", "receipt_number", "payout_id"),
]
_WHERE_ANY = ("correlation_id", "method_id", "own_currency")
_COUNTS = ("settled_minor", "parts", "parts_applied", "version")
_INSTANTS = ("started_at", "settled_at", "paid_out_at")


def payment_key(account_id: str, payment_id: str) -> Key:
    return account_id, PREFIX + payment_id


def payment_item(payment: Payment) -> Item:
    pk, sk = payment_key(payment.account_id, payment.id)
    item: Item = {"pk": pk, "sk": sk, "kind": "payment", "account_id": payment.account_id, "payment_id": payment.id}
    item |= {name: getattr(payment, name) for name in (*_TEXTS, *_COUNTS)}
    item |= {name: getattr(payment, name) for name in _WHERE_ANY if getattr(payment, name)}
    instants: dict[str, datetime | None] = {name: getattr(payment, name) for name in _INSTANTS}
    item |= {name: instant_text(at) for name, at in instants.items() if at is not None}
    item |= {
        "status": payment.status.value,
        "amount_minor": payment.amount.minor,
        "currency": payment.amount.currency,
        "allocations": allocation_items(payment.allocations),
        "applied": allocation_items(payment.applied),
        "history": [{"at": instant_text(h.at), "status": h.status.value} for h in payment.history],
    }
    if payment.exchange:
        item["exchange"] = rate_row(payment.exchange)
    if payment.received:
        item["received"] = _received_item(payment.received)
    agenda = rules.agenda_of(payment)
    if agenda:
        item["agenda_pk"] = f"{agenda[0]}#{shard_of(payment.id)}"
        item["agenda_on"] = instant_text(agenda[1])
    return item


def reference_key(entity_id: str, reference: str) -> Key:
    """What names a payment of a seller's customers to people: its id, its receipt, the gateway's name of it."""
    return entity_id, f"payment_of#{fingerprint(reference.strip().casefold())}"


def note_references(unit: Unit, payment: Payment, known: Payment | None = None) -> Unit:
    """Put on record which payment these references name; those of `known` are there already."""
    for reference in sorted(_references(payment) - (_references(known) if known else set())):
        pk, sk = reference_key(payment.entity_id, reference)
        unit.put({"pk": pk, "sk": sk, "kind": "payment_of", "account_id": payment.account_id, "payment_id": payment.id})
    return unit


def _references(payment: Payment) -> set[str]:
    return {text for text in (payment.id, payment.receipt_number, payment.gateway_ref) if text}


def payments_key(account_id: str) -> Key:
    return account_id, PAYMENTS


def _counted(unit: Unit, payment: Payment) -> Unit:
    """One more write of the account's payments: what was folded from them (`lately`) is no more how things are."""
    return unit.count_once(payments_key(payment.account_id))


def insert_payment(unit: Unit, payment: Payment) -> Unit:
    """A new payment, found by its references from now on."""
    return _counted(note_references(unit.insert(payment_item(payment)), payment), payment)


def allocation_items(allocations: tuple[Allocation, ...]) -> list[Item]:
    return [{"invoice_id": a.invoice_id, "minor": a.minor, **_beside(a)} for a in allocations]


def _beside(allocation: Allocation) -> Item:
    number: Item = {"number": allocation.number} if allocation.number else {}
    return number if allocation.booked_minor is None else number | {"booked_minor": allocation.booked_minor}


def payment_from(item: Item) -> Payment:
    fields: dict[str, Any] = {name: item[name] for name in (*_TEXTS, *_COUNTS)}
    fields |= {name: instant_from(item[name]) for name in _INSTANTS if name in item}
    fields |= {name: item.get(name, "") for name in _WHERE_ANY}
    return Payment(
        account_id=item["pk"],
        id=item["payment_id"],
        status=PaymentStatus(item["status"]),
        amount=Money(item["amount_minor"], item["currency"]),
        allocations=allocations_from(item["allocations"]),
        applied=allocations_from(item["applied"]),
        history=tuple(StatusChange(instant_from(h["at"]), PaymentStatus(h["status"])) for h in item["history"]),
        exchange=rate_from_row(item["exchange"]) if "exchange" in item else None,
        received=received_from(item["received"]) if "received" in item else None,
        **fields,
    )


def _received_item(received: Received) -> Item:
    money = {"minor": received.money.minor, "currency": received.money.currency, "rate": rate_row(received.rate)}
    return (
        money
        | {"by_bank": received.by_bank, "tolerated_minor": received.tolerated_minor}
        | ({"lost_minor": received.lost_minor} if received.lost_minor else {})
    )


def received_from(item: Item) -> Received:
    money, rate = Money(item["minor"], item["currency"]), rate_from_row(item["rate"])
    return Received(money, rate, item["by_bank"], item["tolerated_minor"], item.get("lost_minor", 0))


def allocations_from(items: list[Item]) -> tuple[Allocation, ...]:
    return tuple(Allocation(i["invoice_id"], i["minor"], i.get("number", ""), i.get("booked_minor")) for i in items)


def rewrite(unit: Unit, old: Payment, new: Payment) -> Unit:
    """Replace a payment in this unit; holds only while it still is as `old` was read."""
    assert new.version == old.version + 1, "each change of a payment raises its version by one"
    return _counted(note_references(unit.put(payment_item(new), when={"version": old.version}), new, old), new)


def look_again(unit: Unit, payment: Payment, at: datetime) -> Unit:
    """Move its place on the agenda, unless somebody changed it meanwhile. Nothing else of it is changed."""
    key = payment_key(payment.account_id, payment.id)
    return unit.update(key, set={"agenda_on": instant_text(at)}, when={"version": payment.version})


def look_late(unit: Unit, item: Item, now: datetime) -> Unit:
    """The same for one, as stored, that nobody could make anything of: in a day, unless it has moved by itself."""
    at = instant_text(now + max(rules.MOST_WAIT.values()))
    return unit.update((item["pk"], item["sk"]), set={"agenda_on": at}, when={"agenda_on": item["agenda_on"]})


def shard_of(payment_id: str) -> int:
    """Which of the agenda's lists a payment is on; spreads writes, stable per payment."""
    return crc32(payment_id.encode()) % SHARDS


def request_guard_key(account_id: str, request_key: str) -> Key:
    return account_id, f"guard#payment#{fingerprint(request_key)}"


def request_guard(account_id: str, request_key: str, payment_id: str, content: str) -> Item:
    """`content`: fingerprint of what was asked for, so that the same key for something else is noticed."""
    pk, sk = request_guard_key(account_id, request_key)
    return {"pk": pk, "sk": sk, "kind": "guard", "payment_id": payment_id, "content": content}


def event_guard_key(account_id: str, event_id: str) -> Key:
    return account_id, f"guard#gateway_event#{event_id}"


def event_guard(account_id: str, event: GatewayEvent, payment_id: str) -> Item:
    pk, sk = event_guard_key(account_id, event.id)
    at, body = instant_text(event.occurred_at), json.dumps(event_body(event), sort_keys=True)
    return {"pk": pk, "sk": sk, "kind": "guard", "payment_id": payment_id, "occurred_at": at, "body": body}


def kept_event(item: Item) -> GatewayEvent | None:
    """The event that a guard or a parked item keeps; None for other items and for guards from before bodies were."""
    told = item["kind"] == "parked_event" or item["sk"].startswith("guard#gateway_event#")
    return event_from(item["body"]) if told and "body" in item else None


def import_guard(account_id: str, source_id: str, payment_id: str) -> Item:
    sk = f"guard#imported_settlement#{fingerprint(source_id)}"
    return {"pk": account_id, "sk": sk, "kind": "guard", "payment_id": payment_id, "source_id": source_id}


def parked_owner(gateway: str) -> str:
    return f"parked_{gateway}"


def parked_agenda(gateway: str) -> str:
    return f"parked#{gateway}"


def parked_item(
    gateway: str, event: GatewayEvent, account_id: str, subject_id: str, entity_id: str, reason: str, at: datetime
) -> Item:
    """An event that fits no payment (or method), which it names as one of an account. `reason`: a code.

    entity_id: the account's seller, "" where there is no such account.
    """
    body = event_body(event)
    item: Item = {
        "pk": parked_owner(gateway),
        "sk": f"{PARKED}{event.id}#{subject_id}",
        "kind": "parked_event",
        "event_id": event.id,
        "news": body["type"],
        "account_id": account_id,
        "subject_id": subject_id,
        "entity_id": entity_id,
        "reason": reason,
        "occurred_at": instant_text(event.occurred_at),
        "parked_at": instant_text(at),
        "body": json.dumps(body, sort_keys=True),
        "agenda_pk": parked_agenda(gateway),
        "agenda_on": instant_text(at),
    }
    amount = _amount_of(event)
    return item | ({"amount_minor": amount.minor, "currency": amount.currency} if amount else {})


def _amount_of(event: GatewayEvent) -> Money | None:
    """Of a payment, or of a payout's only one."""
    if isinstance(event.news, Payout):
        return event.news.payments[0].amount
    return event.news.amount if isinstance(event.news, GatewayPayment) else None


def parked_event(item: Item) -> GatewayEvent:
    return event_from(item["body"])
