"""Items that wait on an account: to look at, and to take back what staff asked for."""

from __future__ import annotations

from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Refusal
from saldo.orders import records
from saldo.orders.model import BY_STAFF, ItemStatus, WaitingItem
from saldo.storage.claims import CLAIM
from saldo.storage.store import Store
from saldo.storage.units import Unit


class Items:
    """Use cases over one region's waiting items."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def waiting(self, account_id: str) -> list[WaitingItem]:
        """What runs will bill to an account once its day has come, the earliest first."""
        found = self._store.query_all(account_id, prefix=records.PREFIX, consistent=True)
        items = [one for one in map(records.waiting_item_from, found) if one.status is ItemStatus.WAITING]
        return sorted(items, key=lambda one: (one.bill_on, one.item.id))

    def withdraw(self, account_id: str, item_id: str, actor: Actor, reason: str) -> WaitingItem:
        """Take an item back that staff asked for; one that is taken back already stays so.

        Raises NotFound, Refusal `reason_required`, `asked_for_elsewhere` (a contract, an order and interest end where
        they began), `already_billed`, `being_billed`.
        """
        if not reason.strip():
            raise Refusal("reason_required", "say why, for those who look at it later")
        unit = Unit(f"withdraw {item_id}")
        waiting = withdraw_item(unit, self._store, account_id, item_id)
        if waiting.origin != BY_STAFF:
            raise Refusal("asked_for_elsewhere", f"it comes from {waiting.origin}; take it back there")
        if waiting.status is ItemStatus.WITHDRAWN:
            return waiting
        audit = AuditRecord(account_id, self._clock(), actor, "item.withdrawn", item_id, reason=reason)
        if self._store.write_one(unit.put(audit_item(audit))):
            raise Refusal("changed_meanwhile", "it was changed by someone else; look at it and try again")
        return waiting


def withdraw_item(unit: Unit, store: Store, account_id: str, item_id: str) -> WaitingItem:
    """Withdraw a waiting item in this unit; how it was before. One that is withdrawn adds nothing to the unit.

    Raises NotFound, Refusal `already_billed` (a credit note corrects that), `being_billed`.
    """
    record = store.get(*records.item_key(account_id, item_id))
    if record is None:
        raise NotFound(f"no item {item_id} on {account_id}")
    waiting = records.waiting_item_from(record)
    if waiting.status is ItemStatus.BILLED:
        raise Refusal("already_billed", f"it is on {waiting.invoice_id}; correct that by a credit note")
    if CLAIM in record:
        raise Refusal("being_billed", f"{item_id} is being billed at this moment; try again in a minute")
    if waiting.status is ItemStatus.WAITING:
        records.close_item(unit, waiting, ItemStatus.WITHDRAWN)
    return waiting
