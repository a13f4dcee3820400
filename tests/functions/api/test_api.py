"""What the API answers."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner

from functions.api import services
from local.cli.quote import quote as quote_command
from saldo.accounts.records import customer_item
from saldo.invoicing.codec import body_from_bytes, body_to_bytes
from saldo.invoicing.records import body_item, body_key, header_key
from saldo.kernel.exchange import ExchangeRate
from saldo.storage.units import Unit
from saldo.usage.accept import limit_producer
from saldo.usage.records import events_of_chunk
from saldo.usage.rules_limits import Limit
from tests.contexts.sellers import account
from tests.functions.api.conftest import OPERATOR, OTHER_ACCOUNT, OTHER_ENTITY, OWN_ACCOUNT, Api, Reply

ONE, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
DOCUMENT = {
    "billing": {"from": "2026-01-01", "through": "2026-02-01"},
    "plans": [{"id": "team", "components": [{"id": "seats", "price": {"kind": "per_unit", "unit_price": 7.35}}]}],
    "subscriptions": [{"plan": "team", "started_on": "2026-01-01", "quantities": {"seats": "3"}}],
    "taxes": {"rates": [{"percent": "19"}]},
}


def event(number: int, **changes: Any) -> dict[str, Any]:
    fields = {
        "specversion": "1.0",
        "type": "com.example.tokens",
        "source": "gateway-1",
        "id": f"e{number}",
        "subject": "acct_eu_000001",
        "time": "2026-02-01T10:00:00Z",
        "data": {"meter": "tokens", "value": 1.1},
    }
    return {**fields, **changes}


def send(api: Api, events: Any, **headers: str) -> Reply:
    kind = BATCH if isinstance(events, list) else ONE
    return api.post("/api/v1/usage-events", events, content_type=kind, **headers)


# -- quotes ------------------------------------------------------------------------------------------------------------


def test_a_quote_is_the_one_of_the_command_line(api: Api, tmp_path: Any) -> None:
    file = tmp_path / "quote.json"
    file.write_text(json.dumps(DOCUMENT))
    told = CliRunner().invoke(quote_command, [str(file), "--json"], catch_exceptions=False)
    reply = api.post("/api/v1/quotes", DOCUMENT)
    assert reply.status == 200 and reply.json == json.loads(told.stdout)
    assert [i["total"] for i in reply.json["invoices"]] == ["26.24", "26.24"]


def test_a_quote_that_cannot_be_read_names_every_field_at_once(api: Api) -> None:
    reply = api.post("/api/v1/quotes", {**DOCUMENT, "billing": {"on": "soon"}, "currency": 5, "surprise": 1})
    assert (reply.status, reply.code) == (422, "invalid_input")
    assert {p["field"] for p in reply.json["problems"]} >= {"billing.on", "currency", "surprise"}
    assert all(set(p) == {"field", "code", "message"} for p in reply.json["problems"])


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000, b"", b"1e9999"])
def test_what_is_not_json_is_refused_as_such(api: Api, body: bytes) -> None:
    reply = api.post("/api/v1/quotes", body)
    assert reply.status in (400, 422) and reply.code in ("not_json", "invalid_input")


def test_a_quote_of_too_much_is_refused_and_not_cut_off(api: Api) -> None:
    daily = {"id": "d", "cycle_unit": "day", "components": [{"id": "a", "price": {"kind": "flat", "amount": "1"}}]}
    document = {
        "billing": {"from": "2026-01-01", "through": "2039-01-01"},
        "plans": [daily],
        "subscriptions": [{"plan": "d", "started_on": "2026-01-01"}],
    }
    reply = api.post("/api/v1/quotes", document)
    assert (reply.status, reply.code) == (422, "answer_too_large"), reply.text[:300]


def test_a_quote_of_too_many_lines_is_refused_before_it_takes_too_long(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("saldo.quotes.rules.MOST_LINES", 2)
    assert api.post("/api/v1/quotes", DOCUMENT).status == 200
    longer = {**DOCUMENT, "billing": {"from": "2026-01-01", "through": "2026-03-01"}}
    assert api.post("/api/v1/quotes", longer).code == "too_many_lines"


# -- usage -------------------------------------------------------------------------------------------------------------


def test_one_event_is_stored_once_however_often_it_comes(api: Api) -> None:
    replies = [send(api, event(1)) for _ in range(2)]
    assert [r.status for r in replies] == [202, 202]
    assert [r.json["event"] for r in replies] == [{"status": s, "problems": []} for s in ("accepted", "duplicate")]


def test_a_bad_event_hears_everything_that_is_wrong_with_it(api: Api) -> None:
    reply = send(api, event(2, subject="acct_eu_gone", time="yesterday", data={"meter": "tokens", "value": "-1"}))
    assert (reply.status, reply.json["event"]["status"]) == (202, "rejected")
    problems = {p["code"] for p in reply.json["event"]["problems"]}
    assert problems >= {"invalid_time", "negative_value", "unknown_account"}


def test_a_batch_is_queued_and_its_bad_events_are_told_when_it_was_taken_in(api: Api) -> None:
    bad = event(2, subject="acct_eu_gone")
    told = send(api, [event(1), bad, event(3), event(1)]).json
    assert (told["events"], told["event"]) == (4, None)
    rejected = f"/api/v1/usage-batches/{told['batch_id']}/rejected"
    assert api.get(rejected).json == {"batch_id": told["batch_id"], "rejected": []}
    api.take_in_what_waits()
    (one,) = api.get(rejected).json["rejected"]
    assert one["index"] == 1 and [p["code"] for p in one["problems"]] == ["unknown_account"]
    assert api.get(rejected, api.token(entity_id=OTHER_ENTITY)).json["rejected"] == []
    assert api.get("/api/v1/usage-batches/x/rejected").json["rejected"] == []


def test_a_producer_that_sends_too_fast_hears_when_to_come_again(api: Api) -> None:
    limit_producer(services.store(), services.clock, "ent_eu_seller", "tests", Limit(per_s=1, burst=3), OPERATOR)
    assert send(api, [event(n) for n in range(3)]).status == 202
    reply = send(api, [event(3), event(4)])
    assert (reply.status, reply.code, reply.headers["retry-after"]) == (429, "too_many_events", "2")
    api.clock.advance(seconds=2)
    assert send(api, [event(3), event(4)]).status == 202
    assert len(api.queue.messages) == 2


def test_values_stay_exact(api: Api) -> None:
    body = json.dumps(event(1)).replace("1.1", "0.1000000000000000000000000000001").encode()
    reply = api.post("/api/v1/usage-events", body, content_type=ONE)
    assert reply.json["event"]["status"] == "accepted"
    stored = [i for i in api.world.store.scan() if i["pk"] == "acct_eu_000001" and i["sk"].startswith("usage#tokens")]
    assert [str(e.value) for e in events_of_chunk(stored[0])] == ["0.1000000000000000000000000000001"]


@pytest.mark.parametrize(
    ("body", "kind"), [([], BATCH), ([event(1)], ONE), (event(1), BATCH), (["x"], BATCH), (b"[", BATCH), (b"", ONE)]
)
def test_a_body_of_the_wrong_shape_is_refused_whole(api: Api, body: Any, kind: str) -> None:
    reply = api.post("/api/v1/usage-events", body, content_type=kind)
    assert (reply.status, reply.code) == (400, "invalid_batch")


def test_a_batch_of_too_many_events_is_refused_whole(api: Api) -> None:
    reply = send(api, [{"id": str(n)} for n in range(1001)])
    assert (reply.status, reply.code, api.queue.messages) == (413, "batch_too_large", [])


def test_a_body_of_another_type_is_refused(api: Api) -> None:
    reply = api.post("/api/v1/usage-events", event(1), content_type="application/json")
    assert (reply.status, reply.code) == (415, "unsupported_media_type")
    assert "/api/v1/openapi.json" in reply.json["detail"]


# -- orders ------------------------------------------------------------------------------------------------------------


def order(**changes: Any) -> dict[str, Any]:
    line = {"number": "1", "sku": "plan_core", "quantity": "2"}
    fields = {"purchase_order": "PO-1", "order_on": "2026-02-20", "customer": {"account": "acct_eu_000001"}}
    return {**fields, "lines": [line], **changes}


def test_an_order_is_received_once_and_its_discrepancies_are_told(api: Api) -> None:
    first = api.post("/api/v1/orders", order())
    assert first.status == 202 and first.json["account"] == "acct_eu_000001", first.text
    assert not first.json["repeated"] and first.json["discrepancies"]
    again = api.post("/api/v1/orders", order())
    assert again.json["id"] == first.json["id"] and again.json["repeated"]
    unknown = api.post("/api/v1/orders", order(purchase_order="PO-2", customer={"duns": "123456789"}))
    assert "unknown_customer" in {d["code"] for d in unknown.json["discrepancies"]}
    assert unknown.json["account"] is None


def test_numbers_of_an_order_are_taken_digit_by_digit(api: Api) -> None:
    """Written as JSON numbers, more digits than a binary fraction holds; nothing may pass through one on the way."""
    line = {"number": "1", "sku": "plan_core", "quantity": "QUANTITY", "unit_price": "PRICE"}
    body = json.dumps(order(lines=[line])).replace('"QUANTITY"', "2.10000000000000000001").replace('"PRICE"', "0.10")
    reply = api.post("/api/v1/orders", body.encode())
    assert reply.status == 202, reply.text
    (stored,) = [i for i in api.world.store.scan() if i["kind"] == "order"]
    (kept,) = stored["lines"]
    asked = kept["asked"]
    assert (asked["quantity"], asked["unit_price"]) == ("2.10000000000000000001", "0.1"), asked


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_in_json_is_refused(api: Api, word: str) -> None:
    line = {"number": "1", "sku": "plan_core", "quantity": "QUANTITY"}
    body = json.dumps(order(lines=[line])).replace('"QUANTITY"', word)
    reply = api.post("/api/v1/orders", body.encode())
    assert (reply.status, reply.code) == (400, "not_json"), reply.text


def test_an_order_names_its_delivery_for_ever_by_its_idempotency_key(api: Api) -> None:
    api.post("/api/v1/orders", order(), idempotency_key="a")
    api.clock.advance(days=3)
    reply = api.post("/api/v1/orders", order(purchase_order="PO-2"), idempotency_key="a")
    assert (reply.status, reply.code) == (422, "idempotency_key_reused")


def test_an_order_that_cannot_be_read_names_every_field_at_fault(api: Api) -> None:
    reply = api.post("/api/v1/orders", order(order_on="soon", lines=[{"number": 5}], colour="red"))
    assert reply.code == "invalid_input"
    fields = {p["field"] for p in reply.json["problems"]}
    assert fields >= {"order_on", "lines[0].number", "lines[0].quantity", "colour"}
    assert api.post("/api/v1/orders", b"{NaN}").code == "not_json"


def test_another_sellers_customer_cannot_be_ordered_for(api: Api) -> None:
    before = [i for i in api.world.store.scan() if i["pk"] == OTHER_ACCOUNT]
    reply = api.post("/api/v1/orders", order(customer={"account": OTHER_ACCOUNT}))
    assert "unknown_customer" in {d["code"] for d in reply.json["discrepancies"]}
    assert OTHER_ACCOUNT not in reply.text
    assert [i for i in api.world.store.scan() if i["pk"] == OTHER_ACCOUNT] == before


# -- the same request again --------------------------------------------------------------------------------------------


def test_the_same_request_under_one_key_gets_the_same_answer(api: Api) -> None:
    first = send(api, event(1), idempotency_key="a")
    again = send(api, event(1), idempotency_key="a")
    assert again.text == first.text and again.status == first.status == 202
    assert "idempotent-replayed" not in first.headers and again.headers["idempotent-replayed"] == "true"
    assert again.headers["ratelimit-remaining"] != first.headers["ratelimit-remaining"]


def test_another_request_under_the_key_is_refused(api: Api) -> None:
    send(api, event(1), idempotency_key="a")
    reply = send(api, event(2), idempotency_key="a")
    assert (reply.status, reply.code) == (422, "idempotency_key_reused")
    assert send(api, event(2), idempotency_key="b").json["event"]["status"] == "accepted"
    assert api.post("/api/v1/quotes", DOCUMENT, idempotency_key="a").status == 200  # a name holds on its own route


def test_a_refusal_is_not_remembered(api: Api) -> None:
    assert api.post("/api/v1/quotes", {}, idempotency_key="a").status == 422
    assert api.post("/api/v1/quotes", DOCUMENT, idempotency_key="a").status == 200


@pytest.mark.parametrize("name", ["", "x" * 256, "ä"])
def test_a_key_of_another_shape_is_refused(api: Api, name: str) -> None:
    reply = send(api, event(1), idempotency_key=name)
    assert (reply.status, reply.code) == (400, "invalid_request")


# -- invoices ----------------------------------------------------------------------------------------------------------


def walked(api: Api, query: str = "", limit: int = 2) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    for _ in range(50):
        page = api.get(f"/api/v1/invoices?limit={limit}&cursor={cursor}{query}").json
        assert len(page["data"]) <= limit
        found += page["data"]
        cursor = page["next_cursor"]
        assert page["has_more"] == (cursor is not None)
        if cursor is None:
            return found
    raise AssertionError("the list has no end")


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6, 100])
def test_pages_of_any_size_show_every_invoice_once(api: Api, limit: int) -> None:
    found = walked(api, limit=limit)
    assert [(i["account"], i["issued_on"]) for i in found] == [
        (f"acct_eu_00000{n}", on) for n in range(3) for on in ("2026-02-01", "2026-01-01")
    ]


def test_filters_narrow_the_list(api: Api) -> None:
    api.clock.advance(days=-10)
    assert len(walked(api, "&account=acct_eu_000001")) == 2
    assert {i["issued_on"] for i in walked(api, "&issued_from=2026-01-15")} == {"2026-02-01"}
    assert {i["issued_on"] for i in walked(api, "&issued_to=2026-01-31", 1)} == {"2026-01-01"}
    assert {i["issued_on"] for i in walked(api, "&status=overdue", 1)} == {"2026-01-01"}
    assert walked(api, "&status=paid") == []
    assert len(walked(api, "&status=open", 100)) == 6


def test_drafts_are_never_shown(api: Api) -> None:
    (one,) = api.get("/api/v1/invoices?account=acct_eu_000001&limit=1").json["data"]
    unit = Unit("draft").update(header_key(one["account"], one["id"]), set={"status": "draft"})
    api.world.store.write_one(unit)
    assert one["id"] not in [i["id"] for i in walked(api)]
    assert api.get(one["url"]).status == 404


def test_every_wrong_parameter_is_named(api: Api) -> None:
    reply = api.get("/api/v1/invoices?account=x&status=late&issued_from=1&limit=0&colour=red&limit=5")
    assert (reply.status, reply.code) == (422, "invalid_input")
    assert {p["field"] for p in reply.json["problems"]} == {"account", "status", "issued_from", "limit", "colour"}
    assert api.get("/api/v1/invoices?issued_from=2026-02-01&issued_to=2026-01-01").json["problems"][0]["field"] == (
        "issued_to"
    )


@pytest.mark.parametrize("day", ["0", "20260101", "2026-02-30", "2026-1-1", ""])
def test_a_day_is_written_in_one_way_only(api: Api, day: str) -> None:
    reply = api.get(f"/api/v1/invoices?issued_to={day}")
    assert [p["field"] for p in reply.json["problems"]] == ["issued_to"]
    assert "Value error" not in reply.text


@pytest.mark.parametrize("cursor", ["x", "WyJhY2N0X2V1XzAwMDAwMSIsInpaIl0", "W10", "bnVsbA", "WzEsMl0"])
def test_a_cursor_that_is_not_ours_is_refused(api: Api, cursor: str) -> None:
    reply = api.get(f"/api/v1/invoices?cursor={cursor}")
    assert (reply.status, reply.code) == (400, "invalid_cursor")


def test_a_cursor_of_one_accounts_list_is_none_of_anothers(api: Api) -> None:
    cursor = api.get("/api/v1/invoices?account=acct_eu_000000&limit=1").json["next_cursor"]
    assert api.get(f"/api/v1/invoices?account=acct_eu_000001&cursor={cursor}").code == "invalid_cursor"


def test_a_list_of_many_idle_customers_stops_after_some_calls_and_goes_on(api: Api) -> None:
    idle = [account(f"acct_eu_idle{n:04}", entity_id="ent_eu_seller") for n in range(150)]
    api.world.store.put_many([customer_item(one) for one in idle])
    page = api.get("/api/v1/invoices?limit=100").json
    assert len(page["data"]) == 6 and page["has_more"]
    assert api.get(f"/api/v1/invoices?cursor={page['next_cursor']}").json == {
        "data": [],
        "has_more": False,
        "next_cursor": None,
    }


def test_an_invoice_says_whether_it_has_changed(api: Api) -> None:
    (one,) = api.get("/api/v1/invoices?account=acct_eu_000001&limit=1").json["data"]
    reply = api.get(one["url"])
    assert reply.json.items() >= one.items()
    assert sum(line["amount_minor"] for line in reply.json["lines"]) == one["net_minor"]
    etag = reply.headers["etag"]
    same = api.get(one["url"], if_none_match=f'"other", {etag}')
    assert (same.status, same.text, same.headers["etag"]) == (304, "", etag)
    paid = Unit("pay").update(header_key(one["account"], one["id"]), set={"open_minor": 5, "status": "part_paid"})
    api.world.store.write_one(paid)
    changed = api.get(one["url"], if_none_match=etag)
    assert (changed.status, changed.json["open"]) == (200, "0.05") and changed.headers["etag"] != etag


def test_an_invoice_tells_what_a_payer_files_it_under(api: Api) -> None:
    (one,) = api.get("/api/v1/invoices?account=acct_eu_000001&limit=1").json["data"]
    plain = api.get(one["url"]).json
    assert [plain[n] for n in ("purchase_order", "cost_centre", "of_invoice", "exchange")] == ["", "", "", None]
    item = api.world.store.get(*body_key(one["account"], one["id"]))
    assert item
    body = body_from_bytes(item["body"])
    rate = ExchangeRate("EUR", "JPY", Decimal("182.05"), "ECB", date(2026, 1, 30))
    lines = (body.lines[0]._replace(account_id="acct_eu_000002"), *body.lines[1:])
    split = replace(body, purchase_order="PO-77", cost_centre="CC-1", exchange=rate, lines=lines)
    api.world.store.put_many([body_item(one["account"], one["id"], body_to_bytes(split))])
    told = api.get(one["url"]).json
    assert (told["purchase_order"], told["cost_centre"], told["exchange"]["rate"]) == ("PO-77", "CC-1", "182.05")
    assert [line["account"] for line in told["lines"]][:2] == ["acct_eu_000002", one["account"]]


def test_who_looked_at_an_invoice_is_on_record_with_the_account(api: Api) -> None:
    token, key = api.new_key("invoices:read")
    (one,) = api.get("/api/v1/invoices?account=acct_eu_000001&limit=1", token).json["data"]
    api.get(one["url"], token)
    trail = api.world.store.query_all(one["account"], prefix="audit#")
    assert [(i["actor"]["id"], i["subject_id"]) for i in trail if i["action"] == "invoice.viewed"] == [
        (key.id, one["id"])
    ]


# -- payments, subscriptions -------------------------------------------------------------------------------------------


def test_payments_come_in_pages_and_one_says_what_it_settled(api: Api) -> None:
    home = f"/api/v1/accounts/{OWN_ACCOUNT}/payments"
    page = api.get(f"{home}?limit=1")
    (one,) = page.json["data"]
    assert (one["id"], one["amount_minor"], one["unapplied_minor"]) == (api.has[OWN_ACCOUNT]["payment_id"], 1000, 0)
    assert [a["amount"] for a in one["applied"]] == ["10.00"]
    rest = api.get(f"{home}?cursor={page.json['next_cursor']}") if page.json["has_more"] else None
    assert rest is None or (rest.json["data"], rest.json["has_more"]) == ([], False)
    reply = api.get(one["url"])
    assert reply.json == one and api.get(one["url"], if_none_match=reply.headers["etag"]).status == 304
    assert (
        api.get(f"{home}?limit=0&more=1").code == "invalid_input"
        and api.get(f"{home}?cursor=x").code == "invalid_cursor"
    )


def test_subscriptions_are_those_that_runs_bill(api: Api) -> None:
    (one,) = api.get(f"/api/v1/accounts/{OWN_ACCOUNT}/subscriptions").json["data"]
    assert (one["status"], one["next_bill_on"], one["quantities"]) == ("active", "2026-03-01", {"seats": "2"})
    reply = api.get(one["url"])
    assert reply.json == one and api.get(one["url"], if_none_match="*").status == 304


def test_a_call_costs_as_few_calls_to_the_table_as_its_documentation_says(api: Api) -> None:
    token = api.token()
    api.get("/api/v1/invoices?account=acct_eu_000001", token)  # the first of a minute costs two more
    (one,) = api.get("/api/v1/invoices?account=acct_eu_000001&limit=1", token).json["data"]
    client = api.world.client
    for path, most in ((one["url"], 4), ("/api/v1/invoices?account=acct_eu_000001", 3)):
        before = client.calls
        api.get(path, token)
        assert client.calls - before <= most
    before = client.calls
    api.post("/api/v1/quotes", DOCUMENT, token)
    assert client.calls - before == 1
