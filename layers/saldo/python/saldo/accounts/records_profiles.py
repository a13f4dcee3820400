"""Billing profiles and exemption certificates as records: what is personal in them lies sealed."""

from __future__ import annotations

import json

from pynamodb.attributes import BinaryAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute

from saldo.accounts.codec import address_fields, address_from, exemption_from, exemption_to
from saldo.accounts.model import ERASED, BillingProfile, ExemptionCertificate, erased_profile
from saldo.storage.items import Item
from saldo.storage.records import Record
from saldo.storage.sealing import Erased, Sealer

PROFILE_FIELDS = "profile/1"
CERTIFICATE_FIELDS = "certificate/1"
CERTIFICATES = "certificate#"
CURRENT_PROFILE = "profile"


class CertificateRecord(Record):
    organisation_id = UnicodeAttribute()
    exemption = JSONAttribute()
    sealed = BinaryAttribute(legacy_encoding=False)


class ProfileRecord(Record):
    version = NumberAttribute()
    organisation_id = UnicodeAttribute()
    sealed = BinaryAttribute(legacy_encoding=False)


def profile_key(account_id: str, version: int) -> tuple[str, str]:
    return account_id, f"profile#{version:06d}"


def current_profile_key(account_id: str) -> tuple[str, str]:
    """Where the latest lies a second time, for whoever does not know its version."""
    return account_id, CURRENT_PROFILE


def profile_items(profile: BillingProfile, organisation_id: str, sealer: Sealer) -> list[Item]:
    """The version, which never changes, and the current one."""
    keys = (profile_key(profile.account_id, profile.version), current_profile_key(profile.account_id))
    return [_profile_item(key, profile, organisation_id, sealer) for key in keys]


def _profile_item(key: tuple[str, str], profile: BillingProfile, organisation_id: str, sealer: Sealer) -> Item:
    fields = {name: getattr(profile, name) for name in BillingProfile.__dataclass_fields__}
    del fields["account_id"], fields["version"]
    fields["address"] = address_fields(profile.address)
    sealed = sealer.seal(organisation_id, key, PROFILE_FIELDS, fields)
    return ProfileRecord(*key, version=profile.version, organisation_id=organisation_id, sealed=sealed).as_item()


def profile_from(item: Item, sealer: Sealer) -> BillingProfile:
    """The profile; the one that says so, without any address or mail, once the customer's data key is shredded."""
    key = item["pk"], item["sk"]
    try:
        fields = sealer.open(item["organisation_id"], key, PROFILE_FIELDS, item["sealed"])
    except Erased:
        return erased_profile(key[0], item["version"])
    fields["address"] = address_from(fields["address"])
    fields["emails"] = tuple(fields["emails"])
    return BillingProfile(account_id=key[0], version=item["version"], **fields)


def certificate_item(certificate: ExemptionCertificate, organisation_id: str, sealer: Sealer) -> Item:
    pk, sk = certificate.account_id, CERTIFICATES + certificate.exemption.id
    sealed = sealer.seal(organisation_id, (pk, sk), CERTIFICATE_FIELDS, {"number": certificate.number})
    exemption = exemption_to(certificate.exemption)
    return CertificateRecord(pk, sk, organisation_id=organisation_id, exemption=exemption, sealed=sealed).as_item()


def certificate_from(item: Item, sealer: Sealer) -> ExemptionCertificate:
    try:
        fields = sealer.open(item["organisation_id"], (item["pk"], item["sk"]), CERTIFICATE_FIELDS, item["sealed"])
    except Erased:
        fields = {"number": ERASED}
    return ExemptionCertificate(item["pk"], fields["number"], exemption_from(json.loads(item["exemption"])))
