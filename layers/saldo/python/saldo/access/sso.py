"""Use cases of connecting an organisation's identity provider: staff does it, asked by the organisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from saldo.access import records_sso as records
from saldo.access.model_sso import Connection, Registration
from saldo.access.ports import Federation
from saldo.access.rules_sso import check_registration, provider_name
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Refusal
from saldo.storage.sealing import Sealer
from saldo.storage.store import Store
from saldo.storage.units import Unit


class SingleSignOn:
    """Connections of one region's organisations: at most one each."""

    def __init__(self, store: Store, sealer: Sealer, federation: Federation, clock: Clock) -> None:
        self._store, self._sealer, self._federation, self._clock = store, sealer, federation, clock

    def of(self, organisation_id: str) -> Connection | None:
        item = self._store.get(*records.connection_key(organisation_id))
        return records.connection_from(item, self._sealer) if item else None

    def connect(self, given: Registration, proof: str, actor: Actor, reason: str) -> Connection:
        """Connect the provider, or the same organisation's anew (`only` stays). `proof`: how its domains were proven.

        Refusal `invalid_sso`, `domain_taken`, `provider_refused`, `reason_required`; NotFound for no organisation.
        """
        _check_said(proof, reason)
        check_registration(given)
        self._check_owners(given)
        old = self.of(given.organisation_id)
        provider = provider_name(given.organisation_id)
        told_as = given.issuer or ("a document" if given.metadata.lstrip().startswith("<") else given.metadata)
        client = self._federation.connect(provider, given)
        facts = (given.organisation_id, given.protocol, provider, client, given.domains, told_as, self._clock())
        made = Connection(*facts, given.joining, old.only if old else False)
        try:
            self._write(made, old, proof, actor, reason)
        except Refusal:
            self._federation.drop_client(client.id)
            raise
        if old is not None:
            self._federation.drop_client(old.client.id)
        return made

    def require(self, organisation_id: str, only: bool, actor: Actor, reason: str) -> Connection:
        """Whether the provider is the only way in. Sessions that began another way end when they are used next."""
        _check_said("x", reason)
        old = self._known(organisation_id)
        made = replace(old, only=only)
        item = records.connection_item(made, self._sealer)
        unit = Unit(f"require sso {organisation_id}").put(item, when={"client_id": old.client.id})
        unit.put(self._told(organisation_id, actor, "sso.required", {"only": old.only}, {"only": only}, reason))
        self._hold(unit)
        return made

    def disconnect(self, organisation_id: str, actor: Actor, reason: str) -> None:
        """Nobody comes in by it any more; its domains are free. Sessions that began by it end when they are used next.

        Who the subjects were stays on record: connected anew, nobody becomes somebody else.
        """
        _check_said("x", reason)
        old = self._known(organisation_id)
        unit = Unit(f"disconnect sso {organisation_id}")
        unit.delete(records.connection_key(organisation_id), when={"client_id": old.client.id})
        for domain in old.domains:
            unit.delete(records.domain_key(domain))
        unit.put(self._told(organisation_id, actor, "sso.disconnected", _shown(old), {}, reason))
        self._hold(unit)
        self._federation.disconnect(old)

    def _known(self, organisation_id: str) -> Connection:
        found = self.of(organisation_id)
        if found is None:
            raise NotFound("this organisation has no identity provider connected")
        return found

    def _write(self, made: Connection, old: Connection | None, proof: str, actor: Actor, reason: str) -> None:
        unit = Unit(f"connect sso {made.organisation_id}")
        before = old.client.id if old else None
        unit.put(records.connection_item(made, self._sealer), when={"client_id": before})
        for domain in made.domains:
            if old is None or domain not in old.domains:
                unit.insert(records.domain_item(domain, made.organisation_id, proof, self._clock()))
        for domain in _gone(old, made.domains):
            unit.delete(records.domain_key(domain))
        shown = _shown(old) if old else {}
        after = {**_shown(made), "domains_proven_by": proof}
        unit.put(self._told(made.organisation_id, actor, "sso.connected", shown, after, reason))
        conflict = self._store.write_one(unit)
        if conflict and any(key[0].startswith("domain_") for key in conflict.keys):
            raise Refusal("domain_taken", "another organisation has one of these domains")
        if conflict:
            raise Refusal("changed_meanwhile", "somebody else changed this at the same time; look and try again")

    def _hold(self, unit: Unit) -> None:
        if self._store.write_one(unit):
            raise Refusal("changed_meanwhile", "somebody else changed this at the same time; look and try again")

    def _check_owners(self, given: Registration) -> None:
        """Before anything is told the user pool: the organisation is there, its accounts are its own."""
        if self._store.get(given.organisation_id, "organisation") is None:
            raise NotFound("no such organisation")
        account_ids = given.joining.account_ids if given.joining else ()
        found = self._store.get_many([(account_id, "account") for account_id in account_ids])
        for account_id in account_ids:
            account = found.get((account_id, "account"))
            if account is None or account["organisation_id"] != given.organisation_id:
                raise NotFound(f"the organisation has no account {account_id}")
        taken = self._store.get_many([records.domain_key(d) for d in given.domains], consistent=True)
        if any(item["organisation_id"] != given.organisation_id for item in taken.values()):
            raise Refusal("domain_taken", "another organisation has one of these domains")

    def _told(
        self, owner: str, actor: Actor, action: str, before: Mapping[str, Any], after: Mapping[str, Any], reason: str
    ) -> dict[str, Any]:
        return audit_item(AuditRecord(owner, self._clock(), actor, action, owner, before, after, reason))


def _gone(old: Connection | None, domains: Sequence[str]) -> list[str]:
    return sorted(set(old.domains) - set(domains)) if old else []


def _shown(connection: Connection) -> dict[str, Any]:
    joining = connection.joining
    return {
        "protocol": connection.protocol.value,
        "provider": connection.told_as,
        "domains": list(connection.domains),
        "joining": f"{joining.role} {' '.join(joining.account_ids)}" if joining else "invited only",
    }


def _check_said(proof: str, reason: str) -> None:
    if not proof.strip() or not reason.strip():
        raise Refusal("reason_required", "say who of the organisation asked for it, and how its domains were proven")
