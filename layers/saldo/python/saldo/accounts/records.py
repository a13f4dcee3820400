"""How sellers and customers lie in the table (master data: PynamoDB defines the records).

`<organisation>` / `organisation` · `<entity>` / `entity` · `<entity>` / `customer#<account>` (the entity's customers)
`<entity>` / `consolidated#<account>` (accounts whose charges come on another's invoice)
`<account>` / `account` · `<account>` / `profile#<version>` (sealed, never changes)
"""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    JSONAttribute,
    NumberAttribute,
    UnicodeAttribute,
)

from saldo.accounts.model import (
    Account,
    AccountStatus,
    Address,
    BillingProfile,
    InvoiceSplit,
    LegalEntity,
    Organisation,
    TaxStatus,
)
from saldo.storage.items import Item, Key
from saldo.storage.records import Record
from saldo.storage.sealing import Sealer
from saldo.storage.store import Store

PROFILE_FIELDS = "profile/1"


class OrganisationRecord(Record):
    name = UnicodeAttribute()
    country = UnicodeAttribute()


class EntityRecord(Record):
    name = UnicodeAttribute()
    country = UnicodeAttribute()
    region = UnicodeAttribute()
    time_zone = UnicodeAttribute()
    currency = UnicodeAttribute()
    number_prefix = UnicodeAttribute()
    tax_registrations = JSONAttribute()
    address = JSONAttribute()
    bank_name = UnicodeAttribute()
    iban = UnicodeAttribute()
    bic = UnicodeAttribute()
    email = UnicodeAttribute()


class AccountRecord(Record):
    organisation_id = UnicodeAttribute()
    entity_id = UnicodeAttribute()
    name = UnicodeAttribute()
    currency = UnicodeAttribute()
    time_zone = UnicodeAttribute()
    country = UnicodeAttribute()
    tax_region = UnicodeAttribute()
    tax_status = UnicodeAttribute()
    has_tax_id = BooleanAttribute()
    language = UnicodeAttribute()
    payment_terms_days = NumberAttribute()
    profile_version = NumberAttribute()
    deliver_by_email = BooleanAttribute()
    status = UnicodeAttribute()
    invoice_split = UnicodeAttribute()
    invoiced_to = UnicodeAttribute()


class ProfileRecord(Record):
    organisation_id = UnicodeAttribute()
    sealed = BinaryAttribute(legacy_encoding=False)


class CustomerRecord(Record):
    """An entity's list of customers: what `saldo check`, runs and staff walk through."""

    account_id = UnicodeAttribute()
    organisation_id = UnicodeAttribute()
    name = UnicodeAttribute()


def organisation_item(organisation: Organisation) -> Item:
    return OrganisationRecord(
        organisation.id, "organisation", name=organisation.name, country=organisation.country
    ).as_item()


def organisation_from(item: Item) -> Organisation:
    return Organisation(item["pk"], item["name"], item["country"])


def entity_item(entity: LegalEntity) -> Item:
    fields = {name: getattr(entity, name) for name in LegalEntity.__dataclass_fields__ if name != "id"}
    fields["address"] = _address_fields(entity.address)
    return EntityRecord(entity.id, "entity", **fields).as_item()


def entity_from(item: Item) -> LegalEntity:
    record = EntityRecord.from_item(item)
    names = [n for n in LegalEntity.__dataclass_fields__ if n not in ("id", "address")]
    return LegalEntity(
        id=item["pk"], address=_address_from(record.address), **{name: getattr(record, name) for name in names}
    )


def account_item(account: Account) -> Item:
    fields = {name: getattr(account, name) for name in Account.__dataclass_fields__ if name != "id"}
    return AccountRecord(account.id, "account", **fields).as_item()


def account_from(item: Item) -> Account:
    """Read field by field from the plain item: the run reads many, and PynamoDB costs 160 µs an item."""
    fields = {name: item[name] for name in Account.__dataclass_fields__ if name != "id"}
    fields["tax_status"] = TaxStatus(fields["tax_status"])
    fields["status"] = AccountStatus(fields["status"])
    fields["invoice_split"] = InvoiceSplit(fields["invoice_split"])
    return Account(id=item["pk"], **fields)


def customer_item(account: Account) -> Item:
    return CustomerRecord(
        account.entity_id,
        f"customer#{account.id}",
        account_id=account.id,
        organisation_id=account.organisation_id,
        name=account.name,
    ).as_item()


def consolidated_key(entity_id: str, account_id: str) -> Key:
    return entity_id, f"consolidated#{account_id}"


def consolidated_item(account: Account, into: str) -> Item:
    pk, sk = consolidated_key(account.entity_id, account.id)
    return {"pk": pk, "sk": sk, "kind": "consolidated", "account_id": account.id, "invoiced_to": into}


def invoiced_to(store: Store, entity_id: str) -> dict[str, str]:
    """Of a seller's accounts that are on another's invoice, that other's id. Most sellers have few."""
    items = store.query_all(entity_id, prefix="consolidated#", consistent=True)
    return {item["account_id"]: item["invoiced_to"] for item in items}


def profile_key(account_id: str, version: int) -> tuple[str, str]:
    return account_id, f"profile#{version:06d}"


def profile_item(profile: BillingProfile, organisation_id: str, sealer: Sealer) -> Item:
    pk, sk = profile_key(profile.account_id, profile.version)
    fields = {name: getattr(profile, name) for name in BillingProfile.__dataclass_fields__}
    del fields["account_id"], fields["version"]
    fields["address"] = _address_fields(profile.address)
    sealed = sealer.seal(organisation_id, (pk, sk), PROFILE_FIELDS, fields)
    return ProfileRecord(pk, sk, organisation_id=organisation_id, sealed=sealed).as_item()


def profile_from(item: Item, sealer: Sealer) -> BillingProfile:
    key = item["pk"], item["sk"]
    fields = sealer.open(item["organisation_id"], key, PROFILE_FIELDS, item["sealed"])
    fields["address"] = _address_from(fields["address"])
    fields["emails"] = tuple(fields["emails"])
    return BillingProfile(account_id=key[0], version=int(key[1].split("#")[1]), **fields)


def _address_fields(address: Address) -> dict[str, Any]:
    return {name: getattr(address, name) for name in Address.__dataclass_fields__}


def _address_from(fields: dict[str, Any]) -> Address:
    return Address(**{**fields, "lines": tuple(fields["lines"])})
