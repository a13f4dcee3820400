"""How sellers and customers lie in the table (master data: PynamoDB defines the records).

`<organisation>` / `organisation` · `<entity>` / `entity` · `<entity>` / `customer#<account>` (the entity's customers)
`<entity>` / `customer_word#<word>#<account>` (customers by each word of their name, for staff's search)
`<entity>` / `consolidated#<account>` (accounts whose charges come on another's invoice)
`<account>` / `account` · `<account>` / `profile#<version>` (sealed, never changes)
`<account>` / `certificate#<id>` (its number sealed) · `<account>` / `tax_id`: a tax id to be asked about again, on the
agenda `unchecked#<entity>` under the day of the next try.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import date
from typing import Any

from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    NumberAttribute,
    UnicodeAttribute,
)

from saldo.accounts.codec import (
    address_fields,
    address_from,
    check_from,
    check_to,
    discounts_from,
    discounts_to,
    exemption_from,
    exemption_to,
    late_from,
    late_to,
)
from saldo.accounts.model import (
    Account,
    AccountStatus,
    BankStatement,
    Exemption,
    InvoiceSplit,
    LegalEntity,
    Organisation,
    Settle,
    TaxIdCheck,
    TaxStatus,
    Terms,
)
from saldo.accounts.records_payment_terms import payment_terms_attributes, payment_terms_from_item
from saldo.kernel.clock import instant_from, instant_text
from saldo.kernel.exchange import rate_from_row, rate_row
from saldo.kernel.ids import fingerprint
from saldo.kernel.periods import Period
from saldo.storage.items import Item, Key
from saldo.storage.records import Record
from saldo.storage.store import Store

ACCOUNT = "account"
CUSTOMER_WORDS = "customer_word#"
_LATER = ("payment_terms", "terms", "tax_postcode", "exemptions", "tax_id_check")
_ACCOUNT_FIELDS = tuple(name for name in Account.__dataclass_fields__ if name not in ("id", *_LATER))


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
    bank_statement = JSONAttribute(null=True)
    registered = JSONAttribute(null=True)


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
    payment_terms = UnicodeAttribute(null=True)
    profile_version = NumberAttribute()
    deliver_by_email = BooleanAttribute()
    status = UnicodeAttribute()
    terms = UnicodeAttribute(null=True)
    invoice_split = UnicodeAttribute()
    invoiced_to = UnicodeAttribute()
    tax_postcode = UnicodeAttribute(null=True)
    exemptions = JSONAttribute(null=True)
    tax_id_check = JSONAttribute(null=True)


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
    said, one = _said(entity), entity.bank_statement
    statement = asdict(one) | {"at": instant_text(one.at), "since": one.since.isoformat()} if one else None
    return EntityRecord(said.pop("id"), "entity", **said, bank_statement=statement).as_item()


def entity_from(item: Item) -> LegalEntity:
    record = EntityRecord.from_item(item)
    read_apart = ("id", "address", "bank_statement", "registered")
    fields = {name: getattr(record, name) for name in LegalEntity.__dataclass_fields__ if name not in read_apart}
    if record.registered:
        fields["registered"] = {place: Period.from_text(days) for place, days in record.registered.items()}
    return LegalEntity(
        id=item["pk"], address=address_from(record.address), bank_statement=bank_statement_from(item), **fields
    )


def bank_statement_from(item: Item) -> BankStatement | None:
    """Of a seller's item as it lies; None where nobody signed."""
    if not item.get("bank_statement"):
        return None
    found = json.loads(item["bank_statement"])
    at, since = instant_from(found["at"]), date.fromisoformat(found["since"])
    return BankStatement(found["number"], at, since, found["before"], found["signed"])


def bank_fields(entity: LegalEntity) -> Item:
    """What a change of the bank account changes on a seller's item."""
    item = entity_item(entity)
    return {name: item[name] for name in ("bank_name", "iban", "bic", "bank_statement") if name in item}


