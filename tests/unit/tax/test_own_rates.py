"""A seller's own tax rates over those that come with Saldo: which hold on a day, and that none is forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from saldo.accounts.model import TaxStatus
from saldo.kernel.errors import Refusal
from saldo.kernel.reading import Fields, read
from saldo.tax.model import BuyerFacts, OwnRates, SellerFacts, TaxableLine, TaxRate
from saldo.tax.reading import rates_from
from saldo.tax.rules import problems_of_rates
from saldo.tax.rules_own import check_over, not_charged, over
from saldo.tax.table import TableTax, shipped_table
from tests.unit.invoicing.scenes import SELLER

CARRIED = shipped_table()
DAY = date(2026, 6, 1)


def rates(*rows: dict[str, Any]) -> tuple[TaxRate, ...]:
    def own(fields: Fields) -> tuple[TaxRate, ...]:
        found = rates_from(fields, "DE", "EUR")
        check_over(CARRIED, found, fields)
        return found

    return read({"rates": list(rows)}, own, "no rates")


def problems(*rows: dict[str, Any]) -> list[str]:
    with pytest.raises(Refusal) as refused:
        rates(*rows)
    return [f"{p.field} {p.code} {p.message}" for p in refused.value.problems]


def charged(
    own: tuple[TaxRate, ...],
    *,
    on: date = DAY,
    category: str = "standard",
    country: str = "DE",
    region: str = "",
    registrations: tuple[str, ...] = ("DE", "EU", "CA", "CA-QC"),
    currency: str = "EUR",
) -> list[tuple[str, str]]:
    """Names and percents on a line of 100.00."""
    buyer = BuyerFacts(country, region, TaxStatus.CONSUMER, False)
    seller = SellerFacts("DE", "", frozenset(registrations), own_rates=OwnRates(1, "EUR", own))
    answer = TableTax(CARRIED).quote([TaxableLine("1", 10_000, category, on)], buyer, seller, currency)
    return [(share.name, f"{share.percent.normalize():f}") for share in answer.lines[0].shares]


def test_own_rates_win_from_the_day_they_hold_until_they_end() -> None:
    own = rates({"percent": "25", "from_on": "2026-01-01", "until_on": "2027-01-01"})
    assert charged(own, on=date(2025, 12, 31)) == [("VAT", "19")]
    assert charged(own, on=date(2026, 1, 1)) == charged(own, on=date(2026, 12, 31)) == [("VAT", "25")]
    assert charged(own, on=date(2027, 1, 1)) == [("VAT", "19")]


def test_other_categories_and_countries_are_taxed_as_before() -> None:
    own = rates({"percent": "25"})
    assert charged(own) == [("VAT", "25")]
    assert charged(own, category="digital_service") == [("VAT", "19")]
    assert charged(own, category="reduced") == [("VAT", "7")]
    assert charged(own, country="FR") == [("VAT", "20")]


def test_a_country_that_is_not_carried_is_taxed_by_own_rates_and_refused_before_they_hold() -> None:
    rows = [{"country": "CA", "name": "GST", "percent": "5", "from_on": "2026-01-01"}]
    own = rates(*rows, {"country": "CA", "region": "QC", "name": "QST", "percent": "9.975", "from_on": "2026-01-01"})
    assert charged(own, country="CA", region="QC") == [("GST", "5"), ("QST", "9.975")]
    assert charged(own, country="CA", region="ON") == [("GST", "5")]
    with pytest.raises(Refusal, match=r"no rate of CA and CA-QC for 'standard' on 2025-12-31"):
        charged(own, country="CA", region="QC", on=date(2025, 12, 31))


def test_a_buyer_without_a_region_is_refused_where_a_region_charges_a_tax_besides() -> None:
    own = rates({"country": "CA", "name": "GST", "percent": "5"}, {"country": "CA", "region": "QC", "percent": "9.975"})
    with pytest.raises(Refusal, match="the tax of CA depends on the region"):
        charged(own, country="CA")
    assert charged(own, country="CA", registrations=("CA",)) == [("GST", "5")]


def test_a_seller_that_has_nothing_to_do_with_a_country_of_regions_asks_for_none() -> None:
    own = rates({"country": "CA", "region": "QC", "name": "QST", "percent": "9.975"})
    with pytest.raises(Refusal, match="the tax of CA depends on the region"):
        charged(own, country="CA", registrations=("CA-ON",))
    assert charged(own, country="CA", registrations=("DE",)) == [("", "0")]


def test_a_tax_of_another_name_is_charged_once_and_the_carried_one_must_be_named() -> None:
    assert problems({"name": "MwSt", "percent": "25", "from_on": "2026-01-01"}) == [
        "rates carried_tax_not_named DE standard: the carried table charges VAT of 19 %, which is not named here on"
        " 2026-01-01: name it, with percent 0 where it is not charged"
    ]
    own = rates({"name": "MwSt", "percent": "25"}, {"percent": "0", "treatment": "outside"})
    assert charged(own) == [("MwSt", "25"), ("VAT", "0")]


def test_a_levy_beside_a_carried_tax_does_not_do_away_with_it() -> None:
    levy = {"name": "Levy", "per_unit": "0.10", "from_on": "2026-01-01"}
    assert len(problems(levy)) == 1
    assert len(problems(levy, {"percent": "19", "from_on": "2026-02-01"})) == 1  # January is left out
    assert charged(rates(levy, {"percent": "19", "from_on": "2026-01-01"})) == [("Levy", "0"), ("VAT", "19")]


def test_each_carried_tax_that_would_be_forgotten_is_named_at_once() -> None:
    rows = [{"country": c, "name": "Eco", "percent": "1", "categories": ["standard", "reduced"]} for c in ("FR", "DK")]
    found = problems(*rows)
    assert [said.split(":")[0] for said in found] == [
        "rates carried_tax_not_named DK standard",
        "rates carried_tax_not_named FR reduced",
        "rates carried_tax_not_named FR standard",
    ]


def test_what_the_carried_table_says_is_not_taxed_need_not_be_named() -> None:
    row = {"country": "US", "region": "CA", "name": "Levy", "percent": "1", "categories": ["digital_service"]}
    assert charged(rates(row), country="US", region="CA", category="digital_service", registrations=("US-CA",)) == [
        ("Levy", "1")
    ]


def test_a_tax_of_a_whole_country_does_not_stand_for_those_of_its_regions() -> None:
    found = problems({"country": "US", "name": "Excise", "percent": "3", "categories": ["telephone"]})
    assert found == ["rates carried_tax_not_named US: its taxes are those of its regions: name one"]


def test_amounts_are_never_those_of_another_currency() -> None:
    own = rates({"percent": "19", "per_unit": "0.10"}, {"percent": "7", "categories": ["reduced"]})
    assert charged(own) == [("VAT", "19")]
    with pytest.raises(Refusal, match=r"DE VAT is told in amounts of EUR, and the document is in USD"):
        charged(own, currency="USD")
    assert charged(own, category="reduced", currency="USD") == [("VAT", "7")]
    bounded = rates({"percent": "19", "least": "110"})
    with pytest.raises(Refusal, match="tax_undecidable"):
        charged(bounded, currency="USD")


def test_taxes_on_taxes_of_a_region_are_on_the_carried_ones_of_its_country() -> None:
    own = rates({"region": "BY", "name": "Surcharge", "percent": "10", "compound": True})
    buyer = BuyerFacts("DE", "BY", TaxStatus.CONSUMER, False)
    seller = SellerFacts("DE", "", frozenset({"DE", "DE-BY"}), own_rates=OwnRates(1, "EUR", own))
    answer = TableTax(CARRIED).quote([TaxableLine("1", 10_000, "standard", DAY)], buyer, seller, "EUR")
    assert [total.tax_minor for total in answer.totals] == [1_900, 1_190]


def test_an_answer_says_by_which_version_of_whose_rates_it_was_made() -> None:
    seller = SellerFacts("DE", "", frozenset({"DE"}), own_rates=OwnRates(7, "EUR", rates({"percent": "25"})))
    lines = [TaxableLine("1", 10_000, "standard", DAY)]
    answer = TableTax(CARRIED).quote(lines, BuyerFacts("DE", "", TaxStatus.CONSUMER, False), seller, "EUR")
    assert answer.source == f"table {CARRIED.version}, own 7"


def test_what_was_decided_by_one_sellers_rates_is_not_remembered_for_another() -> None:
    table, buyer = TableTax(CARRIED), BuyerFacts("DE", "", TaxStatus.CONSUMER, False)
    for percent in ("25", "30"):
        own = OwnRates(1, "EUR", rates({"percent": percent}))
        seller = SellerFacts("DE", "", frozenset({"DE"}), own_rates=own)
        answer = table.quote([TaxableLine("1", 10_000, "standard", DAY)], buyer, seller, "EUR")
        assert answer.totals[0].percent == Decimal(percent)


def test_a_table_with_own_rates_over_it_has_no_two_rates_of_one_tax_on_a_day() -> None:
    own = rates(
        {"percent": "25", "from_on": "2020-10-01", "until_on": "2020-12-01", "categories": ["standard", "reduced"]},
        {"percent": "30", "from_on": "2024-01-01"},
    )
    merged = over(CARRIED, own, "both")
    assert problems_of_rates(merged.rates) == []
    found = {d: charged(own, on=d) for d in (date(2020, 9, 1), date(2020, 11, 1), date(2020, 12, 1), date(2024, 1, 1))}
    assert [shares[0][1] for shares in found.values()] == ["16", "25", "16", "30"]


def test_where_a_seller_is_not_registered_is_told_of_its_own_rates() -> None:
    own = rates({"percent": "25"}, {"region": "BY", "name": "Land", "percent": "1"}, {"country": "FR", "percent": "21"})
    own += rates({"country": "AU", "region": "NSW", "percent": "1"})
    bavaria = replace(SELLER, country="DE", region="BY")
    assert not_charged(own, replace(bavaria, tax_registrations={"DE": "1"}), CARRIED) == ("AU-NSW", "DE-BY", "FR")
    assert not_charged(own, replace(bavaria, tax_registrations={"DE": "1", "EU": "1"}), CARRIED) == ("AU-NSW", "DE-BY")
    sydney = replace(SELLER, country="AU", region="NSW", tax_registrations={"DE": "1", "DE-BY": "1", "EU": "1"})
    assert not_charged(own, sydney, CARRIED) == ()
