"""What stands where on the page."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

import saldo.invoicing
import saldo.rating
from functions.portal.presenters.invoices import step_text
from functions.portal.words import Words
from saldo.accounts.model import Address
from saldo.documents.girocode import giro_code, valid_iban
from saldo.documents.layout import page_of
from saldo.documents.model import EarlyView, TaxView
from saldo.documents.rules import explaining_steps
from saldo.documents.wording import wording
from saldo.rating.model import Step
from saldo.tax.model import Collection
from tests.unit.documents.samples import BUYER, SELLER, credit_note, early_invoice, invoice, line, receipt


def test_a_reverse_charge_invoice_says_so_in_the_words_of_the_law_in_its_language() -> None:
    taxes = (TaxView("AE", Decimal(0), "", "LU", 91245, 0),)
    for language, words in (("de", "Steuerschuldnerschaft des Leistungsempfängers"), ("en", "Reverse charge")):
        page = page_of(invoice(language=language, taxes=taxes, tax_minor=0, total_minor=91245))
        assert len(page["notes"]) == 1 and page["notes"][0].startswith(words)


def test_the_tax_summary_has_one_row_per_rate_and_category() -> None:
    taxes = (
        TaxView("S", Decimal(19), "VAT", "DE", 80000, 15200),
        TaxView("S", Decimal(7), "VAT", "DE", 11245, 787),
        TaxView("E", Decimal(0), "VAT", "DE", 100, 0),
    )
    page = page_of(invoice(taxes=taxes))
    assert [row[1:] for row in page["tax_summary"]["rows"]] == [
        ["19\xa0%", "800,00", "152,00"],
        ["7\xa0%", "112,45", "7,87"],
        ["0\xa0%", "1,00", "0,00"],
    ]
    assert page["totals"][0][0] == "Nettobetrag"
    assert page["totals"][-1] == ["Rechnungsbetrag", "1.085,82\xa0€"]


def test_several_taxes_are_told_apart_by_name_and_an_amount_by_the_unit_has_no_percent() -> None:
    taxes = (TaxView("S", Decimal(5), "GST", "CA", 80000, 4000), TaxView("S", Decimal(0), "Levy", "CA", 80000, 15))
    rows = page_of(invoice(taxes=taxes, language="en"))["tax_summary"]["rows"]
    assert [row[:2] for row in rows] == [["Taxable · GST · CA", "5%"], ["Taxable · Levy · CA", ""]]


def test_what_lies_between_the_total_and_what_is_to_be_paid_is_told_line_by_line() -> None:
    taxes = (
        TaxView("S", Decimal(21), "IVA", "ES", 91245, 19161),
        TaxView("S", Decimal(15), "IRPF", "ES", 91245, 13687, Collection.WITHHELD),
        TaxView("S", Decimal(4), "split", "ES", 91245, 3650, Collection.SPLIT),
    )
    totals = {"tax_minor": 22811, "total_minor": 114056}
    page = page_of(invoice(taxes=taxes, paid_minor=10_000, rounding_minor=1, language="en", **totals))
    assert page["totals"][1:] == [
        ["IVA 21%", "€191.61"],
        ["split 4%", "€36.50"],
        ["Total", "€1,140.56"],
        ["IRPF 15%, withheld by you", "−€136.87"],
        ["split 4%, paid by you to the state", "−€36.50"],
        ["Paid by your credit", "−€100.00"],
        ["Rounding", "€0.01"],
        ["To pay", "€867.20"],
    ]
    assert page["hero"] == "€867.20" and "€867.20" in page["payment"]["sentence"]


def test_a_graduated_line_shows_its_tiers_and_no_single_price() -> None:
    row = page_of(invoice())["rows"][2]
    assert row["price"] == "" and row["net"] == "39,25"
    assert row["steps"] == [
        ["bis 1.000.000", "1.000.000", "0,000004", "4,00"],
        ["über 1.000.000 bis 10.000.000", "9.000.000", "0,000003", "27,00"],
        ["über 10.000.000", "4.250.000", "0,000002", "8,50"],
    ]


def test_what_was_charged_before_or_is_held_to_a_bound_is_told_so_that_steps_add_up() -> None:
    steps = (
        Step("volume_tier", Decimal(64952), Decimal("0.0072"), Decimal("467.6544"), above=Decimal(20000)),
        Step("billed_before", Decimal(4952), Decimal(0), Decimal("-89.136"), Decimal("-89.136")),
        Step("cap", Decimal(1), Decimal(0), Decimal("-8.5184"), Decimal("-8.5184")),
        Step("percentage", Decimal(200), Decimal("0.029"), Decimal("6.1"), Decimal("0.3")),
        Step("overage", Decimal(10), Decimal("0.5"), Decimal(5), above=Decimal(300)),
    )
    views = invoice()
    line = replace(views.lines[2], steps=explaining_steps(steps))
    shown = page_of(replace(views, lines=(line,)))["rows"][0]["steps"]
    assert shown == [
        ["über 20.000", "64.952", "0,0072", "467,6544"],
        ["bereits berechnet", "4.952", "", "−89,136"],
        ["bis zum Höchstbetrag", "", "", "−8,5184"],
        ["2,9\xa0% · zzgl. Grundbetrag 0,30", "200", "", "6,10"],
        ["über dem Mindestbetrag von 300", "10", "0,50", "5,00"],
    ]


def test_a_price_by_event_does_not_fill_pages() -> None:
    one = Step("percentage", Decimal(1), Decimal("0.029"), Decimal("0.03"))
    assert len(explaining_steps((one,) * 40)) == 40 and explaining_steps((one,) * 41) == ()


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_each_step_of_a_price_has_its_words_on_paper_and_on_the_page(language: str) -> None:
    rooms = [Path(room.__file__).parent for room in (saldo.rating, saldo.invoicing)]
    source = "".join(file.read_text() for room in rooms for file in room.rglob("*.py"))
    rules = set(re.findall(r'Step\("(\w+)"', source)) | {"minimum", "maximum"}
    assert len(rules) > 15
    alone = {"flat", "per_unit", "credit"}  # what they say stands on the line
    for rule in sorted(rules - alone):
        step = Step(rule, Decimal(2), Decimal(3), Decimal(7), above=Decimal(1))
        views = replace(invoice(), language=language)
        line = replace(views.lines[0], steps=explaining_steps((step, step)))
        assert page_of(replace(views, lines=(line,)))["rows"][0]["steps"][0][0], rule
        said, other = (step_text(step._replace(rule=r), "", "EUR", Words(language)) for r in (rule, "new"))
        assert said != other, rule


def test_a_line_of_part_of_a_period_says_how_many_days() -> None:
    assert page_of(invoice())["rows"][1]["note"].endswith("18 von 30 Tagen")


def test_money_can_be_sent_from_the_page_alone() -> None:
    payment = page_of(invoice())["payment"]
    shown = dict(payment["rows"])
    assert shown["IBAN"].replace("\xa0", "") == SELLER.iban
    assert shown["Verwendungszweck"] == "DE-2026-000123"
    assert "1.085,82\xa0€" in payment["sentence"] and payment["code"]["svg"].startswith("<svg")


def test_nothing_asks_for_money_when_nothing_is_owed() -> None:
    page = page_of(invoice(total_minor=-5950))
    assert page["payment"] is None and page["hero_note"] == "Guthaben zu Ihren Gunsten"


def test_without_a_bank_account_the_portal_is_the_way_to_pay() -> None:
    page = page_of(invoice(seller=replace(SELLER, iban="", bic="", bank_name="")))
    assert page["payment"]["rows"] == [] and page["payment"]["code"] is None
    assert page["link"]["label"] == "Online ansehen und bezahlen:"
    assert page["link"]["text"] == "portal.nordlicht.example"


def test_a_giro_code_is_for_euros_and_a_valid_account_only() -> None:
    assert giro_code("A", SELLER.iban, SELLER.bic, 100, "EUR", "R1")
    assert not giro_code("A", SELLER.iban, SELLER.bic, 100, "USD", "R1")
    assert not giro_code("A", SELLER.iban, SELLER.bic, 0, "EUR", "R1")
    assert not giro_code("A", "DE00123", SELLER.bic, 100, "EUR", "R1")
    assert valid_iban("GB82WEST12345698765432") and not valid_iban("GB83WEST12345698765432")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (Address(("Hafenstraße 12",), "20457", "Hamburg", "DE"), ["Hafenstraße 12", "20457 Hamburg"]),
        (
            Address(("1 Main St",), "60610", "Chicago", "US", "IL"),
            ["1 Main St", "Chicago, IL 60610", "VEREINIGTE STAATEN"],
        ),
        (
            Address(("1 High Street",), "SW1A 1AA", "London", "GB"),
            ["1 High Street", "London", "SW1A 1AA", "VEREINIGTES KÖNIGREICH"],
        ),
    ],
)
def test_an_address_follows_its_own_country_and_names_it_only_abroad(address: Address, expected: list[str]) -> None:
    page = page_of(invoice(buyer=replace(BUYER, contact_name="", address=address)))
    assert page["recipient"] == [BUYER.legal_name, *expected]


def test_a_receipt_names_what_it_paid_and_what_is_left_as_credit() -> None:
    page = page_of(receipt(amount_minor=140000))
    assert page["rows"][1] == ["DE-2026-000098", "01.11.2026", "540,20", "300,00"]
    assert page["totals"][0] == ["Guthaben auf Ihrem Konto", "14,18\xa0€"]
    assert ["Zahlungsart", "Karte"] in page["facts"]


def test_a_line_without_tax_of_its_own_reads_zero_per_cent() -> None:
    assert page_of(invoice(lines=(line("x", "1", "", "1", 100, percent="0"),)))["rows"][0]["tax"] == "0\xa0%"


def test_american_customers_get_american_paper() -> None:
    assert page_of(invoice(buyer=replace(BUYER, country="US"), language="en"))["paper"] == "us-letter"
    assert page_of(invoice())["paper"] == "a4"
    assert wording("en", "US").region == "US"


def test_a_credit_note_names_its_invoice_and_says_what_it_does() -> None:
    page = page_of(credit_note())
    assert (page["heading"], page["hero"], page["hero_note"]) == (
        "Rechnungskorrektur",
        "−158,51\xa0€",
        "Guthaben zu Ihren Gunsten",
    )
    assert ["Zu Rechnung", "NL-2026-000041 vom 01.11.2026"] in page["facts"]
    assert page["notes"][0] == "Zwei Arbeitsplätze wurden doppelt berechnet."
    assert "NL-2026-000041 vom 1.\xa0November\xa02026" in page["notes"][1]
    assert page["payment"] is None and page["totals"][-1][0] == "Korrekturbetrag"
    english = page_of(credit_note(language="en"))
    assert english["title"] == "Credit note NL-RK-2026-000003 from Nordlicht Cloud GmbH"


def test_an_invoice_says_what_paying_early_takes_off_what_credit_paid_and_the_rate_of_its_currency() -> None:
    page = page_of(early_invoice(language="en"))
    assert page["hero"] == "CHF\xa01,075.82" and page["totals"][-1] == ["To pay", "CHF\xa01,075.82"]
    assert "Pay CHF\xa01,030.00 by 8\xa0December\xa02026 and 2% early-payment discount is yours." in page["notes"]
    assert "1 EUR = 0.9312 CHF (ECB, 30\xa0Nov\xa02026); the tax comes to €186.18." in page["notes"]
    assert "CHF\xa01,075.82" in page["payment"]["sentence"]


def test_an_invoice_says_each_step_of_its_discount_in_every_language() -> None:
    steps = EarlyView(Decimal(3), date(2026, 12, 8), 102_000), EarlyView(Decimal(2), date(2026, 12, 15), 103_000)
    for language in ("en", "de", "fr", "es"):
        (said,) = (note for note in page_of(early_invoice(language=language, early=steps))["notes"] if "020" in note)
        assert said.index("020") < said.index("8") < said.index("030") and "15" in said and "2" in said
    told = page_of(early_invoice(language="fr", early=steps, early_in_part=True))["notes"]
    assert any(note.endswith("dans ce délai bénéficient de leur part d’escompte.") for note in told)
    always = page_of(early_invoice(language="en", early=steps, early_tax_always=True))["notes"]
    assert any(
        note.endswith("The tax is on the amount less this discount, whether or not it is taken.") for note in always
    )
    assert "Danach bei Zahlung von 1.030,00\xa0CHF bis 15.\xa0Dezember\xa02026 2\xa0% Skonto." in "".join(
        page_of(early_invoice(language="de", early=steps))["notes"]
    )


@pytest.mark.parametrize(
    ("currency", "hero"), [("JPY", "JP¥105,582"), ("KWD", "KWD\xa0105.582"), ("USD", "US$1,055.82")]
)
def test_amounts_have_the_digits_of_their_currency_everywhere(currency: str, hero: str) -> None:
    page = page_of(early_invoice(language="en", currency=currency, exchange=None, paid_minor=3000))
    assert page["hero"] == hero
