"""How requests for other terms lie in the table.

`<account>` / `terms_request#<id>`: one request; while nobody has decided, on the agenda `requests#<entity>` by when it
was asked.
"""

from __future__ import annotations

from saldo.accounts.agenda import requests_agenda
from saldo.accounts.reading_payment_terms import payment_terms_json, payment_terms_stored
from saldo.kernel.clock import instant_from, instant_text
from saldo.storage.items import Item, Key
from saldo.storage.units import Unit
from saldo.terms.model import Asked, TermsRequest, TermsState, Why

PREFIX = "terms_request#"
_PLAIN = ("entity_id", "currency", "asked_by", "why_not", "revision")


def request_key(account_id: str, request_id: str) -> Key:
    return account_id, PREFIX + request_id


def days_said(asked: Asked) -> int | Item:
    """A number of days, or the object that says more than days."""
    return asked.due.days if asked.due.is_days else payment_terms_json(asked.due)


def request_item(request: TermsRequest) -> Item:
    """`status`, `reason` and `total_minor` (the limit asked for) are named as the agenda carries them."""
    pk, sk = request_key(request.account_id, request.id)
    item: Item = {"pk": pk, "sk": sk, "kind": "terms_request", "account_id": pk, "request_id": request.id}
    item |= {name: getattr(request, name) for name in _PLAIN}
    item |= {
        "status": request.state.value,
        "reason": request.why.value,
        "total_minor": request.asked.limit_minor,
        "days": days_said(request.asked),
        "before": {"days": days_said(request.before), "limit_minor": request.before.limit_minor},
        "asked_at": instant_text(request.asked_at),
    }
    if request.decided_at is not None:
        item["decided_at"] = instant_text(request.decided_at)
    if request.state is TermsState.ASKED:
        item |= {"agenda_pk": requests_agenda(request.entity_id), "agenda_on": instant_text(request.asked_at)}
    return item


def request_from(item: Item) -> TermsRequest:
    return TermsRequest(
        account_id=item["pk"],
        id=item["request_id"],
        before=Asked(payment_terms_stored(item["before"]["days"]), item["before"]["limit_minor"]),
        asked=Asked(payment_terms_stored(item["days"]), item["total_minor"]),
        why=Why(item["reason"]),
        state=TermsState(item["status"]),
        asked_at=instant_from(item["asked_at"]),
        decided_at=instant_from(item["decided_at"]) if "decided_at" in item else None,
        **{name: item[name] for name in _PLAIN},
    )


def rewrite(unit: Unit, old: TermsRequest, new: TermsRequest) -> Unit:
    return unit.put(request_item(new), when={"revision": old.revision})
