"""How differences lie in the table: `<entity>` / `difference#<id>`. Open ones are on the agenda `differences#<entity>`
under the instant they were found, so that a look finds those that are gone."""

from __future__ import annotations

from saldo.kernel.clock import instant_from, instant_text
from saldo.reconciliation.model import Difference, DifferenceState
from saldo.storage.items import Item, Key

PREFIX = "difference#"
_PLAIN = ("invariant", "owner_id", "taken_by", "note", "version")


def differences_agenda(entity_id: str) -> str:
    return f"differences#{entity_id}"


def difference_key(entity_id: str, difference_id: str) -> Key:
    return entity_id, PREFIX + difference_id


def difference_item(one: Difference) -> Item:
    pk, sk = difference_key(one.entity_id, one.id)
    item: Item = {"pk": pk, "sk": sk, "kind": "difference", "entity_id": pk, "difference_id": one.id}
    item |= {name: getattr(one, name) for name in _PLAIN}
    item |= {"what": list(one.what), "found_at": instant_text(one.found_at), "status": one.state.value}
    if one.gone_at:
        item["gone_at"] = instant_text(one.gone_at)
    if one.state is DifferenceState.OPEN:
        item |= {"agenda_pk": differences_agenda(pk), "agenda_on": item["found_at"]}
    return item


def difference_from(item: Item) -> Difference:
    return Difference(
        entity_id=item["pk"],
        id=item["difference_id"],
        what=tuple(item["what"]),
        found_at=instant_from(item["found_at"]),
        state=DifferenceState(item["status"]),
        gone_at=instant_from(item["gone_at"]) if "gone_at" in item else None,
        **{name: item[name] for name in _PLAIN},
    )
