"""Payments that have waited too long for news: ask the gateway, and converge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from heapq import merge
from itertools import islice
from operator import itemgetter

from saldo.kernel.clock import Clock, instant_text
from saldo.kernel.errors import Refusal, Unavailable
from saldo.payments import news, records, rules
from saldo.payments.model import (
    GatewayPayment,
    Outcome,
    PaidOut,
    Payment,
    PaymentStatus,
    Payout,
    SweepReport,
)
from saldo.payments.parked import ParkedEvents
from saldo.payments.ports import Gateway
from saldo.payments.rating import value
from saldo.payments.reading import load
from saldo.storage.items import Key
from saldo.storage.outages import is_outage
from saldo.storage.store import Store
from saldo.storage.units import Unit

MOST_PAYMENTS = 500  # as many calls to the gateway, a few minutes of them at the most
_MOST_UNANSWERED = 3
_MOST_PARKED = 100
_AT_ONCE = 100


def sweep(store: Store, gateway: Gateway, clock: Clock) -> SweepReport:
    """Ask about payments under way, settled ones that were not paid out, and so on, whose look is due (`rules`).

    Who is overdue longest comes first, and whoever was looked after comes again later, the longer it has waited the
    later (`rules.next_look`): everyone's turn comes, however many there are. One payment in trouble does not stop the
    others: what nobody expected of one is raised when all have had their turn. Three calls without an answer end the
    sweep for now, and those three go to the end of the queue. Also finishes payments whose parts were not all applied,
    books what money is worth whose rate has come meanwhile, and tries parked events again.
    """
    report, broken = SweepReport(), list[Exception]()
    report.resolved = ParkedEvents(store, clock, gateway.name).retry(_MOST_PARKED)
    due = islice(_due(store, clock()), MOST_PAYMENTS)
    while report.unanswered < _MOST_UNANSWERED and (keys := list(islice(due, _AT_ONCE))):
        _look_after(store, gateway, clock, keys, report, broken)
    if broken:
        raise broken[0]
    return report


def _due(store: Store, now: datetime) -> Iterator[Key]:
    """Payments of all lists whose look is due, the longest overdue first; lists are read as far as they are wanted."""
    last = instant_text(now)
    lists = [
        store.query_all(f"{name}#{shard}", last=last, agenda=True, limit=_AT_ONCE)
        for name in rules.MOST_WAIT
        for shard in range(records.SHARDS)
    ]
    for item in merge(*lists, key=itemgetter("agenda_on")):
        yield records.payment_key(item["pk"], item["payment_id"])


def _look_after(
    store: Store, gateway: Gateway, clock: Clock, keys: list[Key], report: SweepReport, broken: list[Exception]
) -> None:
    found = store.get_many(keys, consistent=True)
    moves: list[Unit] = []
    for key in (key for key in keys if key in found):
        report.asked += 1
        try:
            moves += _looked_after(store, gateway, clock, records.payment_from(found[key]), report)
        except Exception as error:
            if isinstance(error, Unavailable) or is_outage(error):
                raise
            broken.append(error)
            moves.append(records.look_late(Unit(f"look late {key}"), found[key], clock()))
        if report.unanswered == _MOST_UNANSWERED:
            break
    store.write(moves)  # a conflict means that it was changed meanwhile, and has a new place


def _looked_after(
    store: Store, gateway: Gateway, clock: Clock, payment: Payment, report: SweepReport
) -> Iterator[Unit]:
    """What moves its place on the agenda, if it still has one."""
    again = None
    try:
        payment = _converge(store, gateway, clock, payment, report)
    except Unavailable:
        report.unanswered, again = report.unanswered + 1, clock()
    except Refusal:
        report.unknown += 1
    again = again or rules.next_look(payment, clock())
    if again is not None:
        yield records.look_again(Unit(f"look again {payment.id}"), payment, again)


def _converge(store: Store, gateway: Gateway, clock: Clock, known: Payment, report: SweepReport) -> Payment:
    """The payment as it is afterwards; read again only where something came of it."""
    payment, heard = news.finish_applying(store, clock, known), False
    if payment.awaits_news or (payment.status is PaymentStatus.SETTLED and payment.paid_out_at is None):
        said = _ask(store, gateway, clock, payment)
        heard = _take(store, clock, said, report) or not payment.gateway_ref
    payment = value(store, clock, payment)
    if heard:
        payment = load(store, known.account_id, known.id)
    if payment.version != known.version:
        report.changed += 1
        report.payments_changed.append(payment.id)
    return payment


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


def _take(store: Store, clock: Clock, said: GatewayPayment | None, report: SweepReport) -> bool:
    """Whether it was news. said: None where the gateway should know it and does not."""
    outcome = news.take_report(store, clock, said, None) if said is not None else "unknown_to_gateway"
    if said is None or not isinstance(outcome, Outcome):
        report.unknown += 1
        return False
    if said.paid_out_at is None:
        return outcome is Outcome.APPLIED
    paid = PaidOut(said.payment_id, said.account_id, said.amount)
    news.take_payout(store, clock, Payout(said.payout_id, said.paid_out_at, (paid,)))
    return True
