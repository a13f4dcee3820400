"""How promises lie in the table.

`<account>` / `promise#<id>`: one promise, in clear, rewritten whole with each change; while it waits for the seller's
people on the agenda `requests#<entity>` by when it was made, while it is current on `promises#<entity>` by
its last day.
`<entity>` / `promise_limits`: a seller's limits; `<account>` / `promise_limits`: those of one account.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from saldo.accounts.agenda import requests_agenda
from saldo.kernel.clock import instant_from, instant_text
from saldo.promises.model import (
    Covered,
    Instalment,
    Limits,
    LimitsPolicy,
    Promise,
    PromiseState,
    StateChange,
    Why,
)
from saldo.storage.items import Item, Key
from saldo.storage.units import Unit

PREFIX = "promise#"
_PLAIN = (
    *("organisation_id", "entity_id", "currency", "grace_days", "made_by", "method_id", "method", "replaces"),
    *("why_not", "told", "missed_told", "revision"),
)


def promise_key(account_id: str, promise_id: str) -> Key:
    return account_id, PREFIX + promise_id


def current_agenda(entity_id: str) -> str:
    return f"promises#{entity_id}"


def promise_item(promise: Promise) -> Item:
    """`status`, `number` and `total_minor` are named as the agenda carries them."""
    pk, sk = promise_key(promise.account_id, promise.id)
    item: Item = {"pk": pk, "sk": sk, "kind": "promise", "account_id": pk, "promise_id": promise.id}
    item |= {name: getattr(promise, name) for name in _PLAIN}
    item |= {
        "status": promise.state.value,
        "number": ", ".join(one.number for one in promise.covers[:3]),
        "total_minor": promise.minor,
        "made_at": instant_text(promise.made_at),
        "reason": promise.why.value,
        "beyond": list(promise.beyond),
        "covers": [
            {"invoice_id": c.invoice_id, "number": c.number, "due_on": c.due_on.isoformat(), "minor": c.minor}
            for c in promise.covers
        ],
        "instalments": [{"on": i.on.isoformat(), "minor": i.minor} for i in promise.instalments],
        "history": [{"at": instant_text(h.at), "status": h.state.value} for h in promise.history],
    }
    if promise.state is PromiseState.ASKED:
        item |= {"agenda_pk": requests_agenda(promise.entity_id), "agenda_on": instant_text(promise.made_at)}
    if promise.state is PromiseState.CURRENT:
        item |= {"agenda_pk": current_agenda(promise.entity_id), "agenda_on": promise.until_on.isoformat()}
    return item


def promise_from(item: Item) -> Promise:
    return Promise(
        account_id=item["pk"],
        id=item["promise_id"],
        covers=tuple(
            Covered(c["invoice_id"], c["number"], date.fromisoformat(c["due_on"]), c["minor"]) for c in item["covers"]
        ),
        instalments=tuple(Instalment(date.fromisoformat(i["on"]), i["minor"]) for i in item["instalments"]),
        state=PromiseState(item["status"]),
        made_at=instant_from(item["made_at"]),
        why=Why(item["reason"]),
        history=tuple(StateChange(instant_from(h["at"]), PromiseState(h["status"])) for h in item["history"]),
        beyond=tuple(item["beyond"]),
        **{name: item[name] for name in _PLAIN},
    )


def rewrite(unit: Unit, old: Promise, new: Promise) -> Unit:
    """Replace a promise in this unit; holds only while it is as `old` was read."""
    assert new.revision == old.revision + 1, "each change of a promise raises its revision by one"
    return unit.put(promise_item(new), when={"revision": old.revision})


def limits_key(owner_id: str) -> Key:
    """Of a legal entity or of an account."""
    return owner_id, "promise_limits"


def limits_fields(limits: Limits) -> dict[str, int]:
    return {name: getattr(limits, name) for name in Limits.__dataclass_fields__}


def policy_fields(policy: LimitsPolicy) -> dict[str, Any]:
    segments = {name: limits_fields(limits) for name, limits in sorted(policy.segments.items())}
    return {"limits": limits_fields(policy.limits), "segments": segments}


def policy_item(entity_id: str, policy: LimitsPolicy) -> Item:
    pk, sk = limits_key(entity_id)
    return {"pk": pk, "sk": sk, "kind": "promise_limits", **policy_fields(policy)}


def policy_from(item: Item | None) -> LimitsPolicy:
    if item is None:
        return LimitsPolicy()
    return LimitsPolicy(Limits(**item["limits"]), {name: Limits(**row) for name, row in item["segments"].items()})


def own_limits_item(account_id: str, limits: Limits) -> Item:
    pk, sk = limits_key(account_id)
    return {"pk": pk, "sk": sk, "kind": "promise_limits", "limits": limits_fields(limits), "segments": {}}


def own_limits_from(item: Mapping[str, Any] | None) -> Limits | None:
    return Limits(**item["limits"]) if item else None
