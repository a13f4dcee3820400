"""How deliveries lie in the table: `<account>` / `delivery#<document id>#<channel>`.

A user's own copy has their id behind that. The item is also the guard against a second copy.
"""

from __future__ import annotations

from saldo.delivery.model import Channel, Delivery, DeliveryStatus, Letter, StatusChange
from saldo.kernel.clock import instant_from, instant_text
from saldo.storage.items import Item, Key
from saldo.storage.units import Unit

PREFIX = "delivery#"
_PLAIN = (
    *("document_id", "document_kind", "attempts", "lost_answers", "recipients", "profile_version"),
    *("message_id", "failure_code", "permanent"),
)


def delivery_key(account_id: str, document_id: str, channel: Channel, reader_id: str = "") -> Key:
    return account_id, f"{PREFIX}{document_id}#{channel.value}" + (f"#{reader_id}" if reader_id else "")


def delivery_item(delivery: Delivery) -> Item:
    pk, sk = delivery_key(delivery.account_id, delivery.document_id, delivery.channel, delivery.reader_id)
    item: Item = {"pk": pk, "sk": sk, "kind": "delivery", "account_id": pk}
    item |= {name: getattr(delivery, name) for name in _PLAIN}
    if delivery.reader_id:
        item["reader_id"] = delivery.reader_id
    item |= {
        "channel": delivery.channel.value,
        "status": delivery.status.value,
        "attempt_at": instant_text(delivery.attempt_at),
        "history": [{"at": instant_text(h.at), "status": h.status.value} for h in delivery.history],
    }
    return item


def delivery_from(item: Item) -> Delivery:
    return Delivery(
        account_id=item["pk"],
        channel=Channel(item["channel"]),
        status=DeliveryStatus(item["status"]),
        attempt_at=instant_from(item["attempt_at"]),
        reader_id=item.get("reader_id", ""),
        history=tuple(StatusChange(instant_from(h["at"]), DeliveryStatus(h["status"])) for h in item["history"]),
        **{name: item[name] for name in _PLAIN},
    )


def change(unit: Unit, old: Delivery | None, new: Delivery, letter: Letter | None = None) -> Unit:
    """Write the copy's next state; holds only while it still is as `old` was read, and what `letter` says is true."""
    for key, fields in letter.holds_while if letter else ():
        unit.require(key, when=fields)
    if old is None:
        return unit.insert(delivery_item(new))
    return unit.put(delivery_item(new), when={"status": old.status.value, "attempts": old.attempts})
