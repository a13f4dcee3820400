"""Sellers and customers as JSON documents, read so that every field at fault is named."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from saldo.accounts.model import Account, Address, BillingProfile, LegalEntity, Organisation, TaxStatus
from saldo.accounts.reading_payment_terms import MOST_DAYS, payment_terms_of
from saldo.accounts.rules_details import EMAIL, opened_at
from saldo.accounts.seller_details import BankDetails, checked_bank
from saldo.kernel.errors import Refusal
from saldo.kernel.ids import check_id
from saldo.kernel.periods import Period, zone_named
from saldo.kernel.reading import Fields, read

_COUNTRY, _CURRENCY, _LANGUAGE = re.compile(r"[A-Z]{2}"), re.compile(r"[A-Z]{3}"), re.compile(r"[a-z]{2}")


def seller_from_json(document: Any) -> LegalEntity:
    """{"id", "name", "country", "region"?, "time_zone", "currency", "number_prefix", "tax_registrations"?: {country:
    tax id, or {"tax_id", "from_on"?, "until_on"?} for supplies of those days}, "address": {"lines", "postcode", "city",
    "country"?, "region"?}, "bank": {"name", "iban", "bic"}, "email"}.
    Refusal `invalid_input` names every field at fault."""
    return read(document, _seller, "the seller cannot be read")


def customer_from_json(document: Any) -> tuple[Organisation, list[tuple[Account, BillingProfile]]]:
    """{"organisation": {"id", "name", "country"}, "accounts": [{"id", "entity", "name"?, "currency", "time_zone",
    "country"?, "tax_region"?, "tax_postcode"?, "tax_status"?, "language"?, "payment_terms"?: {}, "deliver_by_email"?,
    "profile": {"legal_name"?, "contact_name"?, "address", "tax_id"?, "emails"?, "purchase_order"?}}]}; what is left out
    is the organisation's, and of where tax is due the address's. Refusal `invalid_input` names every field at fault."""
    return read(document, _customer, "the customer cannot be read")


def _seller(fields: Fields) -> LegalEntity:
    country, bank = _shaped(fields, "country", _COUNTRY, "DE"), _bank(fields.child("bank"))
    tax_ids, registered = _registrations(fields)
    entity = LegalEntity(
        id=_id(fields, "id", "ent"),
        name=fields.text("name"),
        country=country,
        region=fields.text("region", ""),
        time_zone=_zone(fields),
        currency=_shaped(fields, "currency", _CURRENCY, "EUR"),
        number_prefix=fields.text("number_prefix"),
        tax_registrations=tax_ids,
        registered=registered,
        address=_address(fields.child("address"), country),
        bank_name=bank.bank_name,
        iban=bank.iban,
        bic=bank.bic,
        email=_shaped(fields, "email", EMAIL, "billing@seller.example"),
    )
    fields.finish()
    return entity


def _registrations(fields: Fields) -> tuple[dict[str, str], dict[str, Period]]:
    """Tax ids by country, and of those that have days, theirs."""
    told, tax_ids, registered = fields.maybe_child("tax_registrations"), {}, {}
    for place in told.names():
        if not told.is_object(place):
            tax_ids[place] = told.text(place, "")
            continue
        one = told.child(place)
        tax_ids[place] = one.text("tax_id")
        if days := days_from(one):
            registered[place] = days
        one.finish()
    return tax_ids, registered


def days_from(fields: Fields) -> Period | None:
    """`from_on` and `until_on`, either of which may be left out; None for always."""
    begins, ends = fields.maybe_day("from_on") or date.min, fields.maybe_day("until_on") or date.max
    if begins >= ends:
        if not (fields.is_faulty("from_on") or fields.is_faulty("until_on")):
            fields.problems.add(fields.at("until_on"), "not_after_from_on", "must be after `from_on`")
        return None
    return Period(begins, ends) if (begins, ends) != (date.min, date.max) else None


def _customer(fields: Fields) -> tuple[Organisation, list[tuple[Account, BillingProfile]]]:
    child = fields.child("organisation")
    organisation = Organisation(_id(child, "id", "org"), child.text("name"), _shaped(child, "country", _COUNTRY, "DE"))
    child.finish()
    accounts = [_account(one, organisation) for one in fields.children("accounts")]
    ids = [account.id for account, _ in accounts]
    for i, account_id in enumerate(ids):
        if account_id in ids[:i]:
            fields.problems.add(f"accounts[{i}].id", "not_unique", f"{account_id!r} is there twice")
    fields.finish()
    return organisation, accounts


def _account(fields: Fields, organisation: Organisation) -> tuple[Account, BillingProfile]:
    country = _shaped(fields, "country", _COUNTRY, "DE", organisation.country)
    account = Account(
        id=_id(fields, "id", "acct"),
        organisation_id=organisation.id,
        entity_id=_id(fields, "entity", "ent"),
        name=fields.text("name", organisation.name),
        currency=_shaped(fields, "currency", _CURRENCY, "EUR"),
        time_zone=_zone(fields),
        country=country,
        tax_region=fields.text("tax_region", ""),
        tax_status=fields.choice("tax_status", TaxStatus, TaxStatus.BUSINESS),
        has_tax_id=False,
        language=_shaped(fields, "language", _LANGUAGE, "en", "en"),
        payment_terms=payment_terms_of(fields, MOST_DAYS),
        profile_version=1,
        deliver_by_email=fields.flag("deliver_by_email", True),
        tax_postcode=fields.text("tax_postcode", ""),
    )
    profile = _profile(fields.child("profile"), account, organisation)
    fields.finish()
    return opened_at(account, profile.address), profile


def _profile(fields: Fields, account: Account, organisation: Organisation) -> BillingProfile:
    emails = fields.text_list("emails")
    for i, email in enumerate(emails):
        if not EMAIL.fullmatch(email):
            fields.problems.add(f"{fields.at('emails')}[{i}]", "invalid_email", "is not an e-mail address")
    if account.deliver_by_email and not emails:
        fields.problems.add(fields.at("emails"), "missing", "where invoices are mailed to, or `deliver_by_email` false")
    profile = BillingProfile(
        account_id=account.id,
        version=1,
        legal_name=fields.text("legal_name", organisation.name),
        contact_name=fields.text("contact_name", ""),
        address=_address(fields.child("address"), account.country),
        tax_id=fields.text("tax_id", ""),
        emails=emails,
        purchase_order=fields.text("purchase_order", ""),
    )
    fields.finish()
    return profile


def _address(fields: Fields, country: str) -> Address:
    lines = fields.text_list("lines")
    if not any(line.strip() for line in lines):
        fields.problems.add(fields.at("lines"), "missing", "street and number, or what stands for them")
    address = Address(
        lines,
        fields.text("postcode", ""),
        fields.text("city"),
        _shaped(fields, "country", _COUNTRY, "DE", country),
        fields.text("region", ""),
    )
    fields.finish()
    return address


def _id(fields: Fields, name: str, prefix: str) -> str:
    value = fields.text(name)
    try:
        return check_id(value, prefix) if value else value
    except Refusal as refusal:
        fields.problems.add(fields.at(name), refusal.code, refusal.message)
        return value


def _zone(fields: Fields) -> str:
    name = fields.text("time_zone")
    try:
        return zone_named(name).key if name else "UTC"
    except Refusal as refusal:
        fields.problems.add(fields.at("time_zone"), refusal.code, refusal.message)
        return "UTC"


def _bank(fields: Fields) -> BankDetails:
    given = BankDetails(fields.text("name"), fields.text("iban"), fields.text("bic"))
    fields.finish()
    try:
        return checked_bank(given) if all((given.bank_name, given.iban, given.bic)) else given
    except Refusal as refusal:
        fields.problems.extend(refusal.problems, fields.path)
        return given


def _shaped(fields: Fields, name: str, shape: re.Pattern[str], sample: str, otherwise: str = "") -> str:
    value = fields.text(name, otherwise) if otherwise else fields.text(name)
    if value and not shape.fullmatch(value):
        fields.problems.add(fields.at(name), f"invalid_{name}", f"must be like {sample}")
    return value
