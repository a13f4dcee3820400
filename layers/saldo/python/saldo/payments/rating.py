"""What money that came is worth in the seller's own currency: the rate of its day, or the wait for it."""

from __future__ import annotations

from dataclasses import replace

from saldo.audit.model import AuditRecord, job
from saldo.audit.records import audit_item
from saldo.exchange.service import ExchangeRates
from saldo.kernel.clock import Clock
from saldo.kernel.exchange import ExchangeRate, rate_row
from saldo.kernel.periods import local_date
from saldo.ledger.records import post
from saldo.payments import records
from saldo.payments.model import Payment
from saldo.payments.rules_entries import valuation_entry
from saldo.storage.store import Store
from saldo.storage.units import Unit

_JOB = "gateway_events"


def rated(rates: ExchangeRates, payment: Payment) -> Payment:
    """A payment that has just settled, with the rate of its day; as it is where it is in the seller's own currency.

    Without a rate that is young enough it is applied all the same, and `value` says later what it is worth: money is
    never refused for a rate.
    """
    return replace(payment, exchange=_rate_of(rates, payment)) if payment.own_currency else payment


def value(store: Store, clock: Clock, payment: Payment) -> Payment:
    """Book what a payment in the bank is worth in the seller's own currency, and what was won or lost, if there is a
    rate for its day by now; once, whoever else tries."""
    ready = payment.awaits_rate and payment.fully_applied and payment.paid_out_at is not None
    found = _rate_of(ExchangeRates(store), payment) if ready else None
    if found is None:
        return payment
    new = replace(payment, exchange=found, version=payment.version + 1)
    unit = records.rewrite(Unit(f"value {payment.id}"), payment, new)
    after = {"rate": " ".join(rate_row(found))}
    actor = job(_JOB, payment.correlation_id)
    unit.put(audit_item(AuditRecord(payment.account_id, clock(), actor, "payment.valued", payment.id, after=after)))
    entry = valuation_entry(new)
    if entry is not None:
        post(unit, entry, correlation_id=payment.correlation_id)
    return payment if store.write_one(unit) else new


def _rate_of(rates: ExchangeRates, payment: Payment) -> ExchangeRate | None:
    assert payment.settled_at is not None, "only money that came is worth something"
    on = local_date(payment.settled_at, payment.booking_zone)
    return rates.known_rate_for(payment.entity_id, payment.own_currency, payment.amount.currency, on)
