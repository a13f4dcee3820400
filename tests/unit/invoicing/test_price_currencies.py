"""Plans priced in one currency, invoiced in another: which rate, what is shown, what comes back."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from saldo.accounts.model import Terms
from saldo.accounts.rules import check_terms
from saldo.exchange.model import PriceDay
from saldo.invoicing.model import LateCharge
from saldo.invoicing.rules import bill
from saldo.invoicing.rules_conversion import rates_needed
from saldo.invoicing.rules_late import late_lines
from saldo.invoicing.rules_soundness import problems_of
from saldo.invoicing.rules_tallies import Tallies
from saldo.kernel.errors import Refusal
from saldo.kernel.exchange import ExchangeRate, rate_in_words, rate_said
from saldo.kernel.money import Money
from saldo.kernel.periods import Period
from saldo.quotes.service import quote_document
from saldo.usage.model import Counted, LatePolicy
from saldo.usage.model import UsageDetail as Detail
from saldo.usage.model_windows import Billed, Cutoff, LateUsage, Reason, Window
from saldo.usage.model_windows import Terms as WindowTerms
from tests.unit.invoicing.scenes import BASE, BUYER, TAX, TOKENS, case_of, plan, sold

USD = [
    {"currency": "USD", "on": "2025-12-31", "rate": "1.1750"},
    {"currency": "USD", "on": "2026-01-30", "rate": "1.05"},
    {"currency": "USD", "on": "2026-02-02", "rate": "1.25"},
]
DOCUMENT: dict[str, Any] = {
    "currency": "EUR",
    "billing": {"on": "2026-02-02"},
    "plans": [{"id": "p", "currency": "USD", "components": [{"id": "fee", "price": {"kind": "flat", "amount": "49"}}]}],
    "subscriptions": [{"plan": "p", "started_on": "2026-02-01"}],
    "prices": {"rates": USD},
}


def quoted(**prices: object) -> dict[str, Any]:
    document = deepcopy(DOCUMENT)
    document["prices"] |= prices
    (invoice,) = quote_document(document)["invoices"]
    line: dict[str, Any] = invoice["lines"][0]
    return line


@pytest.mark.parametrize(
    ("at", "rate", "on", "amount"),
    [
        ("invoice", "1.25", "2026-02-02", "39.20"),
        ("period", "1.05", "2026-01-30", "46.67"),
        ("month_end", "1.05", "2026-01-30", "46.67"),
    ],
)
def test_a_price_is_converted_at_the_rate_of_the_day_that_the_seller_chose(
    at: str, rate: str, on: str, amount: str
) -> None:
    line = quoted(converted_at=at)
    assert (line["amount"], line["exact"]) == (amount, "49")
    assert line["priced_in"] == {
        "currency": "USD",
        "amount": "49.00",
        "base": "EUR",
        "counter": "USD",
        "rate": rate,
        "source": "ECB",
        "on": on,
    }
    assert line["reasoning"][-2] == f"converted from USD at 1 EUR = {rate} USD (ECB, {on})"


def test_a_rate_agreed_in_the_contract_holds_whatever_the_day_is() -> None:
    line = quoted(converted_at="contract", source="contract", rates=[{**USD[0], "rate": "1.10"}])
    assert (line["amount"], line["priced_in"]["source"]) == ("44.55", "contract")


def test_without_a_rate_that_is_young_enough_nothing_is_guessed() -> None:
    with pytest.raises(Refusal, match=r"ECB has no USD rate for 2026-02-02; the last one is of 2025-12-31") as refused:
        quoted(rates=USD[:1])
    assert refused.value.code == "no_exchange_rate"


def test_a_seller_that_converts_no_prices_is_told_which_of_them_are_in_another_currency() -> None:
    document = {k: v for k, v in DOCUMENT.items() if k != "prices"}
    with pytest.raises(Refusal) as refused:
        quote_document(document)
    assert ("plans[0].currency", "currency_mismatch") in [(p.field, p.code) for p in refused.value.problems]


@pytest.mark.parametrize(
    ("priced", "invoiced", "price", "amount"),
    [
        ("JPY", "EUR", "12500", "77.16"),  # / 162
        ("EUR", "JPY", "49.90", "8084"),  # × 162 = 8083.8
        ("JPY", "KWD", "12500", "27.006"),  # × 0.35 / 162
        ("KWD", "JPY", "27.005", "12499"),  # × 162 / 0.35 = 12499.457…
        ("KWD", "EUR", "1.001", "2.86"),
        ("EUR", "KWD", "1.01", "0.354"),  # 0.3535
    ],
)
def test_minor_units_of_0_2_and_3_digits_convert_both_ways(priced: str, invoiced: str, price: str, amount: str) -> None:
    document = deepcopy(DOCUMENT)
    document["currency"] = invoiced
    document["plans"][0] |= {
        "currency": priced,
        "components": [{"id": "f", "price": {"kind": "flat", "amount": price}}],
    }
    rates = [
        {"currency": "JPY", "on": "2026-02-02", "rate": "162"},
        {"currency": "KWD", "on": "2026-02-02", "rate": "0.35"},
    ]
    document["prices"] = {"rates": rates}
    (invoice,) = quote_document(document)["invoices"]
    assert invoice["lines"][0]["amount"] == amount


def test_a_plan_that_changes_within_its_month_gives_days_back_at_the_rate_of_their_charge() -> None:
    document = deepcopy(DOCUMENT)
    document["billing"] = {"dates": ["2026-02-01", "2026-02-15"]}
    document["plans"].append(
        {"id": "q", "currency": "USD", "components": [{"id": "fee", "price": {"kind": "flat", "amount": "98"}}]}
    )
    document["subscriptions"][0]["changes"] = [{"kind": "plan", "plan": "q", "effective_on": "2026-02-15"}]
    document["prices"] = {"most_days": 30, "rates": USD}
    for legs in ("legs", "net"):
        document["options"] = {"change_legs": legs}
        first, second = quote_document(document)["invoices"]
        assert [(x["amount"], x["priced_in"]["rate"]) for x in first["lines"]] == [("46.67", "1.05")]
        told = [(x["kind"], x["amount"], x["priced_in"]["amount"], x["priced_in"]["rate"]) for x in second["lines"]]
        assert told == [("credit", "-23.33", "-24.50", "1.05"), ("charge", "39.20", "49.00", "1.25")]


def test_late_usage_is_converted_at_the_rate_that_its_window_was_billed_at() -> None:
    version = plan(BASE, TOKENS, currency="USD")
    rate = ExchangeRate("EUR", "USD", Decimal("1.05"), "ECB", date(2026, 1, 30))
    january = Period(date(2026, 1, 1), date(2026, 2, 1))
    window = Window(
        BUYER.id,
        "tokens",
        january,
        "UTC",
        "sub_1",
        WindowTerms(version.id, "tokens", rate=rate),
        (Billed(Reason.CLOSED, date(2026, 2, 1), "inv_1", Decimal(700), 1, {}),),
    )
    for policy in (LatePolicy.CARRY, LatePolicy.CORRECT):
        now, billed = Counted(Decimal(1300), Detail()), Counted(Decimal(700), Detail())
        late = LateUsage(window, policy, now, billed, Cutoff({}, 2))
        case = replace(case_of(version, as_of=date(2026, 3, 1)), late=(LateCharge(late, version),))
        lines = late_lines(case, 1, Tallies({}))
        whole, before = (rate.convert(Money(minor, "USD")).minor for minor in (1240, 700))
        assert sum(line.net_minor for line in lines) == whole - before
        assert sum(line.price_minor for line in lines) == 540
        assert {line.priced_in and line.priced_in.rate for line in lines} == {rate}


def test_only_days_and_currencies_that_are_not_agreed_on_are_asked_for() -> None:
    version = plan(BASE, currency="USD")
    case = replace(
        case_of(version, sold(version, date(2026, 2, 1)), as_of=date(2026, 2, 1)), prices_on=PriceDay.INVOICE
    )
    assert rates_needed(case) == {("USD", date(2026, 2, 1))}
    rate = rate_said("1 USD = 0.9 EUR", "contract", date(2025, 12, 1))
    agreed = replace(case, account=replace(BUYER, terms=Terms(price_rates=(rate,))))
    assert rates_needed(agreed) == set()
    body = bill(agreed, TAX).body  # type: ignore[union-attr]
    assert (body.lines[0].net_minor, problems_of(body)) == (4491, ())


def test_a_rate_is_said_as_people_write_it() -> None:
    rate = rate_said("EUR = 1.10 USD", "contract", date(2026, 1, 1))
    assert rate_in_words(rate) == "1 EUR = 1.1 USD (contract, 2026-01-01)"
    for text in ("", "EUR 1.10 USD", "1 EUR = 1.1 EUR", "1 EUR = . USD", "2 EUR = 1 USD", "1 EUR = 1.1.1 USD"):
        with pytest.raises(Refusal, match="is no rate"):
            rate_said(text, "contract", date(2026, 1, 1))


def test_an_account_agrees_on_one_rate_for_two_currencies_and_one_of_them_is_its_own() -> None:
    on = date(2026, 1, 1)
    pair = rate_said("1 EUR = 1.1 USD", "contract", on), rate_said("1 USD = 0.9 EUR", "contract", on)
    with pytest.raises(Refusal) as refused:
        check_terms(Terms(price_rates=(*pair, rate_said("1 GBP = 1.3 USD", "contract", on))), "EUR")
    assert [problem.code for problem in refused.value.problems] == ["not_unique", "other_currency"]
