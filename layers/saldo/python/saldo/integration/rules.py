"""Which domain events a change of one record means. Values in, values out.

The table's stream is the outbox: a change and its news are one write, so neither exists without the other.
What is brought in from elsewhere (imported invoices and settlements) is history, not news, and makes no event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from saldo.integration.model import DomainEvent
from saldo.kernel.clock import instant_from
from saldo.kernel.ids import fingerprint

Image = Mapping[str, Any]  # a record's attributes as plain values, before or after a change

KINDS = (
    "invoice",
    "payment",
    "order",
    "alert",
    "reminder",
    "note",
    "dispute",
    "promise",
    "bundle",
)  # the only records whose changes are news
_NOT_YET = ("draft", "void")
_TAKEN = ("accepted", "fulfilled")


def events_of(old: Image | None, new: Image | None) -> list[DomainEvent]:
    """The events that a record's change from `old` (None: inserted) to `new` (None: deleted) means, in order."""
    if new is None or new.get("kind") not in KINDS:
        return []
    return _OF_KIND[new["kind"]](old, new)


def _of_invoice(old: Image | None, new: Image) -> list[DomainEvent]:
    if new["status"] in _NOT_YET:
        return []
    events = []
    is_note = new.get("document") == "credit_note"
    by_us = new["run_id"].startswith(("run_", "request_"))
    if by_us and (old is None or old["status"] in _NOT_YET):
        events.append(
            _credit_note_event(new) if is_note else _invoice_event("invoice.issued", new, _when(new, "issued"))
        )
    before = old["status"] if old else ""
    if new["status"] == "paid" != before and (by_us or before):  # one that credit pays whole is issued so
        events.append(_invoice_event("invoice.paid", new, _when(new, "paid")))
    return events


def _invoice_event(name: str, new: Image, at: datetime) -> DomainEvent:
    facts = ("invoice_id", "organisation_id", "number", "currency", "issued_on", "due_on")
    amounts = ("net_minor", "tax_minor", "total_minor")
    return DomainEvent(
        id=f"evt_{fingerprint(name, new['invoice_id'], at.isoformat())}",
        type=name,
        version=2 if name == "invoice.issued" else 1,
        occurred_at=at,
        correlation_id=new.get("correlation_id") or new["run_id"] or new["invoice_id"],
        account_id=new["pk"],
        entity_id=new["entity_id"],
        facts={key: new[key] for key in (*facts, *amounts)} | _delivery(name, new),
    )


def _delivery(name: str, new: Image) -> dict[str, bool]:
    """Whether a document that was issued is to go to the customer by mail: mail is only handed what it is to send."""
    return {"by_mail": new.get("by_mail", True)} if name.endswith(".issued") else {}


def _credit_note_event(new: Image) -> DomainEvent:
    """`of_invoice` is "" for a credit note that stands for itself."""
    at = _when(new, "issued")
    facts = ("organisation_id", "number", "currency", "issued_on", "net_minor", "tax_minor", "total_minor")
    return DomainEvent(
        id=f"evt_{fingerprint('credit_note.issued', new['invoice_id'], at.isoformat())}",
        type="credit_note.issued",
        version=2,
        occurred_at=at,
        correlation_id=new.get("correlation_id") or new["run_id"],
        account_id=new["pk"],
        entity_id=new["entity_id"],
        facts={"credit_note_id": new["invoice_id"], "of_invoice": new.get("of_invoice", "")}
        | {k: new[k] for k in facts}
        | _delivery("credit_note.issued", new),
    )


def _of_payment(old: Image | None, new: Image) -> list[DomainEvent]:
    """`payment.settled` is told when all of it has been applied, so that whoever hears of it finds the whole truth."""
    if old is None:
        return []
    if _settled(new) and not _settled(old):
        return [_payment_event("payment.settled", new, instant_from(new["settled_at"]), _settlement(new))]
    if new["status"] == "failed" != old["status"]:
        return [_payment_event("payment.failed", new, _when(new, "failed"), {"failure_code": new["failure_code"]})]
    return []


def _settled(image: Image) -> bool:
    return bool(image["status"] == "settled" and image["parts_applied"] == image["parts"])


def _settlement(new: Image) -> dict[str, Any]:
    applied = [{"invoice_id": a["invoice_id"], "minor": a["minor"]} for a in new["applied"]]
    return {"settled_minor": new["settled_minor"], "receipt_number": new["receipt_number"], "applied": applied}


def _payment_event(name: str, new: Image, at: datetime, more: Mapping[str, Any]) -> DomainEvent:
    return DomainEvent(
        id=f"evt_{fingerprint(name, new['payment_id'], at.isoformat())}",
        type=name,
        version=1,
        occurred_at=at,
        correlation_id=new.get("correlation_id") or new["payment_id"],
        account_id=new["pk"],
        entity_id=new["entity_id"],
        facts={key: new[key] for key in ("payment_id", "currency", "amount_minor", "gateway")} | dict(more),
    )


def _of_order(old: Image | None, new: Image) -> list[DomainEvent]:
    """An order is held when it comes in so, or accepted when no line of it waits for a person (any more)."""
    before = old["status"] if old else ""
    if new["status"] == "held" != before:
        codes = sorted({d["code"] for d in new["discrepancies"]})
        return [_order_event("order.discrepancy", new, "held", {"codes": codes})]
    if new["status"] in _TAKEN and before not in _TAKEN:
        return [_order_event("order.accepted", new, new["status"], {"status": new["status"]})]
    return []


