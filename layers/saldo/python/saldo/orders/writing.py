"""What units of orders have in common: the order's next version, its place in the queue, the account's history,
audit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.orders import records_orders as records
from saldo.orders.model_orders import Order, Ordering, OrderStatus
from saldo.storage.units import Unit


def put_order(unit: Unit, before: Order, after: Order) -> None:
    """Write an order's next version; the unit holds only while it is still the one that was read.

    While a line of it is held it stands in the queue. When its customer became known it moves to the account's records.
    """
    if before.owner == after.owner:
        unit.put(records.order_item(after), when={"version": before.version})
    else:
        unit.delete(records.order_key(before.owner, before.id), when={"version": before.version})
        unit.insert(records.order_item(after)).put(records.owner_item(after))
    if after.status is OrderStatus.HELD:
        unit.put(records.discrepancy_item(after))
    elif before.status is OrderStatus.HELD:
        unit.delete(records.discrepancy_key(before.entity_id, before.id))


def put_ordering(unit: Unit, ordering: Ordering) -> None:
    """Write an account's history, one version on; the unit holds only while it is still the one that was read."""
    item = records.ordering_item(replace(ordering, version=ordering.version + 1))
    unit.put(item, when={"version": ordering.version or None})


def audit_order(
    unit: Unit,
    order: Order,
    action: str,
    actor: Actor,
    at: datetime,
    reason: str = "",
    changes: Mapping[str, str] | None = None,
) -> None:
    """Who did what with an order, how it stands then and why; among the records of whoever owns it.

    changes: what was mended, as was → is.
    """
    after = {
        "status": order.status.value,
        "version": order.version,
        "amount_minor": order.amount_minor,
        "lines": {line.asked.number: line.status.value for line in order.lines},
        "codes": sorted({d.code.value for d in order.discrepancies}),
        **({"changes": dict(changes)} if changes else {}),
    }
    audit(unit, order.owner, action, order.id, actor, at, after, reason)


def audit(
    unit: Unit,
    owner: str,
    action: str,
    subject: str,
    actor: Actor,
    at: datetime,
    after: Mapping[str, Any],
    reason: str = "",
) -> None:
    unit.put(audit_item(AuditRecord(owner, at, actor, action, subject, after=after, reason=reason)))
