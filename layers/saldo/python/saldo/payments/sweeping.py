"""Payments that have waited too long for news: ask the gateway, and converge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from saldo.kernel.clock import Clock, instant_text
from saldo.kernel.errors import Refusal, Unavailable
from saldo.payments import news, records
from saldo.payments.model import (
    GatewayPayment,
    Outcome,
    PaidOut,
    Payment,
    PaymentStatus,
    Payout,
    SweepReport,
)
from saldo.payments.ports import Gateway
from saldo.payments.rating import value
from saldo.payments.reading import load
from saldo.storage.store import Store
from saldo.storage.units import Unit

_MOST_PAYMENTS = 500
_MOST_UNANSWERED = 3
_MOST_PARKED = 100


def sweep(store: Store, gateway: Gateway, clock: Clock, older_than: timedelta, payout_after: timedelta) -> SweepReport:
    """Ask about payments under way for longer than `older_than`, and settled ones not paid out after `payout_after`.

    One payment in trouble does not stop the others; three calls without an answer end the sweep for now. Also
    finishes payments whose parts were not all applied, books what money is worth whose rate has come meanwhile, and
    tries parked events again.
    """
    report, now = SweepReport(), clock()
    report.resolved = news.retry_parked(store, clock, gateway.name, _MOST_PARKED)
    for account_id, payment_id in _waiting(store, now - older_than, now - payout_after):
        if report.asked == _MOST_PAYMENTS or report.unanswered == _MOST_UNANSWERED:
            break
        report.asked += 1
        try:
            _converge(store, gateway, clock, load(store, account_id, payment_id), report)
        except Unavailable:
            report.unanswered += 1
        except Refusal:
            report.unknown += 1
    return report


def _waiting(store: Store, started_before: datetime, settled_before: datetime) -> Iterator[tuple[str, str]]:
    for name, before in (("paying", started_before), ("clearing", settled_before), ("unrated", started_before)):
        for shard in range(records.SHARDS):
            for item in store.query_all(f"{name}#{shard}", last=instant_text(before), agenda=True):
                yield item["pk"], item["payment_id"]


def _converge(store: Store, gateway: Gateway, clock: Clock, payment: Payment, report: SweepReport) -> None:
    version = payment.version
    payment = news.finish_applying(store, clock, payment)
    if payment.awaits_news or (payment.status is PaymentStatus.SETTLED and payment.paid_out_at is None):
        said = _ask(store, gateway, clock, payment)
        if said is None:
            report.unknown += 1
        else:
            _take(store, clock, said, report)
    value(store, clock, payment)
    if load(store, payment.account_id, payment.id).version != version:
        report.changed += 1
        report.payments_changed.append(payment.id)


def _ask(store: Store, gateway: Gateway, clock: Clock, payment: Payment) -> GatewayPayment | None:
    """What the gateway knows of the payment; None when it should know it and does not."""
    if payment.gateway_ref:
        return gateway.look_up(payment.gateway_ref)
    checkout = gateway.find_checkout(payment.id)
    if checkout is None:
        # The intent was recorded, the checkout never opened: nobody can pay it any more.
        never = PaymentStatus.CANCELLED
        return GatewayPayment(payment.id, payment.account_id, "", never, payment.amount, clock())
    found = replace(payment, gateway_ref=checkout.ref, checkout_url=checkout.url, version=payment.version + 1)
    store.write_one(records.rewrite(Unit(f"checkout {payment.id}"), payment, found))
    return gateway.look_up(checkout.ref)


def _take(store: Store, clock: Clock, said: GatewayPayment, report: SweepReport) -> None:
    if not isinstance(news.take_report(store, clock, said, None), Outcome):
        report.unknown += 1
    elif said.paid_out_at is not None:
        paid = PaidOut(said.payment_id, said.account_id, said.amount)
        news.take_payout(store, clock, Payout(said.payout_id, said.paid_out_at, (paid,)))
