"""Where a seller may charge tax, from a day on and until another, in what it says, on record and frozen."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saldo.accounts.model import LegalEntity, TaxStatus
from saldo.accounts.reading import seller_from_json
from saldo.accounts.records import entity_from, entity_item, facts_print
from saldo.documents.rules import seller_view
from saldo.invoicing.rules_taxable import facts_of_seller
from saldo.kernel.errors import Refusal
from saldo.tax.codec import facts_from, facts_to
from saldo.tax.model import BuyerFacts, TaxableLine, TaxFacts, TaxTreatment
from saldo.tax.rules import shares_for
from saldo.tax.table import shipped_table
from tests.functions.test_selling_commands import SELLER

FRENCH = {"tax_id": "FR40303265045", "from_on": "2026-07-01", "until_on": "2027-01-01"}
PARISIAN = BuyerFacts("FR", "", TaxStatus.CONSUMER, False)
FIRST, LAST = date(2026, 7, 1), date(2026, 12, 31)


def seller(**registrations: Any) -> LegalEntity:
    """As it is on record."""
    told = {**SELLER, "tax_registrations": {"DE": "DE123456789", **registrations}}
    return entity_from(entity_item(seller_from_json(told)))


def taxed(entity: LegalEntity, on: date) -> str:
    line = TaxableLine("l", 100, "standard", on)
    (share,) = shares_for(line, PARISIAN, facts_of_seller(entity), shipped_table())
    assert share.treatment is TaxTreatment.STANDARD
    return share.jurisdiction


@given(st.dates(date(2025, 1, 1), date(2028, 1, 1)))
def test_a_supply_is_taxed_by_the_registrations_of_its_day(on: date) -> None:
    """Within the union what is not taxed where the buyer is bears the tax of where the seller is."""
    always, never = seller(FR="FR40303265045"), seller()
    assert taxed(seller(FR=FRENCH), on) == taxed(always if FIRST <= on <= LAST else never, on)


def test_its_first_and_last_day_count() -> None:
    day, found = timedelta(days=1), seller(FR=FRENCH)
    assert [taxed(found, on) for on in (FIRST - day, FIRST, LAST, LAST + day)] == ["DE", "FR", "FR", "DE"]


def test_days_that_an_estimate_is_asked_about_again_by_are_kept_and_older_ones_still_read() -> None:
    facts = TaxFacts(PARISIAN, facts_of_seller(seller(FR=FRENCH)))
    assert facts_from(facts_to(facts)) == facts
    older = facts_to(facts)
    older["seller"] = older["seller"][:4]
    assert facts_from(older).seller.on(LAST + timedelta(days=1)).registrations == {"DE", "FR"}


def test_a_seller_without_days_lies_as_it_always_did_and_documents_find_its_facts() -> None:
    plain = seller(FR="FR40303265045")
    assert "registered" not in entity_item(plain) and plain.registered == {}
    assert facts_print(plain) != facts_print(seller(FR=FRENCH))


def test_documents_name_the_registrations_of_their_day_and_those_whose_tax_they_charge() -> None:
    found = seller(FR=FRENCH)
    assert list(seller_view(found, FIRST - timedelta(days=1)).tax_registrations) == ["DE"]
    assert list(seller_view(found, LAST).tax_registrations) == ["DE", "FR"]
    assert "FR" in seller_view(found, LAST + timedelta(days=30), {"FR"}).tax_registrations


def test_days_that_cannot_be_are_told_with_what_else_is_wrong() -> None:
    with pytest.raises(Refusal) as refusal:
        seller(
            FR={"from_on": "2027-01-01", "until_on": "2026-07-01", "til": "x"}, CH={"tax_id": "1", "until_on": "May"}
        )
    assert {(p.field, p.code) for p in refusal.value.problems} == {
        ("tax_registrations.FR.tax_id", "missing"),
        ("tax_registrations.FR.until_on", "not_after_from_on"),
        ("tax_registrations.FR.til", "unknown_field"),
        ("tax_registrations.CH.until_on", "not_a_date"),
    }
