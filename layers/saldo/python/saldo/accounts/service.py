"""Use cases of sellers and customers: register, change a profile, read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from saldo.accounts import records, records_profiles
from saldo.accounts.model import Account, BillingProfile, LegalEntity, Organisation
from saldo.accounts.ports import TaxIdRegister
from saldo.accounts.rules_details import Sending, changed_fields, check_details, ended, with_details
from saldo.accounts.tax_standing import checked, to_ask_again
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Problem, Refusal
from saldo.kernel.periods import local_date
from saldo.storage.items import Key
from saldo.storage.sealing import Sealer
from saldo.storage.store import Store
from saldo.storage.units import Unit


class Accounts:
    """Sellers and customers of one region."""

    def __init__(self, store: Store, sealer: Sealer, clock: Clock, register: TaxIdRegister | None = None) -> None:
        """`register` is asked about tax ids of the European Union; without one they stay unchecked."""
        self._store, self._sealer, self._clock, self._register = store, sealer, clock, register

    def register_entity(self, entity: LegalEntity, actor: Actor) -> None:
        """Put a seller on record; repeating with the same values changes nothing."""
        unit = Unit(f"register {entity.id}").put(records.entity_item(entity)).put(records.facts_item(entity))
        self._store.write_one(self._audited(unit, entity.id, "entity.registered", entity.id, actor))

    def register_organisation(self, organisation: Organisation, actor: Actor) -> None:
        unit = Unit(f"register {organisation.id}").insert(records.organisation_item(organisation))
        self._store.write_one(self._audited(unit, organisation.id, "organisation.registered", organisation.id, actor))

    def open_account(self, account: Account, profile: BillingProfile, actor: Actor) -> bool:
        """Open a billing account with its first profile; False when it was open already (nothing is changed).

        What is known of its tax id follows from the profile. Refusal `invalid_tax_id` when it cannot be one.
        """
        if profile.account_id != account.id or profile.version != account.profile_version:
            raise Refusal("profile_mismatch", "the first profile belongs to the account and has its version")
        check = checked(profile.tax_id, account.country, self._register, self._clock().date())
        account = replace(account, has_tax_id=check.counts, tax_id_check=check)
        unit = Unit(f"open {account.id}").insert(records.account_item(account))
        if to_ask_again(check):
            unit.put(records.unchecked_item(account, check.checked_on))
        unit.put(records.customer_item(account))
        for word in records.customer_word_items(account):
            unit.put(word)
        for item in records_profiles.profile_items(profile, account.organisation_id, self._sealer):
            unit.put(item)
        self._audited(unit, account.id, "account.opened", account.id, actor)
        return self._store.write_one(unit) is None

    def change_profile(
        self,
        profile: BillingProfile,
        actor: Actor,
        reason: str = "",
        *,
        sending: Sending | None = None,
        seen: int | None = None,
        beside: Callable[[Unit], None] | None = None,
    ) -> BillingProfile:
        """Write the next version of a profile, and what the account itself has of it: where it is taxed, what is known
        of its tax id, how its documents go out (`sending`; None: as now). Invoices issued before keep their version.

        Who moves to another country is taxed there, and certificates of the country that is left end; currency, time
        zone and home region stay. A customer's own word is not enough for that: it decides whose tax is due.

        `seen`: the version that the one who changes it looked at (None: the one of now); the same change sent twice is
        one. `beside` adds to the unit. Refusals `invalid_details` naming every field at fault, `changed_meanwhile`.
        """
        account = self.account(profile.account_id)
        before = self.profile(account.id, account.profile_version)
        now = Sending(account.language, account.deliver_by_email)
        check_details(account, before, profile, sending)
        if actor.kind == "user" and profile.address.country != before.address.country:
            theirs = Problem("country", "sellers_to_change", "whose tax is due is the seller's to say")
            raise Refusal("invalid_details", "the country is the seller's to change", [theirs])
        sending = sending or now
        new = replace(profile, version=account.profile_version + 1)
        if seen is not None and seen != account.profile_version:
            if (replace(profile, version=before.version), sending, seen + 1) == (before, now, before.version):
                return before
            raise Refusal("changed_meanwhile", "the profile was changed by someone else; look at it and try again")
        today = local_date(self._clock(), account.time_zone)
        after = replace(with_details(account, before, new, sending, today), profile_version=new.version)
        unit = self._changed(account, after, before, new)
        if beside:
            beside(unit)
        if self._store.write_one(unit.put(audit_item(self._change_of(account, after, before, new, actor, reason)))):
            raise Refusal("changed_meanwhile", "the profile was changed by someone else; look at it and try again")
        return new

    def _changed(self, account: Account, after: Account, before: BillingProfile, new: BillingProfile) -> Unit:
        unit = Unit(f"profile {account.id} {new.version}")
        version, current = records_profiles.profile_items(new, account.organisation_id, self._sealer)
        unit.insert(version).put(current)
        known, moves = account.tax_id_check, after.country != account.country
        if known is None or self._register is not None or new.tax_id != before.tax_id or moves:
            known = checked(new.tax_id, after.country, self._register, self._clock().date())
        fields = records.details_fields(account, after) | records.tax_id_fields(known)
        when: dict[str, object] = {"profile_version": account.profile_version}
        if moves:
            when["exemptions"] = records.exemptions_field(account.exemptions) if account.exemptions else None
        unit.update((account.id, "account"), set=fields, when=when)
        for one in ended(account, after):
            key = account.id, records_profiles.CERTIFICATES + one.id
            unit.update(key, set={"exemption": records.exemption_field(one)}, exists=True)
        if to_ask_again(known):
            unit.put(records.unchecked_item(account, known.checked_on))
        return unit

    def _change_of(
        self,
        account: Account,
        after: Account,
        before: BillingProfile,
        new: BillingProfile,
        actor: Actor,
        reason: str,
    ) -> AuditRecord:
        """Names of what changed in the profile, and the account's own fields, which are in clear anyhow."""
        names = ("country", "tax_region", "language", "deliver_by_email")
        differ = [name for name in names if getattr(account, name) != getattr(after, name)]
        was = {name: getattr(account, name) for name in differ}
        now: dict[str, object] = {name: getattr(after, name) for name in differ}
        now["changed"] = sorted(changed_fields(before, new))
        if certificates := [one.id for one in ended(account, after)]:
            now["certificates_ended"] = certificates
        subject = f"profile {new.version}"
        return AuditRecord(account.id, self._clock(), actor, "profile.changed", subject, was, now, reason)

    def account(self, account_id: str) -> Account:
        item = self._store.get(account_id, "account")
        if item is None:
            raise NotFound("no such account")
        return records.account_from(item)

    def entity(self, entity_id: str) -> LegalEntity:
        item = self._store.get(entity_id, "entity")
        if item is None:
            raise NotFound("no such legal entity")
        return records.entity_from(item)

    def entity_as(self, entity_id: str, facts: str) -> LegalEntity:
        """The seller as it was under these facts; as it is now for a document from before they were kept, naming none.

        NotFound where a document names facts that are not on record.
        """
        if not facts:
            return self.entity(entity_id)
        item = self._store.get(*records.facts_key(entity_id, facts))
        if item is None:
            raise NotFound("the seller's facts of then are not on record")
        return records.entity_from(item)

    def organisation(self, organisation_id: str) -> Organisation:
        item = self._store.get(organisation_id, "organisation")
        if item is None:
            raise NotFound("no such organisation")
        return records.organisation_from(item)

    def profile(self, account_id: str, version: int) -> BillingProfile:
        return self._profile_at(records_profiles.profile_key(account_id, version))

    def current_profile(self, account_id: str) -> BillingProfile:
        return self._profile_at(records_profiles.current_profile_key(account_id))

    def _profile_at(self, key: Key) -> BillingProfile:
        item = self._store.get(*key)
        if item is None:
            raise NotFound("no such billing profile")
        return records_profiles.profile_from(item, self._sealer)

    def named(self, entity_id: str, text: str, most: int = 100) -> list[tuple[str, str]]:
        """Customers of a seller with words that begin as those of the text do: (account id, name), by name; one call.

        Found by the text's longest word; at most `most` of those that have it are looked at.
        """
        wanted = records.words_of(text)
        if not wanted:
            return []
        longest = max(wanted, key=len)
        page = self._store.query(entity_id, prefix=records.CUSTOMER_WORDS + longest, limit=most)
        found = {item["account_id"]: item["name"] for item in page.items}
        fits = {
            i: n for i, n in found.items() if all(any(w.startswith(x) for w in records.words_of(n)) for x in wanted)
        }
        return sorted(fits.items(), key=lambda both: (both[1].casefold(), both[0]))

    def _audited(self, unit: Unit, owner: str, action: str, subject: str, actor: Actor, reason: str = "") -> Unit:
        return unit.put(audit_item(AuditRecord(owner, self._clock(), actor, action, subject, reason=reason)))
