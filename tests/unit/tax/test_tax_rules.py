"""Which tax applies, and how it is rounded."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from saldo.accounts.model import Exemption, TaxStatus
from saldo.kernel.errors import Refusal
from saldo.tax.codec import facts_from, facts_to
from saldo.tax.model import (
    BuyerFacts,
    LineTax,
    SellerFacts,
    TaxableLine,
    TaxFacts,
    TaxRounding,
    TaxShare,
    TaxTreatment,
)
from saldo.tax.rules import shares_for, tax_totals
from saldo.tax.table import TableTax, shipped_table, table_from

TABLE = shipped_table()
EU_SELLER = SellerFacts("DE", "", frozenset({"DE", "EU"}))
US_SELLER = SellerFacts("US", "NY", frozenset({"US-TX"}))
COMPANY = BuyerFacts("DE", "", TaxStatus.BUSINESS, True)
CONSUMER = BuyerFacts("DE", "", TaxStatus.CONSUMER, False)


def share(
    buyer: BuyerFacts, seller: SellerFacts = EU_SELLER, category: str = "standard", on: str = "2025-09-01"
) -> TaxShare:
    (only,) = shares_for(TaxableLine("1", 100, category, date.fromisoformat(on)), buyer, seller, TABLE)
    return only


@pytest.mark.parametrize(
    ("buyer", "seller", "jurisdiction", "percent", "treatment"),
    [
        (COMPANY, EU_SELLER, "DE", "19", TaxTreatment.STANDARD),
        (replace(COMPANY, country="FR"), EU_SELLER, "FR", "0", TaxTreatment.REVERSE_CHARGE),
        (replace(COMPANY, country="FR", has_tax_id=False), EU_SELLER, "FR", "20", TaxTreatment.STANDARD),
        (replace(CONSUMER, country="HU"), EU_SELLER, "HU", "27", TaxTreatment.STANDARD),
        (replace(CONSUMER, country="US", region="NY"), EU_SELLER, "US-NY", "0", TaxTreatment.OUTSIDE),
        (replace(CONSUMER, country="CH"), EU_SELLER, "CH", "0", TaxTreatment.OUTSIDE),
        (replace(COMPANY, status=TaxStatus.EXEMPT), EU_SELLER, "DE", "0", TaxTreatment.EXEMPT),
        (replace(COMPANY, country="US", region="NY"), US_SELLER, "US-NY", "4", TaxTreatment.STANDARD),
        (replace(COMPANY, country="US", region="TX"), US_SELLER, "US-TX", "6.25", TaxTreatment.STANDARD),
        (replace(COMPANY, country="US", region="CA"), US_SELLER, "US-CA", "0", TaxTreatment.OUTSIDE),
        (replace(COMPANY, country="FR"), US_SELLER, "FR", "0", TaxTreatment.OUTSIDE),
    ],
)
def test_place_status_and_registration_decide(
    buyer: BuyerFacts, seller: SellerFacts, jurisdiction: str, percent: str, treatment: TaxTreatment
) -> None:
    found = share(buyer, seller)
    assert (found.jurisdiction, found.percent, found.treatment) == (jurisdiction, Decimal(percent), treatment)
    assert bool(found.reason) == (treatment is not TaxTreatment.STANDARD)


def test_what_bears_no_tax_says_why() -> None:
    reasons = {
        "export": share(replace(CONSUMER, country="CH")).reason,
        "seller_not_registered": share(replace(COMPANY, country="US", region="CA"), US_SELLER).reason,
        "buyer_accounts_for_tax": share(replace(COMPANY, country="FR")).reason,
        "buyer_exempt": share(replace(COMPANY, status=TaxStatus.EXEMPT)).reason,
    }
    assert all(reason == found for reason, found in reasons.items())


def test_tax_of_exact_amounts_is_rounded_once_at_the_end() -> None:
    exact = (Decimal("0.104"), 100, 1)
    some = [line._replace(exact=exact) for line in lines(*[10] * 10)]
    taxes = [LineTax(line.id, (share(COMPANY),)) for line in some]
    assert [t.tax_minor for t in tax_totals(some, taxes, TaxRounding.UNROUNDED)] == [20], "19 % of 104.0, not of 100"


def test_a_small_seller_without_one_stop_shop_charges_its_own_rate() -> None:
    seller = SellerFacts("DE", "", frozenset({"DE"}))
    assert share(replace(CONSUMER, country="HU"), seller).jurisdiction == "DE"


def test_rates_change_on_their_day() -> None:
    finnish = replace(CONSUMER, country="FI")
    assert share(finnish, on="2024-08-31").percent == 24
    assert share(finnish, on="2024-09-01").percent == Decimal("25.5")


def test_tax_is_never_silently_zero() -> None:
    american = replace(COMPANY, country="US", region="")
    for buyer, category, on in (
        (american, "standard", "2025-01-01"),
        (COMPANY, "unheard_of", "2025-01-01"),
        (COMPANY, "standard", "1990-01-01"),
    ):
        with pytest.raises(Refusal, match="tax_undecidable"):
            share(buyer, US_SELLER if buyer is american else EU_SELLER, category, on)


def lines(*nets: int) -> list[TaxableLine]:
    return [TaxableLine(str(i), net, "standard", date(2025, 1, 1)) for i, net in enumerate(nets)]


def at(*percents: str) -> tuple[TaxShare, ...]:
    return tuple(TaxShare("X", f"tax {i}", TaxTreatment.STANDARD, Decimal(p)) for i, p in enumerate(percents))


def test_a_document_is_taxed_once_per_rate() -> None:
    some = lines(1, 1, 1)
    taxes = [LineTax(line.id, at("50")) for line in some]
    assert [t.tax_minor for t in tax_totals(some, taxes)] == [2]
    assert [t.tax_minor for t in tax_totals(some, taxes, TaxRounding.LINE)] == [3]


def test_the_residual_cent_goes_to_the_first_tax_of_a_line() -> None:
    taxes = [LineTax("0", at("10", "10"))]
    assert [t.tax_minor for t in tax_totals(lines(104), taxes, TaxRounding.LINE)] == [10, 10]
    assert [t.tax_minor for t in tax_totals(lines(104), taxes, TaxRounding.LINE_RESIDUAL)] == [11, 10]


def test_a_unit_is_taxed_by_itself_where_it_costs_whole_cents() -> None:
    def taxed(net: int, quantity: str, rounding: TaxRounding) -> int:
        line = lines(net)[0]._replace(quantity=Decimal(quantity))
        return tax_totals([line], [LineTax("0", at("19"))], rounding)[0].tax_minor

    assert (taxed(324, "3", TaxRounding.LINE), taxed(324, "3", TaxRounding.UNIT)) == (62, 63)
    assert taxed(-324, "3", TaxRounding.UNIT) == taxed(-324, "-3", TaxRounding.UNIT) == -63
    assert taxed(1500, "1000", TaxRounding.UNIT) == 285  # usage at one cent and a half, of which no cent is taxed away
    assert taxed(100, "0", TaxRounding.UNIT) == 19


def test_the_port_answers_line_by_line_and_says_who_answered() -> None:
    answer = TableTax(TABLE, estimated=True).quote(lines(100, 200), COMPANY, EU_SELLER)
    assert answer.source == f"table {TABLE.version}"
    assert answer.estimated
    assert [tax.line_id for tax in answer.lines] == ["0", "1"]
    assert answer.tax_minor == 57


def test_every_member_state_has_a_standard_rate_today() -> None:
    for country in TABLE.unions["EU"]:
        assert share(replace(CONSUMER, country=country), on="2026-06-01").percent >= 16


def test_a_table_with_two_rates_at_once_is_refused() -> None:
    row = {
        "country": "DE",
        "name": "VAT",
        "categories": ["standard"],
        "treatment": "standard",
        "percent": "19",
        "from_on": "2020-01-01",
    }
    document = {"version": "x", "unions": {}, "rates": [row, row | {"from_on": "2021-01-01"}]}
    with pytest.raises(Refusal, match="two rates"):
        table_from(document)
    with pytest.raises(Refusal, match="cannot be read"):
        table_from({"version": "x", "unions": {}, "rates": [row | {"percent": "many"}]})


def test_treatments_have_their_code_of_en_16931() -> None:
    assert TaxTreatment.REVERSE_CHARGE.en16931_code == "AE"
    assert {t.en16931_code for t in TaxTreatment} == {"S", "Z", "AE", "K", "G", "E", "O"}


def exemption(
    *jurisdictions: str, categories: tuple[str, ...] = (), until: str = "2026-01-01", cert: str = "cert_1"
) -> Exemption:
    return Exemption(cert, frozenset(jurisdictions), frozenset(categories), date(2025, 1, 1), date.fromisoformat(until))


NEW_YORK = replace(COMPANY, country="US", region="NY")


@pytest.mark.parametrize(
    ("certificates", "on", "category", "percent"),
    [
        ((exemption("US-NY"),), "2025-09-01", "standard", "0"),
        ((exemption("US"),), "2025-09-01", "standard", "0"),  # all of the country
        ((exemption("US-TX"),), "2025-09-01", "standard", "4"),  # another state's
        ((exemption("US-N"),), "2025-09-01", "standard", "4"),  # no prefix of a name
        ((exemption("US-NY", categories=("digital_service",)),), "2025-09-01", "standard", "4"),
        ((exemption("US-NY"),), "2024-12-31", "standard", "4"),  # the day before
        ((exemption("US-NY"),), "2025-12-31", "standard", "0"),  # the last day
        ((exemption("US-NY"),), "2026-01-01", "standard", "4"),  # expired
        ((exemption("US-TX"), exemption("US-NY", cert="cert_2")), "2025-09-01", "standard", "0"),
    ],
)
def test_a_certificate_exempts_by_the_day_of_supply_its_place_and_category(
    certificates: tuple[Exemption, ...], on: str, category: str, percent: str
) -> None:
    found = share(replace(NEW_YORK, exemptions=certificates), US_SELLER, category, on)
    assert found.percent == Decimal(percent)
    assert (found.treatment is TaxTreatment.EXEMPT) == (percent == "0")
    assert found.reason == ("exemption_certificate" if percent == "0" else "")


def test_the_table_remembers_decisions_by_what_they_depend_on() -> None:
    table = TableTax(TABLE)
    exempt = replace(NEW_YORK, exemptions=(exemption("US-NY"),))
    one = [TaxableLine("1", 100, "standard", date(2025, 9, 1))]
    taxes = [table.quote(one, b, US_SELLER).tax_minor for b in (NEW_YORK, exempt, NEW_YORK, exempt)]
    assert taxes == [4, 0, 4, 0]


def test_facts_are_read_back_as_they_were() -> None:
    facts = TaxFacts(replace(NEW_YORK, exemptions=(exemption("US-NY"),), postcode="11201", code="acct_us_a"), US_SELLER)
    assert facts_from(json.loads(json.dumps(facts_to(facts)))) == facts
