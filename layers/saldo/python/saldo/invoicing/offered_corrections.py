"""What a seller offers for invoices that are out, when the customer's billing details change."""

from __future__ import annotations

from dataclasses import dataclass

from saldo.accounts.model import Account
from saldo.accounts.records import entity_from
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.invoicing import records
from saldo.invoicing.records import InvoiceHeader
from saldo.invoicing.records_corrections import policy_fields, policy_from, policy_item, policy_key
from saldo.invoicing.rules_corrections import CorrectionPolicy, check_policy, correctable
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound
from saldo.kernel.periods import local_date
from saldo.storage.store import Store
from saldo.storage.units import Unit

_MOST_READ, _MOST_OFFERED = 200, 50  # the latest documents of an account that are looked at, and offered


@dataclass(frozen=True, slots=True)
class OfferedCorrections:
    """Offers by policy, and the policy. Nothing is corrected here: that is a credit note and a new invoice
    (`Corrections.rebill`)."""

    store: Store
    clock: Clock

    def after_change(self, account: Account, changed: frozenset[str], version: int) -> list[InvoiceHeader]:
        """Which of an account's latest invoices could be corrected when these fields change (`changed_fields`) and its
        profile is of this version, oldest first. What the seller's policy offers; nothing is changed by asking.
        """
        wanted = [(account.entity_id, "entity"), policy_key(account.entity_id)]
        found = self.store.get_many(wanted)
        policy = policy_from(found.get(policy_key(account.entity_id)))
        if not changed & policy.fields:
            return []
        today = local_date(self.clock(), entity_from(found[account.entity_id, "entity"]).time_zone)
        page = self.store.query(account.id, prefix=records.PREFIX, limit=_MOST_READ, newest_first=True, consistent=True)
        return correctable(map(records.header_from, page.items), policy, version, today)[-_MOST_OFFERED:]

    def policy(self, entity_id: str) -> CorrectionPolicy:
        return policy_from(self.store.get(*policy_key(entity_id)))

    def set_policy(self, entity_id: str, policy: CorrectionPolicy, actor: Actor, reason: str = "") -> None:
        """From now on offer this when master data changes. Refusal `invalid_policy` naming every problem; NotFound."""
        check_policy(policy)
        found = self.store.get_many([(entity_id, "entity"), policy_key(entity_id)])
        if (entity_id, "entity") not in found:
            raise NotFound(f"no such legal entity: {entity_id}")
        was = policy_from(found.get(policy_key(entity_id)))
        unit = Unit(f"policy {entity_id}").put(policy_item(entity_id, policy))
        at, action = self.clock(), "correction_policy.changed"
        record = AuditRecord(entity_id, at, actor, action, entity_id, policy_fields(was), policy_fields(policy), reason)
        self.store.write_one(unit.put(audit_item(record)))
