"""What a quote's document may not say: each slip is named by its field, and all of them at once."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from saldo.kernel.errors import Refusal
from saldo.quotes.service import quote_document, quote_text

Json = dict[str, Any]
SOUND: Json = {
    "billing": {"on": "2026-02-01"},
    "plans": [
        {"id": "p", "components": [{"id": "u", "meter_id": "m", "price": {"kind": "per_unit", "unit_price": "1"}}]}
    ],
    "subscriptions": [{"plan": "p", "started_on": "2026-01-01"}],
    "usage": {"totals": [{"meter_id": "m", "quantity": "5"}]},
}
FREE_MATRIX: Json = {"kind": "matrix", "dimensions": ["a"], "cells": [], "other": {"kind": "flat", "amount": "1"}}


def problems_of(document: Any) -> dict[str, str]:
    """Code by field."""
    with pytest.raises(Refusal) as refused:
        quote_document(document)
    assert refused.value.code == "invalid_input"
    return {problem.field: problem.code for problem in refused.value.problems}


def priced(price: Json) -> Json:
    document = copy.deepcopy(SOUND)
    document["plans"][0]["components"][0]["price"] = price
    return document


def sold(**terms: Any) -> Json:
    return SOUND | {"subscriptions": [{"plan": "p", "started_on": "2026-01-01", **terms}]}


def paid(**terms: Any) -> Json:
    return SOUND | {"receivables": {"payments": [{"on": "2026-02-01", "amount": "5", **terms}]}}


PRICE = "plans[0].components[0].price"
TWICE: Json = {"day": 20, "then": "end_of_month", "months": 13}
SLIPS: dict[str, tuple[Json, Json]] = {
    "days beyond every calendar": (
        sold(
            changes=[
                {"kind": "cancel", "effective_on": "9999-12-31"},
                {"kind": "cancel", "effective_at": "9999-12-31T12:00:00Z"},
                {"kind": "cancel", "effective_on": "0001-01-01"},
                {"kind": "cancel", "effective_on": "tomorrow"},
            ]
        )
        | {"billing": {"dates": ["2026-02-01", "0001-01-01"]}},
        {
            "billing.dates[1]": "not_in_our_time",
            "subscriptions[0].changes[0].effective_on": "not_in_our_time",
            "subscriptions[0].changes[1].effective_at": "not_in_our_time",
            "subscriptions[0].changes[2].effective_on": "not_in_our_time",
            "subscriptions[0].changes[3].effective_on": "not_a_date",
        },
    ),
    "a certificate for nothing": (
        SOUND
        | {
            "account": {
                "exemptions": [
                    {"percent": "0", "from_on": "2026-02-01", "until_on": "2026-02-01"},
                    {"jurisdictions": 5, "percent": "x", "until_on": "x"},
                ]
            }
        },
        {
            "account.exemptions[0].jurisdictions": "missing",
            "account.exemptions[0].percent": "out_of_range",
            "account.exemptions[0].until_on": "not_after_from_on",
            "account.exemptions[1].jurisdictions": "not_texts",
            "account.exemptions[1].percent": "not_a_number",
            "account.exemptions[1].until_on": "not_a_date",
        },
    ),
    "a bill before every calendar": (SOUND | {"billing": {"on": "0001-01-01"}}, {"billing.on": "not_in_our_time"}),
    "a minimum of no amount": (
        SOUND | {"plans": [SOUND["plans"][0] | {"minimum": {"amounts": []}}]},
        {"plans[0].minimum.amounts": "empty"},
    ),
    "terms in two ways": (
        SOUND | {"account": {"payment_terms_days": 30, "payment_terms": TWICE}},
        {
            "account.payment_terms_days": "one_of",
            "account.payment_terms.then": "one_of",
            "account.payment_terms.months": "out_of_range",
        },
    ),
    "due on a day that is over": (
        SOUND | {"account": {"payment_terms": {"day": 20, "months": 0, "cut_off": 25, "week": 1}}},
        {"account.payment_terms.cut_off": "out_of_range", "account.payment_terms.week": "unknown_field"},
    ),
    "no months": (
        SOUND | {"account": {"payment_terms": {"months": 0}}},
        {"account.payment_terms.months": "out_of_range"},
    ),
    "a cut-off without a day": (
        SOUND | {"account": {"payment_terms": {"days": -1, "cut_off": 12}}},
        {"account.payment_terms.days": "out_of_range", "account.payment_terms.cut_off": "no_day"},
    ),
    "not a number": (priced({"kind": "per_unit", "unit_price": "NaN"}), {f"{PRICE}.unit_price": "not_a_number"}),
    "without end": (priced({"kind": "per_unit", "unit_price": "1e400"}), {f"{PRICE}.unit_price": "too_long"}),
    "beyond numbers": (priced({"kind": "flat", "amount": "1e" + "9" * 30}), {f"{PRICE}.amount": "too_long"}),
    "underscore": (priced({"kind": "per_unit", "unit_price": "1_0"}), {f"{PRICE}.unit_price": "not_a_number"}),
    "other digits": (priced({"kind": "per_unit", "unit_price": "١"}), {f"{PRICE}.unit_price": "not_a_number"}),
    "blanks": (priced({"kind": "per_unit", "unit_price": " 1"}), {f"{PRICE}.unit_price": "not_a_number"}),
    "no tiers": (priced({"kind": "volume", "tiers": []}), {f"{PRICE}.tiers": "empty"}),
    "tiers that fall": (
        priced({"kind": "graduated", "tiers": [{"up_to": "5"}, {"up_to": "5"}, {}]}),
        {f"{PRICE}.tiers[1].up_to": "not_rising"},
    ),
    "units of a matrix": (
        priced({"kind": "commitment", "units": "5", "price": FREE_MATRIX}),
        {f"{PRICE}.units": "no_one_price"},
    ),
    "a fee by properties": (
        SOUND | {"usage": {}, "plans": [{"id": "p", "components": [{"id": "u", "price": FREE_MATRIX}]}]},
        {PRICE: "not_usage"},
    ),
    "a price by event": (
        priced({"kind": "percentage", "rate": "0.1", "per_event": "1"}),
        {"usage.totals[0].amounts": "missing"},
    ),
    "another currency": (
        SOUND | {"plans": [SOUND["plans"][0] | {"currency": "USD"}]},
        {"plans[0].currency": "currency_mismatch"},
    ),
    "a coupon's currency": (
        SOUND | {"coupons": [{"amount": "1", "currency": "USD"}]},
        {"coupons[0].currency": "currency_mismatch"},
    ),
    "two starts": (sold(started_at="2026-01-01T00:00:00Z"), {"subscriptions[0].started_on": "one_of"}),
    "two trials": (sold(trial_days=3, trial_end_on="2026-01-04"), {"subscriptions[0].trial_days": "one_of"}),
    "a trial that ends first": (sold(trial_end_on="2025-12-01"), {"subscriptions[0].trial_end_on": "negative_trial"}),
    "an anchor by calendar": (
        sold(alignment="calendar", anchor_on="2026-01-09"),
        {"subscriptions[0].anchor_on": "not_anniversary"},
    ),
    "a change too early": (
        sold(changes=[{"kind": "cancel", "effective_on": "2025-12-31"}]),
        {"subscriptions[0].changes[0].effective_on": "change_too_early"},
    ),
    "a coupon twice": (
        SOUND | {"coupons": [{"id": "x", "percent": "1"}, {"id": "x", "percent": "1"}]},
        {"coupons[1].id": "not_unique"},
    ),
    "a credit twice": (
        SOUND | {"prepaid_credits": [{"id": "x", "amount": "1"}, {"id": "x", "amount": "1"}]},
        {"prepaid_credits[1].id": "not_unique"},
    ),
    "a coupon that is never good": (
        SOUND | {"coupons": [{"percent": "1", "from_on": "2026-02-01", "until_on": "2026-02-01"}]},
        {"coupons[0].until_on": "empty_period"},
    ),
    "rates that forget a tax of those they lie over": (
        SOUND
        | {"taxes": {"use_shipped_rates": True, "rates": [{"country": "FR", "name": "Parafiscale", "percent": "1"}]}},
        {"taxes.rates": "carried_tax_not_named"},
    ),
    "one property twice": (
        priced({"kind": "matrix", "dimensions": ["a", "a"], "cells": [], "other": {"kind": "flat", "amount": "1"}}),
        {f"{PRICE}.dimensions": "not_unique"},
    ),
    "no moments": (SOUND | {"billing": {"at": []}}, {"billing.at": "empty"}),
    "no moment": (SOUND | {"billing": {"at": ["noon"]}}, {"billing.at[0]": "not_an_instant"}),
    "one meter twice": (
        SOUND | {"usage": {"meters": [{"id": "m"}, {"id": "m"}]}},
        {"usage.meters[1].id": "not_unique"},
    ),
    "a meter without a price": (SOUND | {"usage": {"meters": [{"id": "x"}]}}, {"usage.meters[0].id": "unknown_name"}),
    "two ways to tell a total": (
        SOUND | {"usage": {"totals": [{"meter_id": "m", "quantity": "5", "amounts": ["5"]}]}},
        {"usage.totals[0].amounts": "one_of"},
    ),
    "a part of a payment without its amount": (
        paid(invoices=[{"invoice": 1}]),
        {"receivables.payments[0].invoices[0].amount": "missing"},
    ),
    "half a day": (
        SOUND | {"receivables": {"as_of": "2026-02-01", "aging": {"bounds": [30, "60.5"]}}},
        {"receivables.aging.bounds": "not_rising"},
    ),
    "one rate and many": (
        SOUND | {"exchange": {"ledger_currency": "USD", "rate": "1", "rates": []}},
        {"exchange.rates": "one_of"},
    ),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_each_slip_is_named_by_its_field_and_nothing_else_is_said(slip: str) -> None:
    document, expected = SLIPS[slip]
    assert problems_of(document) == expected


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "1" + "0" * 50])
def test_numbers_that_json_writers_let_slip_are_refused(number: str) -> None:
    with pytest.raises(Refusal) as refused:
        quote_text(json.dumps(SOUND).replace('"5"', number))
    assert [problem.field for problem in refused.value.problems] == ["usage.totals[0].quantity"]


def test_what_cannot_be_read_does_not_hide_what_else_is_wrong() -> None:
    """A plan with an unreadable price, a subscription of no plan, slips of usage, coupons and changes."""
    document = {
        "billing": {"on": "2026-02-01"},
        "plans": [
            {"id": "p", "components": [
                {"id": "u", "meter_id": "m", "price": {"kind": "per_unit"}},
                {"id": "fee", "price": {"kind": "flat", "amount": "-3"}},
                {"id": "x", "price": {"kind": "nope", "amount": "1"}}]}],
        "subscriptions": [
            {"plan": "q", "started_on": "2026-01-01", "changes": [
                {"kind": "plan", "plan": "z", "effective_on": "2026-01-05"}, {"kind": "wat", "effective_on": "x"}]},
            {"plan": "p", "started_on": "bad", "trial_end_on": "2026-01-09", "quantities": {"zz": "1"}}],
        "usage": {"totals": [{"meter_id": "k", "quantity": "1", "before": "-5"}]},
        "coupons": [{"percent": "10", "components": ["none"]}],
    }  # fmt: skip
    assert problems_of(document) == {
        f"{PRICE}.unit_price": "missing",
        "plans[0].components[1].price.amount": "negative",
        "plans[0].components[2].price.kind": "unknown_price_model",
        "subscriptions[0].plan": "unknown_plan",
        "subscriptions[0].changes[0].plan": "unknown_plan",
        "subscriptions[0].changes[1].kind": "unknown_choice",
        "subscriptions[0].changes[1].effective_on": "not_a_date",
        "subscriptions[1].started_on": "not_a_date",
        "subscriptions[1].quantities.zz": "unknown_component",
        "usage.totals[0].before": "negative",
        "usage.totals[0].meter_id": "unknown_name",
        "coupons[0].components": "unknown_name",
    }


def test_of_plans_whose_names_cannot_be_read_nothing_is_said_to_be_unknown() -> None:
    assert problems_of(SOUND | {"plans": [{"components": SOUND["plans"][0]["components"]}], "subscriptions": []}) == {
        "plans[0].id": "missing"
    }


def test_a_total_over_days_of_two_periods_is_named_by_its_field() -> None:
    straddling = {"meter_id": "m", "quantity": "5", "from": "2026-01-15", "until": "2026-02-15"}
    with pytest.raises(Refusal) as refused:
        quote_document(SOUND | {"usage": {"totals": [straddling]}})
    assert [(p.field, p.code) for p in refused.value.problems] == [("usage.totals[0].until", "straddles_period")]


def test_amounts_of_many_digits_lose_none() -> None:
    many = "1234567890123456789012345678901234567890"
    document = priced({"kind": "per_unit", "unit_price": "1"}) | {
        "usage": {"totals": [{"meter_id": "m", "quantity": many}]}
    }
    assert quote_document(document)["invoices"][0]["total"] == f"{many}.00"
    mean = [{"meter_id": "m", "at": "2026-01-05T00:00:00Z", "value": v, "id": v} for v in (many[:30], "0.5")]
    asked = {"meters": [{"id": "m", "aggregation": "average"}], "events": mean}
    found = quote_document(priced({"kind": "per_unit", "unit_price": "1"}) | {"usage": asked})["invoices"][0]["lines"][
        0
    ]
    assert found["quantity"] == "61728394506172839450617283945.25"