def _said(entity: LegalEntity) -> dict[str, Any]:
    """All that stands in a seller, but for what was signed of it; what only some have where they have it, so that the
    facts of others keep their names."""
    names = [n for n in LegalEntity.__dataclass_fields__ if n not in ("bank_statement", "registered")]
    said = {name: getattr(entity, name) for name in names} | {"address": address_fields(entity.address)}
    days = {place: days.as_text() for place, days in entity.registered.items()}
    return said | ({"registered": days} if days else {})


def facts_print(entity: LegalEntity) -> str:
    """The name of what a seller's documents say of it: the same facts have the same one. Of what was signed of its bank
    account documents say only that it was another one before."""
    said, told = _said(entity), entity.bank_statement
    if told and told.before:
        said["account_before"] = [told.since.isoformat(), told.before]
    return fingerprint(json.dumps(said, sort_keys=True, default=list))


def facts_key(entity_id: str, print_: str) -> Key:
    return entity_id, f"facts#{print_}"


def facts_item(entity: LegalEntity) -> Item:
    """A seller as it is now, kept for ever under the print of its facts: documents name those they were issued with."""
    pk, sk = facts_key(entity.id, facts_print(entity))
    return entity_item(entity) | {"pk": pk, "sk": sk, "kind": "facts"}


def account_item(account: Account) -> Item:
    """What only some accounts have is written only where they have it."""
    fields = {name: getattr(account, name) for name in _ACCOUNT_FIELDS}
    fields["terms"] = terms_text(account.terms)
    fields |= payment_terms_attributes(account.payment_terms)
    return AccountRecord(account.id, ACCOUNT, **fields, **_tax_fields(account)).as_item()


def _tax_fields(account: Account) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if account.tax_postcode:
        found["tax_postcode"] = account.tax_postcode
    if account.exemptions:
        found["exemptions"] = [exemption_to(exemption) for exemption in account.exemptions]
    if account.tax_id_check:
        found["tax_id_check"] = check_to(account.tax_id_check)
    return found


def account_from(item: Item) -> Account:
    """Read field by field from the plain item: the run reads many, and PynamoDB costs 160 µs an item."""
    fields = {name: item[name] for name in _ACCOUNT_FIELDS}
    fields["payment_terms"] = payment_terms_from_item(item)
    fields["terms"] = terms_from(item.get("terms"))
    fields["tax_status"] = TaxStatus(fields["tax_status"])
    fields["status"] = AccountStatus(fields["status"])
    fields["invoice_split"] = InvoiceSplit(fields["invoice_split"])
    if "tax_postcode" in item:
        fields["tax_postcode"] = item["tax_postcode"]
    if "exemptions" in item:
        fields["exemptions"] = tuple(exemption_from(row) for row in json.loads(item["exemptions"]))
    if "tax_id_check" in item:
        fields["tax_id_check"] = check_from(json.loads(item["tax_id_check"]))
    return Account(id=item["pk"], **fields)


def terms_text(terms: Terms) -> str | None:
    """Terms as JSON text; None for those everyone has."""
    if terms == Terms():
        return None
    found: dict[str, Any] = {"review": terms.review}
    if terms.credit_limit_minor:
        found["limit"] = terms.credit_limit_minor
    if terms.early_in_part:
        found["early_in_part"] = True
    if terms.settle:
        found["settle"] = terms.settle.value
    if terms.segment or terms.contract:
        found["kind"] = [terms.segment, terms.contract]
    if terms.price_rates:
        found["price_rates"] = [rate_row(rate) for rate in terms.price_rates]
    if terms.early_discounts:
        found |= discounts_to(terms.early_discounts, "early")
    found |= late_to(terms.late)
    return json.dumps(found, sort_keys=True)


