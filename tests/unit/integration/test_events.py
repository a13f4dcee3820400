"""Which changes are news, and that the news keeps its published shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from saldo.integration.rules import events_of

EVENTS = Path(__file__).parents[3] / "events"
ISSUED_AT, PAID_AT = "2026-11-01T06:00:00.000Z", "2026-11-09T12:00:00.000Z"


def invoice(status: str, **changes: Any) -> dict[str, Any]:
    return {
        "pk": "acct_eu_a",
        "sk": "invoice#inv_20261101aaaa",
        "kind": "invoice",
        "invoice_id": "inv_20261101aaaa",
        "account_id": "acct_eu_a",
        "organisation_id": "org_eu_a",
        "entity_id": "ent_eu_seller",
        "number": "" if status == "draft" else "RW-2026-000001",
        "status": status,
        "currency": "EUR",
        "issued_on": "2026-11-01",
        "due_on": "2026-11-15",
        "net_minor": 10000,
        "tax_minor": 1900,
        "total_minor": 11900,
        "open_minor": 0 if status == "paid" else 11900,
        "run_id": "run_eu_seller_20261101",
        "buyer_profile": 1,
        "language": "de",
        "history": [
            {"at": ISSUED_AT, "status": "draft"},
            {"at": ISSUED_AT, "status": "issued"},
            {"at": PAID_AT, "status": "paid"},
        ],
    } | changes


def credit_note(**changes: Any) -> dict[str, Any]:
    ids = {"sk": "invoice#inv_20261103cccc", "invoice_id": "inv_20261103cccc", "of_invoice": "inv_20261101aaaa"}
    amounts = {"net_minor": -1000, "tax_minor": -190, "total_minor": -1190, "open_minor": 0}
    facts = {"document": "credit_note", "number": "RW-RK-2026-000001", "issued_on": "2026-11-03"}
    told = {"run_id": "request_4711", "history": [{"at": "2026-11-03T09:00:00.000Z", "status": "issued"}]}
    return invoice("settled") | ids | amounts | facts | told | changes


def payment(status: str, **changes: Any) -> dict[str, Any]:
    return {
        "pk": "acct_eu_a",
        "sk": "payment#pay_01",
        "kind": "payment",
        "payment_id": "pay_01",
        "entity_id": "ent_eu_seller",
        "gateway": "simulator",
        "status": status,
        "currency": "EUR",
        "amount_minor": 11900,
        "settled_minor": 11900 if status == "settled" else 0,
        "settled_at": PAID_AT,
        "receipt_number": "R-20261109-ABC",
        "failure_code": "card_declined" if status == "failed" else "",
        "applied": [{"invoice_id": "inv_20261101aaaa", "minor": 11900}],
        "parts": 1 if status == "settled" else 0,
        "parts_applied": 1 if status == "settled" else 0,
        "history": [{"at": PAID_AT, "status": status}],
    } | changes


def order(status: str, **changes: Any) -> dict[str, Any]:
    return {
        "pk": "acct_eu_a",
        "sk": "order#ord_20261101aaaa",
        "kind": "order",
        "order_id": "ord_20261101aaaa",
        "account_id": "acct_eu_a",
        "entity_id": "ent_eu_seller",
        "status": status,
        "currency": "EUR",
        "amount_minor": 7500,
        "request": {"channel": "edi", "purchase_order": "PO-1", "order_on": "2026-11-01", "party": "edi:ZZ/BUYER"},
        "discrepancies": [{"code": "price_differs", "message": "asked"}] if status == "held" else [],
        "history": [{"at": ISSUED_AT, "status": status}],
    } | changes


def alert() -> dict[str, Any]:
    threshold = {"id": "cap", "measure": "cost", "at": "100", "meter_id": "", "then": "block"}
    return {
        "pk": "acct_eu_a",
        "sk": "alert#cap#2026-12-01",
        "kind": "alert",
        "account_id": "acct_eu_a",
        "entity_id": "ent_eu_seller",
        "threshold": threshold,
        "period": "2026-12-01",
        "measured": "104.50",
        "currency": "EUR",
        "reached_at": PAID_AT,
    }


def reminder(**changes: Any) -> dict[str, Any]:
    notice = {"invoice_id": "inv_20261101aaaa", "number": "RW-2026-000001", "step": "first", "days": 7}
    notice |= {"due_on": "2026-11-15", "currency": "EUR", "open_minor": 11900, "is_last": False, "withdrawn": ""}
    return {
        "pk": "acct_eu_a",
        "sk": "reminder#rem_20261123aaaa",
        "kind": "reminder",
        "reminder_id": "rem_20261123aaaa",
        "entity_id": "ent_eu_seller",
        "on": "2026-11-23",
        "issued_at": "2026-11-23T08:00:00.000Z",
        "notices": [notice],
        "revision": 1,
    } | changes


def note(**changes: Any) -> dict[str, Any]:
    return {
        "pk": "acct_eu_a",
        "sk": "note#note_0aaaa",
        "kind": "note",
        "note_id": "note_0aaaa",
        "note_kind": "invitation",
        "entity_id": "ent_eu_seller",
        "written_at": "2026-11-23T08:00:00.000Z",
        "language": "en",
        "sealed": b"address and texts",
    } | changes


def bundle(**changes: Any) -> dict[str, Any]:
    return {
        "pk": "acct_eu_a",
        "sk": "bundle#bun_0aaaa",
        "kind": "bundle",
        "bundle_id": "bun_0aaaa",
        "entity_id": "ent_eu_seller",
        "status": "asked",
        "asked_at": "2026-11-23T08:00:00.000Z",
        "documents": [["inv_20261101aaaa", "RW-1"]],
    } | changes


def test_a_bundle_is_told_when_it_is_asked_for_and_not_while_it_is_made() -> None:
    assert types(None, bundle()) == ["bundle.asked"]
    assert types(bundle(), bundle(status="making", done=1)) == []


def types(old: Any, new: Any) -> list[str]:
    return [event.type for event in events_of(old, new)]


def test_a_draft_is_no_news_and_its_issue_is() -> None:
    assert types(None, invoice("draft")) == []
    assert types(invoice("draft"), invoice("issued")) == ["invoice.issued"]
    assert types(None, invoice("issued")) == ["invoice.issued"]


def test_an_imported_invoice_is_history_and_no_news() -> None:
    assert types(None, invoice("issued", run_id="")) == []
    assert types(None, invoice("paid", run_id="import_2013")) == []


def test_a_credit_note_is_told_as_one_whether_staff_or_a_run_issued_it() -> None:
    assert types(None, credit_note()) == ["credit_note.issued"]
    drafted = credit_note(status="draft", run_id="run_eu_seller_20261101", of_invoice="")
    assert types(None, drafted) == []
    assert types(drafted, credit_note(run_id="run_eu_seller_20261101")) == ["credit_note.issued"]
    assert types(invoice("issued"), invoice("credited", open_minor=0)) == [], "credited is not paid"


def test_the_last_part_payment_makes_an_invoice_paid() -> None:
    assert types(invoice("issued"), invoice("part_paid")) == []
    assert types(invoice("part_paid"), invoice("paid")) == ["invoice.paid"]
    assert types(invoice("paid"), invoice("paid", open_minor=0)) == []


def test_an_invoice_that_credit_pays_whole_is_issued_and_paid() -> None:
    assert types(None, invoice("paid")) == ["invoice.issued", "invoice.paid"]
    assert types(invoice("draft"), invoice("paid")) == ["invoice.issued", "invoice.paid"]


def test_a_payment_is_settled_when_all_of_it_has_been_applied() -> None:
    settled = payment("settled", parts=2, parts_applied=1)
    assert types(payment("processing"), settled) == []
    assert types(settled, payment("settled", parts=2, parts_applied=2)) == ["payment.settled"]
    assert types(payment("processing"), payment("settled")) == ["payment.settled"]
    assert types(payment("settled"), payment("settled", payout_id="po_1")) == []
    assert types(None, payment("settled")) == []


def test_a_failed_payment_is_told_once() -> None:
    assert types(payment("started"), payment("failed")) == ["payment.failed"]
    assert types(payment("failed"), payment("failed")) == []
    assert types(payment("failed"), payment("settled")) == ["payment.settled"]


def test_an_order_is_news_when_it_is_held_and_when_it_is_accepted_each_once() -> None:
    assert types(None, order("held")) == ["order.discrepancy"]
    assert types(order("held"), order("held", approvals=1)) == []
    assert types(order("held"), order("accepted")) == ["order.accepted"]
    assert types(None, order("fulfilled")) == ["order.accepted"]
    assert types(order("accepted"), order("fulfilled")) == []
    assert types(order("held"), order("refused")) == []


def test_a_threshold_is_told_when_its_alert_is_inserted() -> None:
    assert types(None, alert()) == ["usage.threshold_reached"]
    assert types(alert(), alert()) == []


def test_a_reminder_is_told_when_it_is_decided_and_not_when_it_is_withdrawn() -> None:
    assert types(None, reminder()) == ["reminder.issued"]
    assert types(reminder(), reminder(revision=2)) == []


def test_a_note_is_told_once_and_names_nobody() -> None:
    assert types(None, note()) == ["note.written"]
    assert types(note(), note(language="de")) == []


def test_other_records_and_deletions_are_no_news() -> None:
    assert events_of(None, {"pk": "a", "sk": "body#inv_1", "kind": "body"}) == []
    assert events_of(invoice("issued"), None) == []


def test_the_same_change_has_the_same_event_id_and_different_ones_differ() -> None:
    first, again = (events_of(invoice("draft"), invoice("issued")) for _ in range(2))
    assert first == again
    paid = events_of(invoice("issued"), invoice("paid"))
    other = events_of(invoice("draft"), invoice("issued", invoice_id="inv_20261101bbbb"))
    assert len({first[0].id, paid[0].id, other[0].id}) == 3


def dispute(status: str = "open", **more: Any) -> dict[str, Any]:
    opened = {"at": "2026-02-03T10:00:00.000Z", "status": "open"}
    history = [opened] if status == "open" else [opened, {"at": "2026-02-04T10:00:00.000Z", "status": status}]
    facts = {"dispute_id": "dsp_20260203abc", "invoice_id": "inv_20260101abc", "number": "RE-2026-0001"}
    facts |= {"reason": "price", "currency": "EUR", "total_minor": 11900, "credited_minor": 0}
    owners = {"pk": "acct_eu_a", "sk": "dispute#dsp_20260203abc", "kind": "dispute", "entity_id": "ent_eu_seller"}
    return {**owners, **facts, "status": status, "history": history, **more}


def promise(status: str = "current", **more: Any) -> dict[str, Any]:
    history = [{"at": "2026-02-03T10:00:00.000Z", "status": "current"}]
    history += [{"at": "2026-03-05T07:00:00.000Z", "status": status}] if status != "current" else []
    owners = {"pk": "acct_eu_a", "sk": "promise#prm_abc", "kind": "promise", "entity_id": "ent_eu_seller"}
    facts = {"promise_id": "prm_abc", "currency": "EUR", "total_minor": 11900, "reason": "cash", "beyond": []}
    covers = [{"invoice_id": "inv_20260101abc", "number": "RE-2026-0001", "due_on": "2026-01-31", "minor": 11900}]
    instalments = [{"on": "2026-03-01", "minor": 11900}]
    return owners | facts | {"status": status, "history": history, "covers": covers, "instalments": instalments} | more


def test_a_promise_is_told_when_it_is_made_and_with_each_state_and_not_that_it_was_reminded_of() -> None:
    assert types(None, promise()) == ["promise.made"]
    assert types(promise(), promise(told=1, revision=2)) == []
    assert types(promise(), promise("broken")) == ["promise.changed"]


def test_a_dispute_is_told_when_it_is_opened_and_with_each_state_and_not_what_is_said() -> None:
    assert types(None, dispute()) == ["dispute.opened"]
    assert types(dispute(), dispute(messages=["x"], revision=2)) == []
    assert types(dispute(), dispute("refused")) == ["dispute.changed"]


CHANGES = [
    (invoice("draft"), invoice("issued")),
    (invoice("issued"), invoice("paid")),
    (payment("processing"), payment("settled")),
    (payment("started"), payment("failed")),
    (None, order("held")),
    (order("held"), order("accepted")),
    (None, credit_note()),
    (None, alert()),
    (None, reminder()),
    (None, note()),
    (None, bundle()),
    (None, dispute()),
    (dispute(), dispute("refused")),
    (None, promise()),
    (promise(), promise("broken")),
]


def _validator(name: str, version: int) -> Draft202012Validator:
    schema = json.loads((EVENTS / "schemas" / f"{name}.v{version}.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("change", CHANGES, ids=lambda c: f"{c[1]['kind']}.{c[1].get('status', 'inserted')}")
def test_every_event_conforms_to_its_published_schema(change: tuple[Any, Any]) -> None:
    for event in events_of(*change):
        _validator(event.type, event.version).validate(event.as_detail())


def test_every_schema_has_a_sample_that_conforms_and_is_what_is_produced() -> None:
    produced = {e.type: e.as_detail() for change in CHANGES for e in events_of(*change)}
    latest = dict(path.stem.rsplit(".v", 1) for path in sorted((EVENTS / "schemas").glob("*.json")))
    for name, version in latest.items():
        sample = json.loads((EVENTS / "samples" / f"{name}.json").read_text())
        _validator(name, int(version)).validate(sample)
        assert sample == produced[name], f"the sample of {name} is out of date"


@given(st.dictionaries(st.sampled_from(["legal_name", "email", "address", "sealed", "buyer"]), st.text()))
def test_nothing_but_the_listed_facts_ever_leaves_with_an_event(extra: dict[str, str]) -> None:
    for old, new in CHANGES:
        for event in events_of(old, new | extra):
            assert event == events_of(old, new)[0]
