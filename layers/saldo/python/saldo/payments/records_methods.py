"""How stored methods lie in the table: one range of the account, so that a page reads them in one call.

`<account>` / `paying#method#<method id>`: one item, rewritten whole with each change (guarded by `version`). Its id
follows from the form that began it, so that the item is its own guard.
`<account>` / `paying#method#default`: which one is the default.
Agenda `adding` by start, `expiring_methods#<entity>` by the day its people are told.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from saldo.kernel.clock import instant_from, instant_text
from saldo.payments import rules_methods
from saldo.payments.model_methods import MethodKind, Methods, MethodStatus, StoredMethod
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import Unit

PREFIX = "paying#method#"
_PLAIN = (
    *("entity_id", "added_by", "shown_as", "token", "currency", "ref", "url", "failure_code"),
    *("let_go", "warned", "version", "correlation_id"),
)


def method_key(account_id: str, method_id: str) -> Key:
    return account_id, PREFIX + method_id


def default_key(account_id: str) -> Key:
    return account_id, PREFIX + "default"


def default_item(account_id: str, method_id: str) -> Item:
    pk, sk = default_key(account_id)
    return {"pk": pk, "sk": sk, "kind": "default_method", "method_id": method_id}


def method_item(method: StoredMethod) -> Item:
    pk, sk = method_key(method.account_id, method.id)
    item: Item = {"pk": pk, "sk": sk, "kind": "payment_method", "method_id": method.id, "status": method.status.value}
    item |= {name: getattr(method, name) for name in _PLAIN}
    item |= {"method_kind": method.kind.value, "started_at": instant_text(method.started_at)}
    if method.expires_on is not None:
        item["expires_on"] = method.expires_on.isoformat()
    agenda = rules_methods.agenda_of(method)
    if agenda:
        item["agenda_pk"], item["agenda_on"] = agenda
    return item


def method_from(item: Item) -> StoredMethod:
    plain: dict[str, Any] = {name: item[name] for name in _PLAIN}
    return StoredMethod(
        account_id=item["pk"],
        id=item["method_id"],
        status=MethodStatus(item["status"]),
        kind=MethodKind(item["method_kind"]),
        started_at=instant_from(item["started_at"]),
        expires_on=date.fromisoformat(item["expires_on"]) if "expires_on" in item else None,
        **plain,
    )


def methods_from(items: Iterable[Item]) -> Methods:
    """Of the items of the range, in any order."""
    found, chosen = [], ""
    for item in items:
        if item["kind"] == "default_method":
            chosen = item["method_id"]
        else:
            found.append(method_from(item))
    return Methods(tuple(sorted(found, key=lambda m: (m.started_at, m.id), reverse=True)), chosen)


def methods_of(store: Store, account_id: str) -> Methods:
    """All methods of an account; one call."""
    return methods_from(store.query_all(account_id, prefix=PREFIX, consistent=True))


def rewrite(unit: Unit, old: StoredMethod, new: StoredMethod) -> Unit:
    """Replace a method in this unit; holds only while it still is as `old` was read."""
    assert new.version == old.version + 1, "each change of a method raises its version by one"
    return unit.put(method_item(new), when={"version": old.version})
