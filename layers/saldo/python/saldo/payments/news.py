"""What the gateway reports, applied exactly once: guard, payment, journal, invoices and audit in one unit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from saldo.audit.model import Actor, AuditRecord, job
from saldo.audit.records import audit_item
from saldo.exchange.service import ExchangeRates
from saldo.invoicing.habits import habit_moved
from saldo.invoicing.records_moves import settle_update
from saldo.invoicing.rules_early import written_off
from saldo.kernel.clock import Clock, instant_text
from saldo.kernel.errors import Unavailable
from saldo.kernel.periods import local_date
from saldo.ledger.model import Entry
from saldo.ledger.records import post
from saldo.payments import records, rules, rules_entries
from saldo.payments.methods import take_method
from saldo.payments.model import (
    Allocation,
    GatewayEvent,
    GatewayPayment,
    Outcome,
    PaidOut,
    Payable,
    Payment,
    PaymentStatus,
    Payout,
)
from saldo.payments.model_methods import MethodReport
from saldo.payments.rating import rated
from saldo.payments.reading import headers_of, load, payable
from saldo.storage.store import Store
from saldo.storage.units import Unit

_MOST_ATTEMPTS = 8
_JOB = "gateway_events"

Told = Callable[[Payment, Outcome], None]  # hears of every report that fits a payment, and what became of it


def silent(_payment: Payment, _outcome: Outcome) -> None:
    """Nobody wants to hear."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """Of an event what fits nothing of ours: whose payment or method it names, and the code of why."""

    event: GatewayEvent
    account_id: str
    subject_id: str
    reason: str


def handle_event(store: Store, clock: Clock, gateway: str, event: GatewayEvent, told: Told = silent) -> Outcome:
    """Apply one event; any order, any number of times. What fits no payment is parked, never dropped.

    Raises Unavailable when others keep changing the same records; handling it again later is safe.
    """
    outcome, misfits = tried(store, clock, event, told)
    for misfit in misfits:
        _park(store, clock, gateway, misfit)
    return outcome


def tried(store: Store, clock: Clock, event: GatewayEvent, told: Told = silent) -> tuple[Outcome, list[Misfit]]:
    """Apply one event as far as it fits, and what does not."""
    news = event.news
    if isinstance(news, Payout):
        return _payout_tried(store, clock, event, news)
    if isinstance(news, MethodReport):
        subject_id, outcome = news.method_id, take_method(store, clock, news, event)
    else:
        subject_id, outcome = news.payment_id, take_report(store, clock, news, event, told)
    if isinstance(outcome, Outcome):
        return outcome, []
    return Outcome.PARKED, [Misfit(event, news.account_id, subject_id, outcome)]


def take_report(
    store: Store, clock: Clock, report: GatewayPayment, event: GatewayEvent | None, told: Told = silent
) -> Outcome | str:
    """Apply what the gateway says of one payment; answers the reason (a code) when it fits no payment of ours.

    event: the event that carried it, whose guard goes into the same unit; None when we asked ourselves.
    """
    guard_key = records.event_guard_key(report.account_id, event.id) if event else None
    for _ in range(_MOST_ATTEMPTS):
        item = store.get(*records.payment_key(report.account_id, report.payment_id))
        if item is None:
            return "unknown_payment"
        payment = records.payment_from(item)
        reason = rules.misfit(payment, report)
        if reason:
            return reason
        unit = Unit(f"report {report.payment_id}")
        if event:
            unit.insert(records.event_guard(report.account_id, event, report.payment_id))
        changed = _change(store, clock, unit, payment, report)
        conflict = store.write_one(unit) if unit.writes else None
        if conflict is None:
            finish_applying(store, clock, changed or payment)
            return _said(told, payment, Outcome.APPLIED if changed else Outcome.OUTDATED)
        if guard_key in conflict.keys:
            finish_applying(store, clock, payment)
            return _said(told, payment, Outcome.DUPLICATE)
    raise Unavailable(f"{report.payment_id} is being changed by others")


def _said(told: Told, payment: Payment, outcome: Outcome) -> Outcome:
    told(payment, outcome)
    return outcome


def _actor(payment: Payment) -> Actor:
    """The job, in the name of the click that started the payment."""
    return job(_JOB, payment.correlation_id)


def _change(store: Store, clock: Clock, unit: Unit, payment: Payment, report: GatewayPayment) -> Payment | None:
    """Add to the unit what this report changes; the payment as it will then be, None when it changes nothing."""
    at = clock()
    new = rules.changed_by(payment, report, at)
    if new is None:
        return None
    if new.status is PaymentStatus.SETTLED:
        new = rated(ExchangeRates(store), new)
        new = apply_part(store, unit, new, rules_entries.settlement_entry(new))
    records.rewrite(unit, payment, new)
    before, after = {"status": payment.status.value}, {"status": new.status.value}
    action = f"payment.{new.status}"
    unit.put(audit_item(AuditRecord(payment.account_id, at, _actor(payment), action, payment.id, before, after)))
    return new


def apply_part(
    store: Store, unit: Unit, payment: Payment, *first: Entry, numbers: Mapping[str, str] | None = None
) -> Payment:
    """Add the next part of the payment to the unit: invoices lowered, entries posted after those in `first`.

    numbers: what is kept beside the entries, by their source."""
    assert payment.settled_at is not None, "only money that arrived is applied"
    part = rules.parts_of(payment.allocations, payment.settled_minor)[payment.parts_applied]
    headers = headers_of(store, payment.account_id, part)
    payables = {i: payable(h) for i, h in headers.items()}
    applied = rules.apply_to_open(part, payables)
    # Records that were restored may start a payment anew whose money has long come: it was in time when it was.
    paid_on = local_date(min(payment.started_at, payment.settled_at), payment.booking_zone)
    discounts = rules.discounts_taken(applied, payables, paid_on)
    left, settled = _written_off(store, unit, payment, applied, payables, discounts), []
    for a in applied:
        besides = discounts[a.invoice_id].legs if a.invoice_id in discounts else written_off(left.get(a.invoice_id, 0))
        settled.append(settle_update(unit, headers[a.invoice_id], a.minor, payment.settled_at, besides))
    entries = list(first)
    if applied:
        entries.append(rules_entries.application_entry(payment, payment.parts_applied, applied, payables))
    if discounts:
        entries.append(rules_entries.discount_entry(payment, payment.parts_applied, applied, discounts, payables))
    if left:
        entries.append(rules_entries.difference_entry(payment, payment.parts_applied, applied, left, payables))
    if entries:
        also = habit_moved((), settled)
        post(unit, *entries, correlation_id=payment.correlation_id, numbers=numbers, also=also)
    return replace(payment, applied=(*payment.applied, *applied), parts_applied=payment.parts_applied + 1)


def _written_off(
    store: Store,
    unit: Unit,
    payment: Payment,
    applied: Sequence[Allocation],
    payables: Mapping[str, Payable],
    discounts: Collection[str],
) -> dict[str, int]:
    """What is left of invoices, by id, and is within the seller's tolerance."""
    if not rules.leaves_some(applied, payables, discounts):
        return {}
    from saldo.payments.tolerating import write_off_small  # most payments leave nothing

    return write_off_small(store, unit, payment, applied, payables, discounts)


