"""Use case: what an account's people see and do themselves, set by the seller's staff."""

from __future__ import annotations

from saldo.access import records
from saldo.access.model_visibility import Visibility
from saldo.access.records_people import PREFIX
from saldo.access.rules_visibility import check_visibility, visibility_from, visibility_text
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Refusal
from saldo.storage.store import Store
from saldo.storage.units import Unit

_SESSIONS_A_UNIT = 40


class VisibilityRules:
    """Of accounts of one region."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def of(self, account_id: str) -> Visibility:
        item = self._store.get(account_id, "account")
        if item is None:
            raise NotFound("no such account")
        return visibility_from(item.get("visibility"))

    def set(self, account_id: str, visibility: Visibility, actor: Actor, reason: str) -> None:
        """From now on; the sessions of the account's people end, as they carry what was before.

        Sessions that begin meanwhile do not hold (`Beginning`). Refusal `invalid_visibility`, `reason_required`,
        `changed_meanwhile`. Repeating it ends the sessions again and harms nothing.
        """
        check_visibility(visibility)
        if not reason.strip():
            raise Refusal("reason_required", "say why the account's people see other things from now on")
        was, now = visibility_text(self.of(account_id)), visibility_text(visibility)
        unit = Unit(f"visibility {account_id}")
        change = {"set": {"visibility": now}} if now else {"remove": ("visibility",)}
        unit.update((account_id, "account"), when={"visibility": was}, exists=True, **change)
        before, after = {"visibility": was or "usual"}, {"visibility": now or "usual"}
        told = AuditRecord(account_id, self._clock(), actor, "visibility.set", account_id, before, after, reason)
        if self._store.write_one(unit.put(audit_item(told))):
            raise Refusal("changed_meanwhile", "somebody else changed this; look and try again")
        self._end_sessions(account_id)

    def _end_sessions(self, account_id: str) -> None:
        members = self._store.query_all(account_id, prefix=f"{PREFIX}member#", consistent=True)
        for user_id in [m["user_id"] for m in members]:
            own = self._store.query_all(user_id, prefix=records.OWN_SESSIONS, consistent=True)
            digests = [records.summary_from(item).digest for item in own]
            for start in range(0, len(digests), _SESSIONS_A_UNIT):
                unit = Unit(f"end sessions {user_id} {start}")
                for digest in digests[start : start + _SESSIONS_A_UNIT]:
                    records.end_session(unit, user_id, digest)
                self._store.write_one(unit)
