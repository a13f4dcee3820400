"""Sellers and customers: registered once, changed with a trace, personal data sealed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from saldo.accounts.arrangements import Arrangements
from saldo.accounts.model import Account, Address, BillingProfile, InvoiceSplit, Organisation, TaxIdStatus, TaxStatus
from saldo.accounts.model_payment_terms import PaymentTerms
from saldo.accounts.records import account_from, account_keys, invoiced_to
from saldo.accounts.rules_details import Sending
from saldo.accounts.service import Accounts
from saldo.audit.model import Actor
from saldo.kernel.errors import NotFound, Refusal
from saldo.storage.units import Unit
from tests.contexts.conftest import Region

STAFF = Actor("staff_1", "staff")
ACCOUNT = Account(
    id="acct_eu_a",
    organisation_id="org_eu_a",
    entity_id="ent_eu_a",
    name="Ada Mills",
    currency="EUR",
    time_zone="Europe/Berlin",
    country="DE",
    tax_region="",
    tax_status=TaxStatus.BUSINESS,
    has_tax_id=True,
    language="de",
    payment_terms=PaymentTerms(30),
    profile_version=1,
    deliver_by_email=True,
)
PROFILE = BillingProfile(
    account_id="acct_eu_a",
    version=1,
    legal_name="Mühle Ada Lovelace GmbH",
    contact_name="Ada Lovelace",
    address=Address(("Mühlweg 1",), "80331", "München", "DE"),
    tax_id="DE123456788",
    emails=("ada@example.com",),
    purchase_order="",
)


@pytest.fixture
def accounts(region: Region) -> Accounts:
    found = Accounts(region.store, region.sealer, region.clock)
    found.register_organisation(Organisation("org_eu_a", "Mühle Ada", "DE"), STAFF)
    assert found.open_account(ACCOUNT, PROFILE, STAFF)
    return found


def test_an_account_is_opened_once(accounts: Accounts, region: Region) -> None:
    opened = accounts.account("acct_eu_a")
    assert replace(opened, tax_id_check=None) == ACCOUNT
    assert not accounts.open_account(replace(ACCOUNT, name="Other"), PROFILE, STAFF)
    opened = accounts.account("acct_eu_a")
    assert replace(opened, tax_id_check=None) == ACCOUNT
    assert list(account_keys(region.store, "ent_eu_a")) == [("acct_eu_a", "account")]


def test_no_personal_field_lies_in_clear(accounts: Accounts, region: Region) -> None:
    everything = repr(region.dynamodb.scan(TableName="records")["Items"])
    for personal in ("Ada Lovelace", "Mühlweg", "80331", "ada@example.com", "DE123456788"):
        assert personal not in everything


def test_a_changed_profile_is_a_new_version_and_the_old_one_stays(accounts: Accounts) -> None:
    accounts.change_profile(replace(PROFILE, contact_name="Grace Hopper"), STAFF)
    assert accounts.account("acct_eu_a").profile_version == 2
    assert accounts.profile("acct_eu_a", 1).contact_name == "Ada Lovelace"
    assert accounts.profile("acct_eu_a", 2).contact_name == "Grace Hopper"


def test_every_change_leaves_its_audit_record(accounts: Accounts, region: Region) -> None:
    region.clock.advance(minutes=1)
    accounts.change_profile(PROFILE, STAFF, reason="customer wrote")
    actions = [i["action"] for i in region.store.query_all("acct_eu_a", prefix="audit#")]
    assert actions == ["account.opened", "profile.changed"]


def test_an_unknown_account_is_not_found(accounts: Accounts) -> None:
    with pytest.raises(NotFound):
        accounts.account("acct_eu_b")


def _open(region: Region, account_id: str, **fields: object) -> None:
    account = replace(ACCOUNT, id=account_id, **fields)  # type: ignore[arg-type]
    profile = replace(PROFILE, account_id=account_id)
    Accounts(region.store, region.sealer, region.clock).open_account(account, profile, STAFF)


def test_an_account_comes_on_the_invoices_of_another_and_goes_back(region: Region) -> None:
    _open(region, "acct_eu_a")
    _open(region, "acct_eu_b")
    arrangements = Arrangements(region.store, region.clock)
    assert arrangements.consolidate("acct_eu_b", "acct_eu_a", STAFF).invoiced_to == "acct_eu_a"
    assert invoiced_to(region.store, "ent_eu_a") == {"acct_eu_b": "acct_eu_a"}
    arrangements.consolidate("acct_eu_b", "", STAFF, "site was sold")
    assert invoiced_to(region.store, "ent_eu_a") == {}
    item = region.store.get("acct_eu_b", "account")
    assert item and account_from(item).invoiced_to == ""


def test_everything_that_keeps_accounts_from_sharing_an_invoice_is_named(region: Region) -> None:
    _open(region, "acct_eu_a", organisation_id="org_eu_other", currency="USD", entity_id="ent_eu_b")
    _open(region, "acct_eu_b")
    _open(region, "acct_eu_c")
    arrangements = Arrangements(region.store, region.clock)
    with pytest.raises(Refusal) as refusal:
        arrangements.consolidate("acct_eu_b", "acct_eu_a", STAFF)
    assert {p.code for p in refusal.value.problems} == {"other_organisation", "other_seller", "other_currency"}
    arrangements.consolidate("acct_eu_c", "acct_eu_b", STAFF)
    with pytest.raises(Refusal, match="has acct_eu_c on its own invoice"):
        arrangements.consolidate("acct_eu_b", "acct_eu_c", STAFF)
    with pytest.raises(Refusal, match="already"):
        arrangements.consolidate("acct_eu_b", "acct_eu_b", STAFF)


def test_an_account_gets_an_invoice_for_each_purchase_order_when_it_asks_for_it(region: Region) -> None:
    _open(region, "acct_eu_a")
    Arrangements(region.store, region.clock).split("acct_eu_a", InvoiceSplit.PURCHASE_ORDER, STAFF)
    item = region.store.get("acct_eu_a", "account")
    assert item and account_from(item).invoice_split is InvoiceSplit.PURCHASE_ORDER


def _american(region: Region, **fields: object) -> tuple[Accounts, BillingProfile]:
    new_york = replace(
        PROFILE, account_id="acct_eu_us", tax_id="", address=Address(("1 Pine St",), "10005", "New York", "US", "NY")
    )
    account = replace(ACCOUNT, id="acct_eu_us", country="US", tax_region="NY", tax_postcode="10005", **fields)  # type: ignore[arg-type]
    accounts = Accounts(region.store, region.sealer, region.clock)
    accounts.open_account(account, new_york, STAFF)
    return accounts, new_york


CALIFORNIA = Address(("1 Market St",), "94105", "San Francisco", "US", "CA")


def test_who_moves_to_another_state_is_taxed_there(region: Region) -> None:
    accounts, profile = _american(region)
    accounts.change_profile(replace(profile, address=CALIFORNIA), STAFF)
    moved = accounts.account("acct_eu_us")
    assert (moved.tax_region, moved.tax_postcode, moved.profile_version) == ("CA", "94105", 2)


def test_who_the_seller_taxes_elsewhere_than_at_their_address_stays_taxed_there(region: Region) -> None:
    accounts, profile = _american(region)
    accounts.change_profile(replace(profile, address=replace(profile.address, region="NJ", postcode="07302")), STAFF)
    region.store.write_one(Unit("taxed at their works").update(("acct_eu_us", "account"), set={"tax_region": "TX"}))
    accounts.change_profile(replace(profile, address=CALIFORNIA), STAFF)
    assert accounts.account("acct_eu_us").tax_region == "TX"


def test_language_and_delivery_change_with_the_profile_and_are_audited_without_what_is_personal(
    accounts: Accounts, region: Region
) -> None:
    region.clock.advance(minutes=1)
    new = replace(PROFILE, contact_name="Grace Hopper", emails=())
    accounts.change_profile(new, STAFF, "they wrote", sending=Sending("fr", False), seen=1)
    account = accounts.account("acct_eu_a")
    assert (account.language, account.deliver_by_email) == ("fr", False)
    *_, record = region.store.query_all("acct_eu_a", prefix="audit#")
    assert record["before"] == {"language": "de", "deliver_by_email": True}
    assert record["after"] == {"language": "fr", "deliver_by_email": False, "changed": ["contact_name", "emails"]}
    assert "Hopper" not in repr(record) and "ada@" not in repr(record)


def test_a_change_sent_twice_is_one_and_one_of_an_older_version_is_refused(accounts: Accounts) -> None:
    new = replace(PROFILE, contact_name="Grace Hopper")
    first = accounts.change_profile(new, STAFF, seen=1)
    assert accounts.change_profile(new, STAFF, seen=1) == first
    with pytest.raises(Refusal, match="changed_meanwhile"):
        accounts.change_profile(replace(PROFILE, contact_name="Somebody Else"), STAFF, seen=1)
    assert accounts.account("acct_eu_a").profile_version == 2


def test_everything_wrong_with_billing_details_is_named_at_once(region: Region) -> None:
    accounts, profile = _american(region)
    wrong = replace(
        profile,
        legal_name=" ",
        address=Address((), "9" * 21, "", "US", "New York"),
        emails=("nobody",),
        purchase_order="x" * 51,
    )
    with pytest.raises(Refusal) as refusal:
        accounts.change_profile(wrong, STAFF, sending=Sending("English", True))
    fields = [p.field for p in refusal.value.problems]
    assert sorted(fields) == [
        "city",
        "emails",
        "language",
        "legal_name",
        "lines",
        "postcode",
        "purchase_order",
        "region",
    ]
    with pytest.raises(Refusal) as refusal:
        accounts.change_profile(replace(profile, emails=()), STAFF, sending=Sending("en", True))
    assert [(p.field, p.code) for p in refusal.value.problems] == [("emails", "missing")]


def test_a_tax_id_the_register_knew_stays_known_where_it_is_not_asked_again(region: Region) -> None:
    class Register:
        def knows(self, country: str, number: str) -> bool:
            return True

    asked = Accounts(region.store, region.sealer, region.clock, Register())
    asked.open_account(ACCOUNT, PROFILE, STAFF)
    unasked = Accounts(region.store, region.sealer, region.clock)
    unasked.change_profile(replace(PROFILE, contact_name="Grace Hopper"), STAFF)
    check = unasked.account("acct_eu_a").tax_id_check
    assert check and check.status is TaxIdStatus.VALID
    unasked.change_profile(replace(PROFILE, tax_id="DE111111125"), STAFF)
    check = unasked.account("acct_eu_a").tax_id_check
    assert check and check.status is TaxIdStatus.UNCHECKED
