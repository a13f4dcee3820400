"""A commitment in the currency of its prices, on invoices in another: what is owed in all is owed in its own."""

from __future__ import annotations

from typing import Any

from saldo.quotes.service import quote_document

RATES = {"01": "1.10", "02": "1.12", "03": "1.13", "04": "1.20", "05": "1.25", "06": "1.15", "07": "1.05"}
DOCUMENT: dict[str, Any] = {
    "currency": "EUR",
    "billing": {"from": "2026-01-01", "through": "2026-07-01"},
    "plans": [
        {
            "id": "contract",
            "currency": "USD",
            "components": [
                {"id": "calls", "meter_id": "calls", "price": {"kind": "per_unit", "unit_price": "0.01"}},
            ],
            "minimum": {"amount": "600", "every": {"unit": "month", "count": 3}},
        }
    ],
    "subscriptions": [{"plan": "contract", "started_on": "2026-01-01"}],
    "usage": {"totals": [{"meter_id": "calls", "quantity": "10000"}]},
    "prices": {"rates": [{"currency": "USD", "on": f"2026-{m}-01", "rate": rate} for m, rate in RATES.items()]},
}


def test_what_misses_to_it_is_reckoned_in_its_own_currency_and_invoiced_at_the_rate_of_its_invoice() -> None:
    invoices = quote_document(DOCUMENT)["invoices"]
    lines = [[line["amount"] for line in invoice["lines"]] for invoice in invoices]
    # 100 USD a month; after three months 300 USD of 600 are missing, at the rate of the run that asks for them.
    assert lines == [["89.29"], ["88.50"], ["83.33", "250.00"], ["80.00"], ["86.96"], ["95.24", "285.71"]]


def test_at_one_rate_it_comes_to_what_a_commitment_in_the_invoices_currency_comes_to() -> None:
    even = {"rates": [{"currency": "USD", "on": "2026-01-01", "rate": "1.25"}], "converted_at": "contract"}
    there = quote_document({**DOCUMENT, "prices": even})["invoices"]
    plan = {
        **DOCUMENT["plans"][0],
        "currency": "EUR",
        "components": [
            {"id": "calls", "meter_id": "calls", "price": {"kind": "per_unit", "unit_price": "0.008"}},
        ],
        "minimum": {"amount": "480", "every": {"unit": "month", "count": 3}},
    }
    here = quote_document({name: part for name, part in {**DOCUMENT, "plans": [plan]}.items() if name != "prices"})
    assert [i["net"] for i in there] == [i["net"] for i in here["invoices"]]
