"""What a seller won and lost by exchange in a period, payment by payment, and which money still waits for a rate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from saldo.accounts.records import account_keys
from saldo.kernel.exchange import ExchangeRate
from saldo.kernel.periods import local_date
from saldo.payments import records
from saldo.payments.model import Payment, Received
from saldo.payments.rules_entries import differences, shares_paid
from saldo.storage.store import Store


@dataclass(frozen=True, slots=True)
class Difference:
    """One invoice settled by one payment, or ("" for the invoice) money exchanged for what it is taken for.

    `minor` of `currency`, booked at `booked_minor` and worth `paid_minor` of the seller's `own_currency`; `lost_minor`
    is below zero for a gain. rate: None while the payment waits for one.
    """

    account_id: str
    payment_id: str
    on: date
    invoice: str
    currency: str
    minor: int
    own_currency: str
    booked_minor: int | None
    paid_minor: int | None
    lost_minor: int
    rate: ExchangeRate | None


def differences_of(store: Store, entity_id: str, from_on: date, until_on: date) -> Iterator[Difference]:
    """Of money that came on [from_on, until_on) for invoices in other currencies than the seller's. Reads the payments
    of every account of the seller: a job for reports, not for pages."""
    for account_id, _ in account_keys(store, entity_id):
        for item in store.query_all(account_id, prefix=records.PREFIX):
            concerned = item.get("own_currency") or item.get("received")
            payment = records.payment_from(item) if concerned and item["settled_minor"] else None
            if payment and payment.entity_id == entity_id and from_on <= _day(payment) < until_on:
                yield from _of_payment(payment)


def _day(payment: Payment) -> date:
    assert payment.settled_at is not None, "what is received has settled"
    return local_date(payment.settled_at, payment.booking_zone)


def _of_payment(payment: Payment) -> Iterator[Difference]:
    if payment.received:
        yield _of_exchange(payment, payment.received)
    if payment.own_currency:
        yield from _of_invoices(payment)


def _of_exchange(payment: Payment, received: Received) -> Difference:
    """What came in another currency than its invoices and was taken for theirs."""
    return Difference(
        account_id=payment.account_id,
        payment_id=payment.id,
        on=_day(payment),
        invoice="",
        currency=received.money.currency,
        minor=received.money.minor,
        own_currency=payment.own_currency or payment.amount.currency,
        booked_minor=None,
        paid_minor=None,
        lost_minor=received.lost_minor,
        rate=received.rate,
    )


def _of_invoices(payment: Payment) -> Iterator[Difference]:
    before = replace(payment, applied=())
    paid, lost = shares_paid(before, payment.applied), differences(before, payment.applied)
    for a, share, minor in zip(payment.applied, paid, lost, strict=True):
        yield Difference(
            account_id=payment.account_id,
            payment_id=payment.id,
            on=_day(payment),
            invoice=a.number,
            currency=payment.amount.currency,
            minor=a.minor,
            own_currency=payment.own_currency,
            booked_minor=a.booked_minor,
            paid_minor=share if payment.exchange else None,
            lost_minor=minor,
            rate=payment.exchange,
        )
