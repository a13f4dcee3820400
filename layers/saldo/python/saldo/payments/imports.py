"""Settlements of the past: money that had reached the bank before Saldo knew of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time

from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.exchange.service import ExchangeRates
from saldo.invoicing.habits import habit_moved
from saldo.invoicing.records import InvoiceHeader
from saldo.invoicing.records_moves import settle_update
from saldo.kernel.errors import Refusal
from saldo.kernel.ids import derived_id
from saldo.kernel.money import Money
from saldo.ledger.records import post
from saldo.payments import records, rules, rules_entries
from saldo.payments.model import Allocation, Payment, PaymentStatus, StatusChange
from saldo.payments.rating import rated
from saldo.payments.reading import payable
from saldo.storage.units import Conflict, Unit

GATEWAY = "import"
_ZONE = "UTC"  # an imported settlement is a date, not an instant


def imported_settlement(
    header: InvoiceHeader,
    minor: int,
    settled_on: date,
    source_id: str,
    actor: Actor,
    at: datetime,
    rates: ExchangeRates,
) -> Unit:
    """The unit that books one past settlement of one invoice; write many in one `Store.write`.

    header: as it is now. rates: of the batch. minor: above zero; what exceeds the open balance stays unapplied cash.
    source_id: names the settlement where it comes from and guards it for ever. Units of the same account move the same
    balance, so they pack best when accounts alternate; two settlements of one invoice need the header read again.
    Refusal `not_above_zero`.
    """
    if minor <= 0:
        raise Refusal("not_above_zero", "a settlement is above zero")
    payables = {header.invoice_id: payable(header)}
    new = rated(rates, _payment(header, minor, settled_on, source_id))
    payment = replace(new, applied=rules.apply_to_open(new.allocations, payables), parts_applied=1)
    unit = Unit(f"settle {header.account_id} {source_id}")
    unit.insert(records.import_guard(header.account_id, source_id, payment.id))
    records.insert_payment(unit, payment)
    entries, settled = [rules_entries.import_entry(payment)], list[InvoiceHeader]()
    if payment.applied:
        entries.append(rules_entries.application_entry(new, 0, payment.applied, payables))
        settled = [settle_update(unit, header, payment.applied[0].minor, payment.started_at)]
    post(unit, *entries, correlation_id=actor.correlation_id, also=habit_moved((), settled))
    after = {"amount_minor": minor, "currency": header.currency, "settled_on": settled_on.isoformat()}
    return unit.put(audit_item(AuditRecord(header.account_id, at, actor, "payment.imported", payment.id, after=after)))


def already_imported(conflict: Conflict) -> bool:
    """True when the unit wrote nothing because this source id was imported before (else: read and try again)."""
    return any(sk.startswith("guard#imported_settlement#") for _, sk in conflict.keys)


def _payment(header: InvoiceHeader, minor: int, settled_on: date, source_id: str) -> Payment:
    settled_at = datetime.combine(settled_on, time(), tzinfo=UTC)
    payment_id = derived_id("pay", settled_on, GATEWAY, header.account_id, source_id)
    wanted = (Allocation(header.invoice_id, minor, header.number),)
    return Payment(
        account_id=header.account_id,
        id=payment_id,
        entity_id=header.entity_id,
        booking_zone=_ZONE,
        status=PaymentStatus.SETTLED,
        amount=Money(minor, header.currency),
        allocations=wanted,
        reason="",
        gateway=GATEWAY,
        started_at=settled_at,
        settled_at=settled_at,
        settled_minor=minor,
        own_currency=rules.own_currency_of([payable(header)]),
        parts=1,
        receipt_number=rules.receipt_number(payment_id, settled_on),
        paid_out_at=settled_at,
        history=(StatusChange(settled_at, PaymentStatus.SETTLED),),
    )