def finish_applying(store: Store, clock: Clock, payment: Payment) -> Payment:
    """Apply what is left of a settled payment over more invoices than one unit holds; repeating is harmless.

    A crash between parts leaves the payment on the agenda, where the sweep finds it.
    """
    attempts = 0
    while payment.status is PaymentStatus.SETTLED and not payment.fully_applied:
        unit = Unit(f"part {payment.parts_applied} of {payment.id}")
        new = replace(apply_part(store, unit, payment), version=payment.version + 1)
        records.rewrite(unit, payment, new)
        after = {"parts_applied": new.parts_applied, "parts": new.parts}
        subject = f"{payment.id}/{payment.parts_applied}"
        record = AuditRecord(payment.account_id, clock(), _actor(payment), "payment.applied", subject, after=after)
        unit.put(audit_item(record))
        if store.write_one(unit) is None:
            payment, attempts = new, 0
            continue
        attempts += 1
        if attempts == _MOST_ATTEMPTS:
            raise Unavailable(f"the invoices of {payment.id} are being changed by others")
        payment = load(store, payment.account_id, payment.id)
    return payment


def _payout_tried(store: Store, clock: Clock, event: GatewayEvent, payout: Payout) -> tuple[Outcome, list[Misfit]]:
    outcomes, misfits = take_payout(store, clock, payout), []
    for paid in payout.payments:
        reason = outcomes[paid.payment_id]
        if not isinstance(reason, Outcome):
            alone = GatewayEvent(event.id, event.occurred_at, replace(payout, payments=(paid,)))
            misfits.append(Misfit(alone, paid.account_id, paid.payment_id, reason))
    if misfits:
        return Outcome.PARKED, misfits
    return Outcome.APPLIED if Outcome.APPLIED in outcomes.values() else Outcome.DUPLICATE, []


