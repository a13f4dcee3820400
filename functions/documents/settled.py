"""Settled payments as documents see them, read through the payments room."""

from __future__ import annotations

from saldo.documents.ports import SettledPayment
from saldo.kernel.errors import Refusal
from saldo.kernel.periods import local_date
from saldo.payments.reading import load
from saldo.storage.store import Store


class SettledInStore:
    """Implements `saldo.documents.ports.SettledPayments`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def settled(self, account_id: str, payment_id: str) -> SettledPayment:
        payment = load(self._store, account_id, payment_id)
        if payment.settled_at is None or not payment.fully_applied:
            raise Refusal("not_settled", "a receipt is there once the payment has settled")
        return SettledPayment(
            payment_id=payment.id,
            receipt_number=payment.receipt_number,
            entity_id=payment.entity_id,
            settled_on=local_date(payment.settled_at, payment.booking_zone),
            currency=payment.amount.currency,
            amount_minor=payment.settled_minor,
            method=payment.method,
            reference=payment.gateway_ref,
            applied=tuple((a.invoice_id, a.minor) for a in payment.applied),
        )
