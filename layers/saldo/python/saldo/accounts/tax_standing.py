"""What decides whether a buyer is taxed: its tax id, as the register knows it, and its exemption certificates."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from saldo.accounts import records, records_profiles
from saldo.accounts.model import Account, Exemption, ExemptionCertificate, TaxIdCheck, TaxIdStatus
from saldo.accounts.ports import TaxIdRegister
from saldo.accounts.rules import exemption_problems
from saldo.accounts.tax_ids import UNION, tax_id_of
from saldo.audit.model import Actor, AuditRecord, job
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Problem, Problems, Refusal, Unavailable
from saldo.kernel.exact import plain
from saldo.storage.items import Key
from saldo.storage.sealing import Sealer
from saldo.storage.store import Store
from saldo.storage.units import Unit

log = logging.getLogger(__name__)
_DAY = timedelta(days=1)


def checked(text: str, country: str, register: TaxIdRegister | None, today: date) -> TaxIdCheck:
    """What is known of a tax id. Its form always decides; the register where it answers.

    Refusal `invalid_tax_id` for what cannot be an id of that country. The id is in no error and no log.
    """
    if not text:
        return TaxIdCheck(TaxIdStatus.NONE, country, today)
    found = tax_id_of(text, country)
    if found is None:
        problem = Problem("tax_id", "invalid_tax_id", f"is not a tax id of {country}: look at its prefix and digits")
        raise Refusal("invalid_tax_id", f"this is not a tax id of {country}", [problem])
    if register is None or not found.in_union:
        return TaxIdCheck(TaxIdStatus.UNCHECKED, country, today)
    try:
        known = register.knows(found.prefix, found.number)
    except Unavailable as outage:
        log.warning("a tax id stays unchecked", extra={"country": country, "why": str(outage)})
        return TaxIdCheck(TaxIdStatus.UNCHECKED, country, today)
    return TaxIdCheck(TaxIdStatus.VALID if known else TaxIdStatus.INVALID, country, today)


def to_ask_again(check: TaxIdCheck) -> bool:
    """Only the union has a register to ask."""
    return check.status is TaxIdStatus.UNCHECKED and check.country in UNION


@dataclass(frozen=True, slots=True)
class TaxStanding:
    """Certificates, and tax ids that the register has not answered for."""

    store: Store
    sealer: Sealer
    clock: Clock
    register: TaxIdRegister | None = None

    def add_certificate(
        self, certificate: ExemptionCertificate, actor: Actor, beside: Callable[[Unit], None] | None = None
    ) -> bool:
        """Have an account exempt from its certificate's first day on; False when it is there already. `beside` adds to
        the unit.

        Refusal `invalid_certificate` naming every field at fault.
        """
        _check(certificate)
        exemption = certificate.exemption
        account = self._account(certificate.account_id)
        if any(e.id == exemption.id for e in account.exemptions):
            return False
        unit = Unit(f"certificate {exemption.id}")
        unit.insert(records_profiles.certificate_item(certificate, account.organisation_id, self.sealer))
        if beside:
            beside(unit)
        self._keep(unit, account, (*account.exemptions, exemption), "certificate.added", exemption, actor)
        return True

    def end_certificate(self, account_id: str, certificate_id: str, on: date, actor: Actor, reason: str) -> Exemption:
        """Have a certificate end earlier: from `on` the account is taxed again. Invoices of before stay as they are."""
        account = self._account(account_id)
        old = next((e for e in account.exemptions if e.id == certificate_id), None)
        if old is None:
            raise NotFound("no such certificate")
        if not old.from_on < on <= old.until_on:
            raise Refusal("invalid_certificate", f"it can end after {old.from_on} and until {old.until_on}")
        ended = replace(old, until_on=on)
        kept = tuple(ended if e is old else e for e in account.exemptions)
        key = account_id, records_profiles.CERTIFICATES + certificate_id
        unit = Unit(f"certificate {certificate_id} ends")
        unit.update(key, set={"exemption": records.exemption_field(ended)}, exists=True)
        self._keep(unit, account, kept, "certificate.ended", ended, actor, reason)
        return ended

    def certificate(self, account_id: str, certificate_id: str) -> ExemptionCertificate:
        """With its number, for documents and auditors."""
        item = self.store.get(account_id, records_profiles.CERTIFICATES + certificate_id)
        if item is None:
            raise NotFound("no such certificate")
        return records_profiles.certificate_from(item, self.sealer)

    def due(self, entity_id: str) -> list[Key]:
        """A seller's tax ids that are unchecked, and not asked about today."""
        today = self.clock().date().isoformat()
        items = self.store.query_all(records.unchecked_agenda(entity_id), last=today, agenda=True)
        return [(item["pk"], item["sk"]) for item in items]

    def ask_again(self, entity_id: str, keys: Iterable[Key] | None = None) -> Counter[str]:
        """Ask the register about a seller's tax ids that are unchecked; how many came out how. Safe to repeat.

        keys: a part of what is `due`; None for all.
        """
        today = self.clock().date()
        return Counter(self._ask_about(pk, today) for pk, _ in (self.due(entity_id) if keys is None else keys))

    def _ask_about(self, account_id: str, today: date) -> str:
        account = self._account(account_id)
        item = self.store.get(*records_profiles.profile_key(account_id, account.profile_version))
        if item is None:
            raise NotFound("no such billing profile")
        profile = records_profiles.profile_from(item, self.sealer)
        if profile.is_erased:  # what was known of its tax id stays; there is nothing left to ask about
            self.store.write_one(Unit(f"tax id of {account_id}").delete((account_id, "tax_id")))
            return "erased"
        check = checked(profile.tax_id, account.country, self.register, today)
        unit = Unit(f"tax id of {account_id}")
        unit.update(
            (account_id, "account"),
            set=records.tax_id_fields(check),
            when={"profile_version": account.profile_version},
        )
        if to_ask_again(check):
            unit.put(records.unchecked_item(account, today + _DAY))
        else:
            unit.delete((account_id, "tax_id"))
            after = {"status": check.status.value, "country": check.country}
            record = AuditRecord(account_id, self.clock(), job("tax_ids"), "tax_id.checked", account_id, after=after)
            unit.put(audit_item(record))
        return "changed_meanwhile" if self.store.write_one(unit) else check.status.value

    def _keep(
        self,
        unit: Unit,
        account: Account,
        exemptions: tuple[Exemption, ...],
        action: str,
        one: Exemption,
        actor: Actor,
        reason: str = "",
    ) -> None:
        before = records.exemptions_field(account.exemptions) if account.exemptions else None
        unit.update(
            (account.id, "account"),
            set={"exemptions": records.exemptions_field(exemptions)},
            when={"exemptions": before},
        )
        after: dict[str, object] = {"jurisdictions": sorted(one.jurisdictions), "until_on": one.until_on.isoformat()}
        if not one.is_whole:
            after |= {"percent": plain(one.percent), "taxes": sorted(one.taxes)}
        unit.put(audit_item(AuditRecord(account.id, self.clock(), actor, action, one.id, after=after, reason=reason)))
        if self.store.write_one(unit):
            raise Refusal("changed_meanwhile", "the certificates were changed by someone else; look and try again")

    def _account(self, account_id: str) -> Account:
        item = self.store.get(account_id, "account")
        if item is None:
            raise NotFound("no such account")
        return records.account_from(item)


def _check(certificate: ExemptionCertificate) -> None:
    problems = Problems()
    if not certificate.number.strip():
        problems.add("number", "missing", "a certificate has the number that the authority gave it")
    problems.extend(exemption_problems(certificate.exemption))
    problems.refuse_if_any("the certificate cannot be kept", "invalid_certificate")
