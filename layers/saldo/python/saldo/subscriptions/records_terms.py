"""How far the renewals of subscriptions with terms are.

`<account>` / `term#<subscription>`: one item each, rewritten as terms pass; until the subscription has ended on the
agenda `renewals#<entity>`, under the day on which it is to be looked at.
"""

from __future__ import annotations

from datetime import date

from saldo.storage.items import Item, Key
from saldo.storage.units import Unit
from saldo.subscriptions.rules_terms import Renewing

PREFIX = "term#"


def renewing_key(account_id: str, subscription_id: str) -> Key:
    return account_id, PREFIX + subscription_id


def renewals_agenda(entity_id: str) -> str:
    return f"renewals#{entity_id}"


def renewing_item(one: Renewing) -> Item:
    pk, sk = renewing_key(one.account_id, one.subscription_id)
    item: Item = {"pk": pk, "sk": sk, "kind": "term", "account_id": pk, "subscription_id": one.subscription_id}
    item |= {"entity_id": one.entity_id, "ends_on": one.ends_on.isoformat(), "revision": one.revision}
    if one.told_of is not None:
        item["told_of"] = one.told_of.isoformat()
    if one.looked_at_on is not None:
        item |= {"agenda_pk": renewals_agenda(one.entity_id), "agenda_on": one.looked_at_on.isoformat()}
    return item


def renewing_from(item: Item) -> Renewing:
    return Renewing(
        item["pk"],
        item["subscription_id"],
        item["entity_id"],
        date.fromisoformat(item["ends_on"]),
        date.fromisoformat(item["agenda_on"]) if "agenda_on" in item else None,
        date.fromisoformat(item["told_of"]) if "told_of" in item else None,
        item["revision"],
    )


def rewrite(unit: Unit, old: Renewing, new: Renewing) -> Unit:
    """Replace it in this unit; holds only while it is as `old` was read."""
    assert new.revision == old.revision + 1, "each change raises its revision by one"
    return unit.put(renewing_item(new), when={"revision": old.revision})