def _order_event(name: str, new: Image, status: str, more: Mapping[str, Any]) -> DomainEvent:
    at = _when(new, status)
    facts = {key: new[key] for key in ("order_id", "currency", "amount_minor")}
    asked = {key: new["request"][key] for key in ("channel", "purchase_order", "order_on")}
    return DomainEvent(
        id=f"evt_{fingerprint(name, new['order_id'], at.isoformat())}",
        type=name,
        version=1,
        occurred_at=at,
        correlation_id=new["order_id"],
        account_id=new["account_id"],
        entity_id=new["entity_id"],
        facts=facts | asked | dict(more),
    )


def _of_alert(old: Image | None, new: Image) -> list[DomainEvent]:
    """An alert is inserted once per threshold and period, and never changes."""
    if old is not None:
        return []
    threshold, at = new["threshold"], instant_from(new["reached_at"])
    facts = {"threshold_id": threshold["id"], "limit": threshold["at"]}
    facts |= {name: threshold[name] for name in ("measure", "meter_id", "then")}
    facts |= {name: new[name] for name in ("period", "measured", "currency")}
    return [
        DomainEvent(
            id=f"evt_{fingerprint('usage.threshold_reached', new['pk'], new['sk'])}",
            type="usage.threshold_reached",
            version=1,
            occurred_at=at,
            correlation_id=new["sk"],
            account_id=new["pk"],
            entity_id=new["entity_id"],
            facts=facts,
        )
    ]


def _of_reminder(old: Image | None, new: Image) -> list[DomainEvent]:
    """A reminder is news when it is decided; that some of it is withdrawn before it is mailed is none."""
    if old is not None:
        return []
    facts = ("invoice_id", "number", "step", "days", "due_on", "currency", "open_minor")
    notices = [{name: notice[name] for name in facts} for notice in new["notices"]]
    told = {"reminder_id": new["reminder_id"], "on": new["on"], "notices": notices}
    return [_letter_event("reminder.issued", new, new["reminder_id"], new["issued_at"], told)]


def _of_note(old: Image | None, new: Image) -> list[DomainEvent]:
    """Mail to one person: to whom and what stays sealed."""
    if old is not None:
        return []
    told = {"note_id": new["note_id"], "about": new["note_kind"]}
    return [_letter_event("note.written", new, new["note_id"], new["written_at"], told)]


def _of_dispute(old: Image | None, new: Image) -> list[DomainEvent]:
    """News when it is opened and with each change of state; what is said in it is none."""
    before = old["status"] if old else ""
    if new["status"] == before:
        return []
    facts = ("dispute_id", "invoice_id", "number", "reason", "currency", "status", "credited_minor")
    told = {key: new[key] for key in facts} | {"disputed_minor": new["total_minor"], "before": before}
    name, at = "dispute.changed" if old else "dispute.opened", _when(new, new["status"])
    return [
        DomainEvent(
            id=f"evt_{fingerprint(name, new['dispute_id'], new['status'], at.isoformat())}",
            type=name,
            version=1,
            occurred_at=at,
            correlation_id=new["dispute_id"],
            account_id=new["pk"],
            entity_id=new["entity_id"],
            facts=told,
        )
    ]


def _of_promise(old: Image | None, new: Image) -> list[DomainEvent]:
    """News when it is made or asked for, and with each change of state; that an instalment was told of is none."""
    before = old["status"] if old else ""
    if new["status"] == before:
        return []
    told = {key: new[key] for key in ("promise_id", "currency", "reason", "status", "beyond", "instalments")}
    told |= {"promised_minor": new["total_minor"], "before": before}
    told["invoices"] = [{key: one[key] for key in ("invoice_id", "number", "minor")} for one in new["covers"]]
    name, at = "promise.changed" if old else "promise.made", _when(new, new["status"])
    return [
        DomainEvent(
            id=f"evt_{fingerprint(name, new['promise_id'], new['status'])}",
            type=name,
            version=1,
            occurred_at=at,
            correlation_id=new["promise_id"],
            account_id=new["pk"],
            entity_id=new["entity_id"],
            facts=told,
        )
    ]


def _of_bundle(old: Image | None, new: Image) -> list[DomainEvent]:
    """Asked for: the making starts. How far it gets is none."""
    if old is not None:
        return []
    told = {"bundle_id": new["bundle_id"], "documents": len(new["documents"])}
    return [_letter_event("bundle.asked", new, new["bundle_id"], new["asked_at"], told)]


def _letter_event(name: str, new: Image, letter_id: str, at: str, facts: Mapping[str, Any]) -> DomainEvent:
    """What is news once: when it is first on record."""
    return DomainEvent(
        id=f"evt_{fingerprint(name, letter_id)}",
        type=name,
        version=1,
        occurred_at=instant_from(at),
        correlation_id=letter_id,
        account_id=new["pk"],
        entity_id=new["entity_id"],
        facts=dict(facts),
    )


def _when(image: Image, status: str) -> datetime:
    """When the record last came into this status."""
    return max(instant_from(change["at"]) for change in image["history"] if change["status"] == status)


_OF_KIND: Mapping[str, Callable[[Image | None, Image], list[DomainEvent]]] = {
    "invoice": _of_invoice,
    "payment": _of_payment,
    "order": _of_order,
    "alert": _of_alert,
    "reminder": _of_reminder,
    "note": _of_note,
    "dispute": _of_dispute,
    "promise": _of_promise,
    "bundle": _of_bundle,
}
