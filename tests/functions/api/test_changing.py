"""Subscriptions sold and changed over the API: what a preview says is billed, what is wrong is named field by field."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from functions.api.v1.models import NextInvoiceOut
from saldo.quotes.reading import request_from
from saldo.subscriptions.reading import requested_subscription
from tests.founding import FOUNDER
from tests.functions.api.conftest import OWN_ACCOUNT, Api, Reply
from tests.simulation.world import ENTITY

HERE = f"/api/v1/accounts/{OWN_ACCOUNT}/subscriptions"
MORE_SEATS = {"id": "chg_seats", "kind": "quantity", "effective_on": "2026-02-20", "quantities": {"seats": "6"}}


def one(api: Api) -> str:
    return HERE + "/" + api.has[OWN_ACCOUNT]["subscription_id"]


def fields(reply: Reply) -> dict[str, str]:
    return {p["field"]: p["code"] for p in reply.json["problems"]}


def sold(**more: Any) -> dict[str, Any]:
    return {"id": "sub_eu_second", "plan_version": "seats_v1", "started_on": "2026-02-20", **more}


def test_what_was_previewed_is_what_the_next_run_bills(api: Api) -> None:
    ahead = api.post(one(api) + "/changes/preview", MORE_SEATS)
    assert ahead.status == 200, ahead
    assert api.get(one(api)).json["changes"] == [], "a preview writes nothing"
    changed = api.post(one(api) + "/changes", MORE_SEATS)
    assert changed.status == 201
    assert changed.json["changes"] == [{"kind": "quantity", "effective_on": "2026-02-20"}]
    shown = NextInvoiceOut.model_validate(ahead.json)
    api.world.run(shown.on)
    (last, *_) = api.get(f"/api/v1/invoices?account={OWN_ACCOUNT}&issued_from={shown.on}").json["data"]
    billed = api.get(last["url"]).json
    assert [(line["name"], line["amount"]) for line in billed["lines"]] == [
        (line.name, line.amount) for line in shown.so_far.lines
    ]
    assert billed["net_minor"] == shown.so_far.net_minor


def test_a_change_that_is_named_is_taken_once(api: Api) -> None:
    first, again = (api.post(one(api) + "/changes", MORE_SEATS) for _ in range(2))
    assert (first.status, again.status) == (201, 201)
    assert len(again.json["changes"]) == 1


def test_changes_may_come_in_any_order(api: Api) -> None:
    earlier = {**MORE_SEATS, "id": "chg_before", "effective_on": "2026-02-10", "quantities": {"seats": "3"}}
    for change in (MORE_SEATS, earlier):
        assert api.post(one(api) + "/changes", change).status == 201
    days = [change["effective_on"] for change in api.get(one(api)).json["changes"]]
    assert days == ["2026-02-10", "2026-02-20"]


def test_everything_wrong_with_a_change_is_named(api: Api) -> None:
    reply = api.post(one(api) + "/changes", {"kind": "upgrade", "effective_on": "soon", "colour": "red"})
    assert (reply.status, reply.code) == (422, "invalid_input")
    assert fields(reply) == {"kind": "unknown_choice", "effective_on": "not_a_date", "colour": "unknown_field"}
    reply = api.post(one(api) + "/changes", {"kind": "plan", "effective_on": "2026-02-20", "plan_version": "gone_v1"})
    assert (reply.code, fields(reply)) == ("invalid_change", {"plan_version": "unknown_plan"})
    reply = api.post(one(api) + "/changes", {**MORE_SEATS, "id": "mine", "quantities": {"desks": "1", "seats": "-1"}})
    assert (reply.code, fields(reply)) == ("invalid_input", {"id": "invalid_id"})
    reply = api.post(one(api) + "/changes", {**MORE_SEATS, "quantities": {"desks": "1", "seats": "-1"}})
    told = {"quantities.desks": "unknown_component", "quantities.seats": "negative_quantity"}
    assert (reply.code, fields(reply)) == ("invalid_change", told)
    assert api.get(one(api)).json["changes"] == []


def test_a_subscription_is_sold_and_billed_from_its_first_day(api: Api) -> None:
    reply = api.post(HERE, sold(quantities={"seats": "2"}, trial_end_on="2026-03-06", purchase_order="PO-1"))
    assert (reply.status, reply.json["status"]) == (201, "trialing"), reply
    assert api.get(reply.json["url"]).json == reply.json
    api.world.run(date(2026, 3, 6))
    found = [api.get(i["url"]).json for i in api.get(f"/api/v1/invoices?account={OWN_ACCOUNT}").json["data"]]
    lines = [line for invoice in found for line in invoice["lines"] if line["subscription"] == "sub_eu_second"]
    assert {(line["from"], line["amount"]) for line in lines} == {("2026-03-06", "49.00"), ("2026-03-06", "15.00")}


def test_a_subscription_is_sold_for_a_term_that_renews_itself(api: Api) -> None:
    term = {"unit": "month", "count": 3, "notice_days": 14, "uplift_percent": "10"}
    reply = api.post(HERE, sold(quantities={"seats": "1"}, term=term))
    told = {"announce_days": 30, "newest_price": False} | term
    assert (reply.status, reply.json["term"]) == (201, told), reply
    assert api.post(HERE, sold(quantities={"seats": "1"}, term=term)).json == reply.json
    assert api.post(HERE, sold(quantities={"seats": "1"})).code == "subscription_exists"
    (kept,) = api.world.store.query_all(OWN_ACCOUNT, prefix="term#")
    assert kept["sk"] == "term#sub_eu_second" and kept["agenda_on"] == "2026-04-20", "30 days ahead it is announced"


def test_a_term_is_read_as_a_quote_reads_it(api: Api) -> None:
    """So that what was tried before it was sold is what is sold."""
    term = {"unit": "month", "count": 12, "notice_days": 60, "uplift_percent": "3.5"}
    document: dict[str, Any] = {
        "billing": {"on": "2026-02-20"},
        "plans": [{"id": "team", "components": [{"id": "fee", "price": {"kind": "flat", "amount": "100"}}]}],
        "subscriptions": [{"plan": "team", "started_on": "2026-02-20", "term": term}],
    }
    (quoted,) = request_from(document).subscriptions
    assert requested_subscription(sold(term=term), "", OWN_ACCOUNT, ENTITY.id).term == quoted.term


def test_everything_wrong_with_a_term_is_named(api: Api) -> None:
    reply = api.post(HERE, sold(term={"unit": "moon", "count": 0, "notice_days": "soon", "colour": "red"}))
    told = {"unit": "unknown_choice", "count": "not_a_length", "notice_days": "not_whole", "colour": "unknown_field"}
    assert (reply.code, fields(reply)) == ("invalid_input", {f"term.{name}": code for name, code in told.items()})
    reply = api.post(HERE, sold(term={"unit": "day", "count": 10, "notice_days": 400, "uplift_percent": "-1"}))
    told = {"count": "not_whole_cycles", "notice_days": "not_in_a_year", "uplift_percent": "not_a_percentage"}
    assert reply.code == "invalid_subscription"
    assert {f"term.{name}": code for name, code in told.items()}.items() <= fields(reply).items()
    assert len(api.get(HERE).json["data"]) == 1


def test_a_subscription_that_is_named_is_sold_once_and_never_on_other_terms(api: Api) -> None:
    first, again = (api.post(HERE, sold()) for _ in range(2))
    assert first.json == again.json and len(api.get(HERE).json["data"]) == 2
    other = api.post(HERE, sold(quantities={"seats": "9"}))
    assert (other.status, other.code) == (409, "subscription_exists")


def test_everything_wrong_with_a_sale_is_named(api: Api) -> None:
    reply = api.post(HERE, {"started_on": "2026-13-01", "alignment": "moon", "quantities": {"seats": "many"}})
    told = {
        "started_on": "not_a_date",
        "plan_version": "missing",
        "alignment": "unknown_choice",
        "quantities.seats": "not_a_number",
    }
    assert (reply.code, fields(reply)) == ("invalid_input", told)
    reply = api.post(HERE, sold(trial_end_on="2026-02-01", quantities={"desks": "1"}))
    told = {"trial_end_on": "before_start", "quantities.desks": "unknown_component"}
    assert (reply.code, fields(reply)) == ("invalid_subscription", told)
    assert api.post(HERE, sold(plan_version="gone_v1")).status == 404


def test_a_meter_that_another_subscription_bills_is_not_sold_again_and_named_with_all_else(api: Api) -> None:
    reply = api.post(HERE, sold(plan_version="core_v1", quantities={"desks": "1"}))
    told = {"plan_version": "meter_claimed_twice", "quantities.desks": "unknown_component"}
    assert (reply.status, reply.code, fields(reply)) == (422, "invalid_subscription", told)
    (said,) = [p["message"] for p in reply.json["problems"] if p["code"] == "meter_claimed_twice"]
    assert said.startswith(f"tokens is billed by {api.has[OWN_ACCOUNT]['subscription_id']} from 2026-02-20 on: ")
    assert api.post(HERE, sold()).status == 201
    moved = {"kind": "plan", "effective_on": "2026-03-01", "plan_version": "core_v1"}
    for path in ("/changes", "/changes/preview"):
        reply = api.post(HERE + "/sub_eu_second" + path, moved)
        assert (reply.code, fields(reply)) == ("invalid_change", {"plan_version": "meter_claimed_twice"})
    assert api.post(one(api) + "/changes", {"kind": "cancel", "effective_on": "2026-03-01"}).status == 201
    assert api.post(HERE + "/sub_eu_second/changes", moved).status == 201, "one ends before the other begins"


@pytest.mark.parametrize("path", [HERE, HERE + "/sub_000001/changes"])
def test_what_was_done_is_on_record_with_the_key_that_did_it(api: Api, path: str) -> None:
    token, key = api.new_key("subscriptions:write")
    assert api.post(path, MORE_SEATS if path.endswith("changes") else sold(), token).status == 201
    audited = [
        item for item in api.world.store.query_all(OWN_ACCOUNT, prefix="audit#") if "subscription." in item["action"]
    ]
    assert [item["actor"]["id"] for item in audited] == [FOUNDER.id, key.id]


def test_another_customers_subscription_is_as_good_as_none(api: Api) -> None:
    theirs = f"/api/v1/accounts/acct_eu_000002/subscriptions/{api.has[OWN_ACCOUNT]['subscription_id']}"
    for path in ("/changes", "/changes/preview"):
        assert api.post(theirs + path, MORE_SEATS).code == "not_found"


def test_the_next_invoice_tells_usage_so_far_and_how_it_will_end(api: Api) -> None:
    api.world.use(OWN_ACCOUNT, date(2026, 2, 10), 500, "e1")
    told = api.get(f"/api/v1/accounts/{OWN_ACCOUNT}/next-invoice").json
    (meter,) = told["meters"]
    assert (meter["meter"], meter["so_far"], meter["from"], meter["until"]) == (
        "tokens",
        "500",
        "2026-02-01",
        "2026-03-01",
    )
    assert int(float(meter["forecast"])) > 500 and told["on"] == "2026-03-01"
    assert told["expected"]["net_minor"] > told["so_far"]["net_minor"] > 0
    assert told["currency"] == ENTITY.currency


def test_an_account_with_nothing_ahead_says_so(api: Api) -> None:
    for n in range(2):
        end = {"kind": "cancel", "effective_on": "2026-02-20", "id": f"chg_end{n}"}
        api.post(one(api) + "/changes", end)
    api.world.run(date(2026, 3, 1))
    reply = api.get(f"/api/v1/accounts/{OWN_ACCOUNT}/next-invoice")
    assert (reply.status, reply.code) == (422, "nothing_ahead")


def test_calls_to_the_table_are_as_few_as_the_readme_says(api: Api) -> None:
    token, client = api.token(), api.world.client
    ahead = f"/api/v1/accounts/{OWN_ACCOUNT}/next-invoice"
    api.get(ahead, token)  # the first of a minute costs two more
    asked = [
        (lambda: api.get(ahead, token), 9),
        (lambda: api.post(one(api) + "/changes/preview", MORE_SEATS, token), 13),
        (lambda: api.post(one(api) + "/changes", MORE_SEATS, token), 6),
        (lambda: api.post(HERE, sold(), token), 6),
        (lambda: api.post(one(api) + "/changes", {"kind": "cancel", "effective_on": "2026-03-01"}, token), 6),
        (lambda: api.post(HERE, sold(id="sub_eu_third", plan_version="core_v1", started_on="2026-03-01"), token), 8),
    ]
    counted = []
    for ask, most in asked:
        before = client.calls
        assert ask().status in (200, 201)
        counted.append((client.calls - before, most))
    assert all(calls <= most for calls, most in counted), counted
