"""Use cases of a seller's limits: within which its customers promise without being asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock
from saldo.promises import records, rules
from saldo.promises.model import Limits, LimitsPolicy
from saldo.storage.items import Item
from saldo.storage.store import Store
from saldo.storage.units import Unit


@dataclass(frozen=True, slots=True)
class PromiseLimits:
    """Of one region. What was promised before a change holds."""

    store: Store
    clock: Clock

    def policy(self, entity_id: str) -> LimitsPolicy:
        return records.policy_from(self.store.get(*records.limits_key(entity_id)))

    def own(self, account_id: str) -> Limits | None:
        return records.own_limits_from(self.store.get(*records.limits_key(account_id)))

    def set(self, entity_id: str, policy: LimitsPolicy, actor: Actor, reason: str) -> None:
        """A seller's. Refusal `invalid_limits` naming every problem."""
        rules.check_limits(policy)
        self._write(records.policy_item(entity_id, policy), records.policy_fields(policy), actor, reason)

    def set_own(self, account_id: str, limits: Limits, actor: Actor, reason: str) -> None:
        """Of one account; they go before those of its seller."""
        rules.check_limits(LimitsPolicy(limits))
        self._write(records.own_limits_item(account_id, limits), records.limits_fields(limits), actor, reason)

    def _write(self, item: Item, after: Mapping[str, Any], actor: Actor, reason: str) -> None:
        known = self.store.get(item["pk"], item["sk"]) or {}
        before: dict[str, Any] = {name: known[name] for name in ("limits", "segments") if name in known}
        action = "promise_limits.changed"
        record = AuditRecord(item["pk"], self.clock(), actor, action, item["pk"], before, after, reason)
        self.store.write_one(Unit(f"{action} {item['pk']}").put(item).put(audit_item(record)))
