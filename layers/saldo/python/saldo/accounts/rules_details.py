"""Decisions on billing details: what a profile may say, where its account is taxed, what differs, what ends."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date

from saldo.accounts.model import Account, Address, BillingProfile, Exemption
from saldo.accounts.tax_ids import tax_id_of
from saldo.kernel.countries import COUNTRIES
from saldo.kernel.errors import Problems

EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")
_LANGUAGE = re.compile(r"[a-z]{2}")
_REGION = re.compile(r"[A-Z0-9]{1,3}")
MOST_EMAILS, MOST_LINES = 10, 4
# Countries whose tax depends on the state or province: nobody moves there without naming it.
OF_STATES = frozenset({"US", "CA"})
# How long each may be: what fits into an envelope's window, and onto a document.
MOST = {"legal_name": 140, "contact_name": 100, "lines": 100, "postcode": 20, "city": 80, "purchase_order": 50}


@dataclass(frozen=True, slots=True)
class Sending:
    """How an account's documents go out: their language (ISO 639), and whether invoices are mailed."""

    language: str
    by_email: bool


def check_details(account: Account, before: BillingProfile, profile: BillingProfile, sending: Sending | None) -> None:
    """Refusal `invalid_details` naming every field at fault, the tax id itself in no error. `before`: the profile of
    now; `sending`: None as now."""
    problems, address = Problems(), profile.address
    texts = {"legal_name": profile.legal_name, "city": address.city, "lines": "".join(address.lines)}
    for field, text in texts.items():
        if not text.strip():
            problems.add(field, "missing", "is required")
    _check_lengths(problems, profile)
    _check_place(problems, account, before, profile)
    if sending and sending.by_email and not profile.emails:
        problems.add("emails", "missing", "where invoices are mailed to")
    if not all(EMAIL.fullmatch(email) for email in profile.emails):
        problems.add("emails", "invalid_email", "one of them is not an e-mail address")
    if len(profile.emails) > MOST_EMAILS:
        problems.add("emails", "too_many", f"at most {MOST_EMAILS} addresses")
    if sending and not _LANGUAGE.fullmatch(sending.language):
        problems.add("language", "invalid_language", "must be like en")
    problems.refuse_if_any("these billing details cannot be kept", "invalid_details")


def _check_place(problems: Problems, account: Account, before: BillingProfile, profile: BillingProfile) -> None:
    """The country is one, its region is named where tax depends on it, and the tax id is of where the account would be
    taxed: one of the country that is left counts nowhere."""
    address, was = profile.address, before.address
    if address.country != was.country and address.country not in COUNTRIES:
        problems.add("country", "invalid_country", "must be an ISO 3166 code such as DE")
        return
    country = moved_to(account, was, address).country
    moves = country != account.country
    needs_region = country in OF_STATES or bool(address.region) if moves else bool(account.tax_region)
    if needs_region and address.country == country and not _REGION.fullmatch(address.region):
        problems.add("region", "invalid_region", "where tax depends on it, the code of the state or province: NY")
    if moves and profile.tax_id and _plain(profile.tax_id) == _plain(before.tax_id):
        why = f"is of {account.country}: name the one of {country}, or none where there is none"
        problems.add("tax_id", "of_other_country", why)
    elif profile.tax_id and tax_id_of(profile.tax_id, country) is None:
        problems.add("tax_id", "invalid_tax_id", f"is not a tax id of {country}: look at its prefix and digits")


def _plain(tax_id: str) -> str:
    return "".join(filter(str.isalnum, tax_id)).upper()


def _check_lengths(problems: Problems, profile: BillingProfile) -> None:
    address = profile.address
    found = {
        "legal_name": (profile.legal_name,),
        "contact_name": (profile.contact_name,),
        "lines": address.lines,
        "postcode": (address.postcode,),
        "city": (address.city,),
        "purchase_order": (profile.purchase_order,),
    }
    for field, texts in found.items():
        if any(len(text) > MOST[field] for text in texts):
            problems.add(field, "too_long", f"at most {MOST[field]} characters")
    if len(address.lines) > MOST_LINES:
        problems.add("lines", "too_many", f"at most {MOST_LINES} lines")


def opened_at(account: Account, address: Address) -> Account:
    """With region and postcode of an address in its country that has a region, where it names no other itself."""
    if address.country != account.country or account.tax_region or not address.region:
        return account
    return replace(account, tax_region=address.region, tax_postcode=account.tax_postcode or address.postcode)


def moved_to(account: Account, before: Address, after: Address) -> Account:
    """Taxed where the address is now. An account that the seller has taxed elsewhere than at its address stays there.
    Who may name another country is not decided here."""
    if account.tax_region not in ("", before.region):
        return account
    if after.country != account.country:
        if account.country != before.country:
            return account
        postcode = after.postcode if after.region else ""
        return replace(account, country=after.country, tax_region=after.region, tax_postcode=postcode)
    if not after.region:
        return account
    follows = account.tax_postcode in ("", before.postcode)
    return replace(account, tax_region=after.region, tax_postcode=after.postcode if follows else account.tax_postcode)


def with_details(
    account: Account, before: BillingProfile, after: BillingProfile, sending: Sending, on: date
) -> Account:
    """What the account itself has of a change of its billing details on a day of its own time zone."""
    moved = moved_to(account, before.address, after.address)
    if moved.country != account.country:
        kept = tuple(_in_country(one, moved.country, on) for one in account.exemptions)
        moved = replace(moved, exemptions=kept)
    return replace(moved, language=sending.language, deliver_by_email=sending.by_email)


def _in_country(exemption: Exemption, country: str, on: date) -> Exemption:
    """A certificate of other countries alone ends on the day of the move; one to come never begins. Who moves back
    hands it in anew."""
    if any(place.split("-")[0] == country for place in exemption.jurisdictions):
        return exemption
    return replace(exemption, until_on=min(exemption.until_on, max(exemption.from_on, on)))


def ended(before: Account, after: Account) -> tuple[Exemption, ...]:
    """Certificates that end by a change of the account, as they would be."""
    return tuple(new for old, new in zip(before.exemptions, after.exemptions, strict=True) if old != new)


def changed_fields(before: BillingProfile, after: BillingProfile) -> frozenset[str]:
    """Names of what differs between two versions of a profile; never what it says."""
    names = ("legal_name", "contact_name", "address", "tax_id", "emails", "purchase_order")
    return frozenset(name for name in names if getattr(before, name) != getattr(after, name))
