"""A quote's document: what it accepts, what it says when it does not, and that it reckons as a run does."""

from __future__ import annotations

import copy
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from saldo.kernel.errors import Refusal
from saldo.quotes.service import quote_document, quote_schema, quote_text

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = re.findall(r"```json\n(.*?)```", (ROOT / "docs" / "quote.md").read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_example_of_the_documentation_is_accepted_by_schema_and_quote(text: str) -> None:
    jsonschema.validate(json.loads(text), quote_schema())
    assert quote_text(text)["invoices"]


def test_the_published_schema_is_the_one_that_ships() -> None:
    published = json.loads((ROOT / "docs" / "schemas" / "quote.schema.json").read_text("utf-8"))
    assert published == quote_schema()
    jsonschema.Draft202012Validator.check_schema(published)


def test_the_first_example_is_reckoned_to_the_cent() -> None:
    short, first, second = quote_text(EXAMPLES[0])["invoices"]
    assert [line["amount"] for line in short["lines"]] == ["24.15", "24.19"]  # 15 of 31 days of 49.90 and of 4 × 12.50
    assert [line["amount"] for line in first["lines"]] == ["112.00", "49.90", "50.00"]
    assert (first["net"], first["tax"], first["total"]) == ("211.90", "40.26", "252.16")
    assert second["total"] == "252.16"
    assert short["lines"][0]["reasoning"][1] == "15 of 31 days of the period: 49.9 × 15/31"


def test_the_example_of_changes_tells_every_credit_and_charge() -> None:
    invoices = {i["issued_on"]: [line["amount"] for line in i["lines"]] for i in quote_text(EXAMPLES[1])["invoices"]}
    assert invoices["2026-06-15"] == ["-15.47", "26.13", "5.33"]
    assert invoices["2026-07-10"] == ["-7.10", "17.74"]
    assert invoices["2026-08-10"] == ["34.77", "17.74"]
    assert invoices["2026-08-21"] == ["-17.39", "-8.87"]


def test_every_problem_of_a_document_is_told_with_its_field() -> None:
    document: dict[str, Any] = {
        "currency": "euro",
        "billing": {"from": "2026-02-01", "through": "2026-01-01"},
        "account": {"time_zone": "Mars/Olympus"},
        "plans": [{"id": "p", "components": [{"id": "c", "price": {"kind": "per_unit", "unit_price": "-1"}}]}],
        "subscriptions": [{"plan": "q", "started_on": "someday", "quantity": 1}],
        "coupons": [{}],
        "taxes": {"rates": [{}]},
        "colour": "red",
    }
    with pytest.raises(Refusal) as refused:
        quote_document(document)
    assert {p.field for p in refused.value.problems} >= {
        "currency",
        "billing.through",
        "account.time_zone",
        "plans[0].components[0].price.unit_price",
        "subscriptions[0].started_on",
        "subscriptions[0].plan",
        "subscriptions[0].quantity",
        "coupons[0].percent",
        "taxes.rates[0].percent",
        "colour",
    }


@pytest.mark.parametrize("document", [None, [], 7, "text", {}, {"billing": []}, {"billing": {"on": 3}}])
def test_what_is_no_document_is_refused_and_does_not_break(document: Any) -> None:
    with pytest.raises(Refusal) as refused:
        quote_document(document)
    assert refused.value.problems


def test_a_document_of_nulls_and_nonsense_is_refused_field_by_field() -> None:
    full = json.loads(EXAMPLES[0])
    for name in full:
        broken = copy.deepcopy(full)
        broken[name] = {"nonsense": [1, 2]} if not isinstance(full[name], dict) else ["nonsense"]
        with pytest.raises(Refusal) as refused:
            quote_document(broken)
        assert any(p.field.startswith(name) for p in refused.value.problems), name


def test_a_json_number_is_read_digit_by_digit() -> None:
    text = '{"billing": {"on": "2026-01-31"}, "items": [{"unit_price": 1.005, "quantity": 100}]}'
    assert Decimal(quote_text(text)["invoices"][0]["total"]) == Decimal("100.50")


def test_the_same_document_yields_the_same_answer() -> None:
    assert quote_text(EXAMPLES[1]) == quote_text(EXAMPLES[1])


def test_quotes_to_the_second_follow_the_clocks_of_the_account() -> None:
    """March 2025 in Berlin has an hour less: half a day of it is 43,200 of 2,674,800 seconds."""
    plans = [
        {"id": n, "day_count": "second", "components": [{"id": "fee", "price": {"kind": "flat", "amount": a}}]}
        for n, a in (("a", "26748"), ("b", "53496"))
    ]
    changes = [
        {"kind": "plan", "plan": "b", "effective_at": "2025-03-15T11:00:00Z"},
        {"kind": "plan", "plan": "a", "effective_at": "2025-03-15T23:00:00Z"},
    ]
    document = {
        "billing": {"dates": ["2025-03-01", "2025-03-20"]},
        "account": {"time_zone": "Europe/Berlin"},
        "plans": plans,
        "subscriptions": [{"plan": "a", "started_on": "2025-03-01", "changes": changes}],
    }
    assert [invoice["net"] for invoice in quote_document(document)["invoices"]] == ["26748.00", "432.00"]


def test_a_coupon_for_some_invoices_ends_and_one_for_a_component_spares_the_others() -> None:
    document = json.loads(EXAMPLES[0]) | {
        "taxes": {},
        "coupons": [{"id": "three", "percent": "50", "duration": "repeating", "times": 2, "components": ["base"]}],
    }
    answer = quote_document(document)
    off = [[line["amount"] for line in i["lines"] if line["kind"] == "discount"] for i in answer["invoices"]]
    assert off == [["-12.08"], ["-24.95"], []]
    assert answer["coupons"] == [{"id": "three", "used": 2, "taken": "37.03"}]


def test_prepaid_credit_is_drawn_in_its_order_and_lapses() -> None:
    document = {
        "billing": {"dates": ["2026-01-31", "2026-02-28"]},
        "items": [{"unit_price": "30", "on": "2026-01-31"}, {"unit_price": "30", "on": "2026-02-28"}],
        "prepaid_credits": [
            {"id": "paid", "amount": "20", "expires_on": "2026-12-31"},
            {"id": "free", "amount": "20", "expires_on": "2026-12-31", "paid": False},
            {"id": "soon", "amount": "5", "expires_on": "2026-02-01"},
            {"id": "late", "amount": "9", "expires_on": "2026-01-31"},
        ],
    }
    first, second = quote_document(document)["invoices"]
    assert [(c["id"], c["amount"]) for c in first["credits"]] == [("soon", "5.00"), ("free", "20.00"), ("paid", "5.00")]
    assert (second["payable"], [c["amount"] for c in second["credits"]]) == ("15.00", ["15.00"])


def test_meters_filter_the_same_events_and_levels_carry_over() -> None:
    """30 days of June: the level is 4 from the start, and 2 more for the last 15 days."""
    meters = [
        {"id": "level", "aggregation": "weighted", "carries": True},
        {"id": "eu", "counts": "level", "aggregation": "count", "filters": {"region": ["eu"]}},
        {"id": "all", "counts": "level", "aggregation": "count"},
    ]
    events = [
        {"meter_id": "level", "at": "2025-05-03T00:00:00Z", "value": "4", "properties": {"region": "us"}},
        {"meter_id": "level", "at": "2025-06-16T00:00:00Z", "value": "2", "properties": {"region": "eu"}},
        {"meter_id": "level", "at": "2025-06-16T00:00:00Z", "value": "0", "properties": {"region": "us"}},
    ]
    price = {"kind": "per_unit", "unit_price": "1"}
    components = [{"id": m["id"], "meter_id": m["id"], "price": price} for m in meters]
    document = {
        "billing": {"dates": ["2025-06-01", "2025-07-01"]},
        "plans": [{"id": "p", "components": components}],
        "subscriptions": [{"plan": "p", "started_on": "2025-05-01"}],
        "usage": {"meters": meters, "events": events},
    }
    _, june = quote_document(document)["invoices"]
    assert [line["amount"] for line in june["lines"]] == ["5.00", "1.00", "2.00"]


def test_two_subscriptions_use_a_meter_that_counts_by_subscription() -> None:
    meter: dict[str, Any] = {"id": "calls", "by_subscription": True}
    told = [("one", "3"), ("other", "4"), ("one", "5")]
    events = [
        {"meter_id": "calls", "at": f"2025-05-0{n}T00:00:00Z", "value": value, "properties": {"subscription": sold}}
        for n, (sold, value) in enumerate(told, 1)
    ]
    price = {"kind": "per_unit", "unit_price": "1"}
    document = {
        "billing": {"on": "2025-06-01"},
        "plans": [{"id": "p", "components": [{"id": "calls", "meter_id": "calls", "price": price}]}],
        "subscriptions": [{"id": sold, "plan": "p", "started_on": "2025-05-01"} for sold in ("one", "other")],
        "usage": {"meters": [meter], "events": events},
    }
    (may,) = quote_document(document)["invoices"]
    assert [line["amount"] for line in may["lines"]] == ["8.00", "4.00"]
    events[0].pop("properties")
    with pytest.raises(Refusal) as refused:
        quote_document(document)
    assert [p.code for p in refused.value.problems] == ["missing_subscription"]
    meter.pop("by_subscription")
    with pytest.raises(Refusal, match="meter_claimed_twice"):
        quote_document(document)


@pytest.mark.parametrize(
    ("change", "field", "word"),
    [
        ({"usage": {"totals": [{"meter_id": "typo", "quantity": "1"}]}}, "usage.totals[0].meter_id", "calls"),
        ({"coupons": [{"percent": "5", "components": ["seat"]}]}, "coupons[0].components", "seats"),
        ({"billing": {"on": "2026-01-01", "dates": ["2026-02-01"]}}, "billing.dates", "one way"),
        ({"account": {"country": "Germany"}}, "account.country", "ISO 3166"),
        ({"colour": "red"}, "colour", "currency"),
    ],
)
def test_a_slip_is_told_with_its_field_and_what_there_is(change: dict[str, Any], field: str, word: str) -> None:
    with pytest.raises(Refusal) as refused:
        quote_document(json.loads(EXAMPLES[0]) | change)
    told = {problem.field: problem.message for problem in refused.value.problems}
    assert word in told[field]


def test_usage_of_days_that_no_run_bills_is_told() -> None:
    usage = {"totals": [{"meter_id": "calls", "quantity": "7", "from": "2026-04-01", "until": "2026-05-01"}]}
    answer = quote_document(json.loads(EXAMPLES[0]) | {"usage": usage})
    assert answer["usage_not_billed"] == [
        {"meter_id": "calls", "quantity": "7", "from": "2026-04-01", "until": "2026-05-01"}
    ]


def test_totals_are_those_of_all_documents_together() -> None:
    answer = quote_text(EXAMPLES[1])
    assert Decimal(answer["totals"]["net"]) == sum(Decimal(i["net"]) for i in answer["invoices"])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_document_is_read_from_bytes_as_editors_write_them(encoding: str) -> None:
    assert quote_text(EXAMPLES[1].encode(encoding)) == quote_text(EXAMPLES[1])


def test_bytes_that_are_no_text_are_no_document() -> None:
    with pytest.raises(Refusal, match="not_json"):
        quote_text(b'{"currency": "\xff"}')


def test_what_was_delivered_earlier_bears_the_tax_of_its_day_and_names_it() -> None:
    """Germany took 16 % for deliveries until the end of 2020, whenever they were invoiced (§ 27 (1) UStG)."""
    rates = [{"percent": "16", "until_on": "2021-01-01"}, {"percent": "19", "from_on": "2021-01-01"}]
    items = [{"id": "old", "unit_price": "100", "supplied_on": "2020-12-30"}, {"id": "new", "unit_price": "100"}]
    document = {"billing": {"on": "2021-01-04"}, "items": items, "taxes": {"rates": rates}}
    (invoice,) = quote_document(document)["invoices"]
    assert sorted((t["percent"], t["tax"]) for t in invoice["taxes"]) == [("16", "16.00"), ("19", "19.00")]
    assert [(line["id"], line["from"]) for line in invoice["lines"]] == [("1", "2020-12-30"), ("2", "2021-01-04")]