def take_payout(store: Store, clock: Clock, payout: Payout) -> dict[str, Outcome | str]:
    """Book what reached the bank, payment by payment; per payment id what became of it, or why it does not fit.

    Its guard is the payment itself: a payment is paid out once. A payout may arrive before the news that the
    payment settled; clearing is then below zero until that comes.
    """
    outcomes: dict[str, Outcome | str] = {}
    waiting = list(payout.payments)
    for _ in range(_MOST_ATTEMPTS):
        keys = {p.payment_id: records.payment_key(p.account_id, p.payment_id) for p in waiting}
        found = store.get_many(list(keys.values()), consistent=True)
        units = []
        for paid in waiting:
            item = found.get(keys[paid.payment_id])
            payment = records.payment_from(item) if item else None
            outcome = _payout_outcome(payment, paid, payout)
            outcomes[paid.payment_id] = outcome
            if outcome is Outcome.APPLIED and payment is not None:
                units.append(_payout_unit(clock, payment, paid, payout))
        conflicts = {c.unit for c in store.write(units)}
        waiting = [p for p in waiting if p.payment_id in conflicts]
        if not waiting:
            return outcomes
    raise Unavailable(f"payments of {payout.id} are being changed by others")


def _payout_outcome(payment: Payment | None, paid: PaidOut, payout: Payout) -> Outcome | str:
    if payment is None:
        return "unknown_payment"
    if payment.amount.currency != paid.amount.currency:
        return "currency_mismatch"
    if payment.paid_out_at is None:
        return Outcome.APPLIED
    return Outcome.DUPLICATE if payment.payout_id == payout.id else "paid_out_twice"


def _payout_unit(clock: Clock, payment: Payment, paid: PaidOut, payout: Payout) -> Unit:
    new = replace(payment, payout_id=payout.id, paid_out_at=payout.paid_at, version=payment.version + 1)
    unit = records.rewrite(Unit(payment.id), payment, new)
    post(unit, rules_entries.payout_entry(payment, paid.amount, payout.paid_at), correlation_id=payment.correlation_id)
    after = {"payout_id": payout.id, "amount_minor": paid.amount.minor, "paid_at": instant_text(payout.paid_at)}
    return unit.put(
        audit_item(
            AuditRecord(payment.account_id, clock(), _actor(payment), "payment.paid_out", payment.id, after=after)
        )
    )


def _park(store: Store, clock: Clock, gateway: str, misfit: Misfit) -> None:
    account = store.get(misfit.account_id, "account")
    entity_id = account["entity_id"] if account else ""
    whose = misfit.account_id, misfit.subject_id, entity_id
    item = records.parked_item(gateway, misfit.event, *whose, misfit.reason, clock())
    store.write_one(Unit(f"park {misfit.event.id}").insert(item))  # a conflict means that it is parked already
