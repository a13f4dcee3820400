"""Invariants of promises: invoices name theirs, instalments add up, nobody is asked meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from saldo.insight.model import Owner, Violation
from saldo.invoicing.records import InvoiceHeader, header_from
from saldo.invoicing.status import InvoiceStatus
from saldo.kernel.clock import instant_from
from saldo.promises.model import Promise, PromiseState
from saldo.promises.reading import dues_of
from saldo.promises.records import promise_from
from saldo.promises.rules import stands

_STATES = frozenset(InvoiceStatus)
_CLOCKS_DIFFER = timedelta(minutes=1)
AUTOPAY = "autopay"  # the reason that its payments give


def invoices_name_their_promise(owner: Owner) -> Iterator[Violation]:
    """What is open of an invoice is promised exactly while a current promise covers it, and by one at most."""
    covering: dict[str, list[str]] = {}
    for promise in _promises(owner):
        for cover in promise.covers if promise.state is PromiseState.CURRENT else ():
            covering.setdefault(cover.invoice_id, []).append(promise.id)
    for header in _headers(owner):
        said, known = [header.promise_id] if header.promise_id else [], covering.get(header.invoice_id, [])
        if header.open_minor and said != known:
            yield Violation(14, owner.id, f"{header.invoice_id} says it is under {said}, it is under {known}")
    for invoice_id, ids in covering.items():
        if len(ids) > 1:
            yield Violation(14, owner.id, f"{invoice_id} is promised by {len(ids)} promises at once")


def instalments_add_up(owner: Owner) -> Iterator[Violation]:
    """To what was promised when it was made; and as they stand, to what was paid since and what is still to come."""
    headers = {h.invoice_id: h for h in _headers(owner)}
    for promise in _promises(owner):
        parts = sum(one.minor for one in promise.instalments)
        if parts != promise.minor or any(one.minor <= 0 for one in promise.instalments):
            yield Violation(19, owner.id, f"instalments of {promise.id} come to {parts}, {promise.minor} is promised")
        if promise.state is not PromiseState.CURRENT:
            continue
        covered = {c.invoice_id: headers[c.invoice_id] for c in promise.covers if c.invoice_id in headers}
        dues = dues_of(promise, covered)
        left, to_come = sum(d.left_minor for d in dues), sum(s.left_minor for s in stands(promise, dues))
        if left != to_come:
            yield Violation(19, owner.id, f"{promise.id} still asks for {to_come}, {left} is open of it")


def nobody_is_asked_for_what_is_promised(owner: Owner) -> Iterator[Violation]:
    """No letter was decided for an invoice while it was promised, and no autopay payment started whose rule leaves out
    what is promised."""
    headers = {h.invoice_id: h for h in _headers(owner)}
    for item in owner.of("reminder"):
        ids = [notice["invoice_id"] for notice in item["notices"]]
        for invoice_id in _promised_at(headers, ids, item["issued_at"]):
            yield Violation(22, owner.id, f"{item['reminder_id']} reminds of {invoice_id}, which was promised")
    for rule in owner.of("autopay_rule"):
        if not rule["skips_promised"]:
            continue
        for item in owner.of("payment"):
            if item["reason"] == AUTOPAY and item["started_at"] > rule.get("set_at", ""):
                ids = [a["invoice_id"] for a in item["allocations"]]
                for invoice_id in _promised_at(headers, ids, item["started_at"]):
                    yield Violation(22, owner.id, f"{item['payment_id']} collects {invoice_id}, which was promised")


def _promised_at(headers: Mapping[str, InvoiceHeader], invoice_ids: list[str], at: str) -> Iterator[str]:
    """Those of the invoices that were under a current promise around an instant, as clocks of functions differ."""
    first, last = instant_from(at) - _CLOCKS_DIFFER, instant_from(at) + _CLOCKS_DIFFER
    for invoice_id in invoice_ids:
        marks = headers[invoice_id].promises if invoice_id in headers else ()
        before = [mark for mark in marks if mark.at < first]
        moved = any(first <= mark.at <= last for mark in marks)
        if before and before[-1].state == PromiseState.CURRENT and not moved:
            yield invoice_id


def _headers(owner: Owner) -> list[InvoiceHeader]:
    """Those whose state is known; any other is told by the rule of states."""
    return [header_from(item) for item in owner.of("invoice") if item["status"] in _STATES]


def _promises(owner: Owner) -> list[Promise]:
    return [promise_from(item) for item in owner.of("promise")]
