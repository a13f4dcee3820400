"""Sellers and customers: registered once, changed with a trace, personal data sealed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from saldo.accounts.arrangements import Arrangements
from saldo.accounts.model import Account, Address, BillingProfile, InvoiceSplit, Organisation, TaxStatus
from saldo.accounts.records import account_from, invoiced_to
from saldo.accounts.service import Accounts
from saldo.audit.model import Actor
from saldo.kernel.errors import NotFound, Refusal
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
    payment_terms_days=30,
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


def test_an_account_is_opened_once(accounts: Accounts) -> None:
    opened = accounts.account("acct_eu_a")
    assert replace(opened, tax_id_check=None) == ACCOUNT
    assert not accounts.open_account(replace(ACCOUNT, name="Other"), PROFILE, STAFF)
    opened = accounts.account("acct_eu_a")
    assert replace(opened, tax_id_check=None) == ACCOUNT
    assert list(accounts.account_ids_of("ent_eu_a")) == ["acct_eu_a"]


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