def terms_from(text: str | None) -> Terms:
    if not text:
        return Terms()
    found = json.loads(text)
    segment, contract = found.get("kind", ("", ""))
    return Terms(
        early_discounts=discounts_from(found, "early"),
        early_in_part=found.get("early_in_part", False),
        late=late_from(found),
        settle=Settle(found["settle"]) if "settle" in found else None,
        review=found["review"],
        segment=segment,
        contract=contract,
        credit_limit_minor=found.get("limit", 0),
        price_rates=tuple(rate_from_row(row) for row in found.get("price_rates", ())),
    )


def customer_key(entity_id: str, account_id: str) -> Key:
    """Where a seller's list of customers has this account: there, and only there, it is the seller's."""
    return entity_id, f"customer#{account_id}"


def customer_item(account: Account) -> Item:
    return CustomerRecord(
        account.entity_id,
        customer_key(account.entity_id, account.id)[1],
        account_id=account.id,
        organisation_id=account.organisation_id,
        name=account.name,
    ).as_item()


def words_of(name: str) -> list[str]:
    """Words of a name as they are searched: lower case, without accents, at most eight."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    return list(dict.fromkeys(re.findall(r"\w+", plain)))[:8]


def customer_word_items(account: Account) -> list[Item]:
    fields = {"kind": "customer_word", "account_id": account.id, "name": account.name}
    keys = [customer_word_key(account.entity_id, word, account.id) for word in words_of(account.name)]
    return [{"pk": pk, "sk": sk, **fields} for pk, sk in keys]


def customer_word_key(entity_id: str, word: str, account_id: str) -> Key:
    return entity_id, f"{CUSTOMER_WORDS}{word}#{account_id}"


def consolidated_key(entity_id: str, account_id: str) -> Key:
    return entity_id, f"consolidated#{account_id}"


def consolidated_item(account: Account, into: str) -> Item:
    pk, sk = consolidated_key(account.entity_id, account.id)
    return {"pk": pk, "sk": sk, "kind": "consolidated", "account_id": account.id, "invoiced_to": into}


def account_keys(store: Store, entity_id: str) -> Iterator[Key]:
    """Of all of a seller's accounts, in the order of their ids."""
    for item in store.query_all(entity_id, prefix="customer#", fields=("account_id",)):
        yield item["account_id"], ACCOUNT


def invoiced_to(store: Store, entity_id: str) -> dict[str, str]:
    """Of a seller's accounts that are on another's invoice, that other's id. Most sellers have few."""
    items = store.query_all(entity_id, prefix="consolidated#", consistent=True)
    return {item["account_id"]: item["invoiced_to"] for item in items}


def tax_id_fields(check: TaxIdCheck) -> Item:
    """What a check of the tax id changes on an account."""
    return {"has_tax_id": check.counts, "tax_id_check": json.dumps(check_to(check))}


def details_fields(before: Account, after: Account) -> Item:
    """What a change of the billing details changes on an account, beside what is known of its tax id."""
    names = ("profile_version", "country", "tax_region", "language", "deliver_by_email")
    fields: Item = {name: getattr(after, name) for name in names}
    if after.tax_postcode != before.tax_postcode:
        fields["tax_postcode"] = after.tax_postcode
    if after.exemptions != before.exemptions:
        fields["exemptions"] = exemptions_field(after.exemptions)
    return fields


def exemption_field(exemption: Exemption) -> str:
    """The certificate's attribute of that name."""
    return json.dumps(exemption_to(exemption))


def exemptions_field(exemptions: Iterable[Exemption]) -> str:
    """The account's attribute of that name."""
    return json.dumps([exemption_to(exemption) for exemption in exemptions])


def unchecked_agenda(entity_id: str) -> str:
    """The agenda partition of a seller's customers whose tax ids are to be asked about, by day."""
    return f"unchecked#{entity_id}"


def unchecked_item(account: Account, next_on: date) -> Item:
    return {
        "pk": account.id,
        "sk": "tax_id",
        "kind": "tax_id",
        "account_id": account.id,
        "agenda_pk": unchecked_agenda(account.entity_id),
        "agenda_on": next_on.isoformat(),
    }
