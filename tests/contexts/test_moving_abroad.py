"""An account that moves to another country: taxed there, with nothing of the country it left still counting."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from saldo.accounts.model import Account, Address, BillingProfile, Exemption, ExemptionCertificate, TaxIdStatus
from saldo.accounts.service import Accounts
from saldo.accounts.tax_standing import TaxStanding
from saldo.audit.model import Actor
from saldo.invoicing.rules_taxable import facts_of_buyer
from saldo.kernel.errors import Refusal
from saldo.storage.units import Unit
from saldo.tax.model import SellerFacts, TaxableLine, TaxTreatment
from saldo.tax.rules import shares_for
from saldo.tax.table import shipped_table
from tests.contexts.conftest import Region
from tests.contexts.test_accounts import ACCOUNT, PROFILE, STAFF

PARIS = Address(("1 rue de Rivoli",), "75001", "Paris", "FR")
TORONTO = Address(("1 King St",), "M5H", "Toronto", "CA", "ON")
FRENCH = "FR40303265045"
SELLER = SellerFacts("DE", "", frozenset({"DE"}))
LATER = date(2031, 1, 1)


@pytest.fixture
def accounts(region: Region) -> Accounts:
    found = Accounts(region.store, region.sealer, region.clock)
    found.open_account(ACCOUNT, PROFILE, STAFF)
    return found


def _certificate(region: Region, name: str, from_on: date, *places: str) -> None:
    exemption = Exemption(name, frozenset(places), frozenset(), from_on, LATER)
    TaxStanding(region.store, region.sealer, region.clock).add_certificate(
        ExemptionCertificate(ACCOUNT.id, "A-1", exemption), STAFF
    )


def _wrong(accounts: Accounts, profile: BillingProfile, actor: Actor = STAFF) -> list[tuple[str, str]]:
    with pytest.raises(Refusal) as refusal:
        accounts.change_profile(profile, actor)
    assert accounts.account(ACCOUNT.id).profile_version == 1 and refusal.value.code == "invalid_details"
    return [(p.field, p.code) for p in refusal.value.problems]


def _tax(account: Account) -> tuple[str, TaxTreatment]:
    line = TaxableLine("l", 10_000, "standard", date(2026, 3, 31))
    (share,) = shares_for(line, facts_of_buyer(account), SELLER, shipped_table())
    return share.jurisdiction, share.treatment


def test_who_moves_is_taxed_there_and_keeps_currency_zone_and_home(accounts: Accounts, region: Region) -> None:
    region.clock.advance(minutes=1)
    assert _tax(accounts.account(ACCOUNT.id)) == ("DE", TaxTreatment.STANDARD)
    accounts.change_profile(replace(PROFILE, address=PARIS, tax_id=FRENCH), STAFF, "they wrote")
    moved = accounts.account(ACCOUNT.id)
    assert (moved.country, moved.tax_region, moved.has_tax_id) == ("FR", "", True)
    assert moved.tax_id_check and moved.tax_id_check.country == "FR"
    assert _tax(moved) == ("FR", TaxTreatment.REVERSE_CHARGE)
    assert (moved.currency, moved.time_zone, moved.id) == (ACCOUNT.currency, ACCOUNT.time_zone, ACCOUNT.id)
    *_, record = region.store.query_all(ACCOUNT.id, prefix="audit#")
    assert (record["before"], record["reason"]) == ({"country": "DE"}, "they wrote")
    assert record["after"] == {"country": "FR", "changed": ["address", "tax_id"]} and "Paris" not in repr(record)


def test_without_a_tax_id_of_the_new_country_nobody_accounts_for_the_tax_themselves(accounts: Accounts) -> None:
    accounts.change_profile(replace(PROFILE, address=PARIS, tax_id=""), STAFF)
    moved = accounts.account(ACCOUNT.id)
    assert moved.tax_id_check and moved.tax_id_check.status is TaxIdStatus.NONE
    assert _tax(moved) == ("DE", TaxTreatment.STANDARD), "the seller is registered nowhere else in the union"


@pytest.mark.parametrize("old", ["DE123456788", "de 123 456 788"])
def test_the_tax_id_of_the_country_that_is_left_is_refused(accounts: Accounts, old: str) -> None:
    """Also where nobody knows what ids of the new country look like."""
    for address in (PARIS, Address(("1 Road",), "", "Nairobi", "KE")):
        assert _wrong(accounts, replace(PROFILE, address=address, tax_id=old)) == [("tax_id", "of_other_country")]
    assert _wrong(accounts, replace(PROFILE, address=PARIS, tax_id="DE136695976")) == [("tax_id", "invalid_tax_id")]


def test_a_country_is_one_and_its_state_is_named_where_tax_depends_on_it(accounts: Accounts) -> None:
    nowhere = replace(PROFILE, address=replace(PARIS, country="XX"), tax_id="")
    assert _wrong(accounts, nowhere) == [("country", "invalid_country")]
    stateless = replace(PROFILE, address=replace(TORONTO, region=""), tax_id="")
    assert _wrong(accounts, stateless) == [("region", "invalid_region")]
    accounts.change_profile(replace(PROFILE, address=TORONTO, tax_id=""), STAFF)
    moved = accounts.account(ACCOUNT.id)
    assert (moved.country, moved.tax_region, moved.tax_postcode) == ("CA", "ON", "M5H")
    accounts.change_profile(replace(PROFILE, address=PARIS, tax_id=""), STAFF)
    moved = accounts.account(ACCOUNT.id)
    assert (moved.country, moved.tax_region, moved.tax_postcode) == ("FR", "", "")


def test_a_customers_own_word_moves_nobody(accounts: Accounts) -> None:
    user = Actor("user_1", "user")
    assert _wrong(accounts, replace(PROFILE, address=PARIS, tax_id=""), user) == [("country", "sellers_to_change")]


def test_certificates_of_the_country_that_is_left_end_that_day(accounts: Accounts, region: Region) -> None:
    today = region.clock().date()
    _certificate(region, "cert_here", date(2020, 1, 1), "DE")
    _certificate(region, "cert_to_come", LATER.replace(year=2030), "DE-BY")
    _certificate(region, "cert_both", date(2020, 1, 1), "DE", "FR")
    region.clock.advance(minutes=1)
    accounts.change_profile(replace(PROFILE, address=PARIS, tax_id=FRENCH), STAFF)
    until = {e.id: e.until_on for e in accounts.account(ACCOUNT.id).exemptions}
    assert until == {"cert_here": today, "cert_to_come": date(2030, 1, 1), "cert_both": LATER}
    standing = TaxStanding(region.store, region.sealer, region.clock)
    assert standing.certificate(ACCOUNT.id, "cert_here").exemption.until_on == today
    *_, record = region.store.query_all(ACCOUNT.id, prefix="audit#")
    assert record["after"]["certificates_ended"] == ["cert_here", "cert_to_come"]


def test_who_the_seller_taxes_in_another_country_than_at_the_address_stays_taxed_there(
    accounts: Accounts, region: Region
) -> None:
    region.store.write_one(Unit("taxed at their works").update((ACCOUNT.id, "account"), set={"country": "AT"}))
    accounts.change_profile(replace(PROFILE, address=PARIS, tax_id="ATU13585627"), STAFF)
    assert accounts.account(ACCOUNT.id).country == "AT"
