"""After a restore: payments that were begun after the restored instant, begun again as the spoiled table knows them.

The gateway has them, and its news would fit nothing. Brought back as begun, each is asked about by the next sweep,
settles as it did, and pays what its payer chose; what it was begun with (its form's key) begins it no second time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby

from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock
from saldo.payments import records
from saldo.payments.model import Payment, PaymentStatus
from saldo.storage.items import Item
from saldo.storage.store import Store
from saldo.storage.units import Unit

_GUARD = "guard#payment#"


@dataclass(slots=True)
class BroughtBack:
    """Begun again; and those that no gateway has, which whoever reported or imported them reports again."""

    begun: list[Payment] = field(default_factory=list)
    by_hand: list[Payment] = field(default_factory=list)


def bring_back(spoiled: Store, store: Store, clock: Clock, gateway: str, actor: Actor) -> BroughtBack:
    """Begin again what the spoiled table has and the restored one lacks, of one gateway. Safe to repeat."""
    done = BroughtBack()
    for _, owned in groupby(spoiled.scan(), key=lambda item: item["pk"]):
        for payment, guards in _payments_of(owned):
            if store.get(*records.payment_key(payment.account_id, payment.id)) is not None:
                continue
            if payment.gateway != gateway:
                done.by_hand.append(payment)
                continue
            unit = records.insert_payment(Unit(f"bring back {payment.id}"), _as_begun(payment))
            for guard in guards:
                unit.insert(guard)
            after = {"amount_minor": payment.amount.minor, "currency": payment.amount.currency}
            facts = payment.account_id, clock(), actor, "payment.brought_back", payment.id
            unit.put(audit_item(AuditRecord(*facts, after=after, reason="the records were restored")))
            if store.write_one(unit) is None:
                done.begun.append(payment)
    return done


def _payments_of(owned: Iterable[Item]) -> Iterator[tuple[Payment, list[Item]]]:
    """An owner's payments, each with the guards of the forms that began it."""
    items = [i for i in owned if i["kind"] == "payment" or i["sk"].startswith(_GUARD)]
    for item in items:
        if item["kind"] == "payment":
            guards = [i for i in items if i["sk"].startswith(_GUARD) and i["payment_id"] == item["payment_id"]]
            yield records.payment_from(item), guards


def _as_begun(payment: Payment) -> Payment:
    return replace(
        payment,
        status=PaymentStatus.STARTED,
        method="",
        failure_code="",
        settled_at=None,
        settled_minor=0,
        applied=(),
        parts=0,
        parts_applied=0,
        receipt_number="",
        payout_id="",
        paid_out_at=None,
        history=payment.history[:1],
        version=1,
        exchange=None,
    )
