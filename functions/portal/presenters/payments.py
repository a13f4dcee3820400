"""One payment: where it stands, told plainly, and its receipt once it has settled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from functions.portal.presenters.filters import Filter
from functions.portal.presenters.invoices import converted_text
from functions.portal.presenters.overview import RecentPayment, recent_payment
from functions.portal.presenters.spreadsheets import Amount, Cell, Spreadsheet
from functions.portal.presenters.tags import Tag, payment_tag
from functions.portal.words import Words
from saldo.invoicing.listing import InvoiceRow
from saldo.kernel.money import Money
from saldo.kernel.periods import local_date
from saldo.payments.model import UNDER_WAY, Allocation, Payment, PaymentStatus
from saldo.storage.classified import EXPORTS


@dataclass(frozen=True, slots=True)
class PaymentView:
    """`lines`: invoice id, number, amount. `pay_url`: the pay page, while the payer has something to do there."""

    payment_id: str
    tag: Tag
    headline: str
    text: str
    amount: str
    currency: str
    lines: tuple[tuple[str, str, str], ...]
    unapplied: str
    facts: tuple[tuple[str, str], ...]
    history: tuple[tuple[str, str], ...]
    pay_url: str
    is_settled: bool
    is_under_way: bool
    may_retry: bool


def payment_view(payment: Payment, rows: Mapping[str, InvoiceRow], zone: str, words: Words) -> PaymentView:
    currency, status = payment.amount.currency, payment.status
    settled = status is PaymentStatus.SETTLED
    minor = payment.settled_minor if settled else payment.amount.minor
    came = payment.received.money if payment.received else Money(minor, currency)
    shown = payment.applied if settled else payment.allocations
    unapplied = words.amount(payment.unapplied_minor, currency) if settled and payment.unapplied_minor else ""
    return PaymentView(
        payment_id=payment.id,
        tag=payment_tag(status, words),
        headline=words(f"payment.{status}.headline", amount=words.money(came.minor, came.currency)),
        text=_text(payment, words),
        amount=words.amount(minor, currency),
        currency=currency,
        lines=_lines(shown, rows, currency, words),
        unapplied=unapplied,
        facts=_facts(payment, zone, words),
        history=tuple(
            (words.known(f"payment_history.{h.status}", f"payment_status.{h.status}"), words.moment(h.at, zone))
            for h in reversed(payment.history)
        ),
        pay_url=payment.checkout_url if status in (PaymentStatus.STARTED, PaymentStatus.REQUIRES_ACTION) else "",
        is_settled=settled,
        is_under_way=status in UNDER_WAY,
        may_retry=status in (PaymentStatus.FAILED, PaymentStatus.CANCELLED),
    )


def _text(payment: Payment, words: Words) -> str:
    if payment.status is PaymentStatus.FAILED:
        return words.known(f"payment_failure.{payment.failure_code}", "payment_failure.other")
    return words(f"payment.{payment.status}.text")


def _lines(
    shown: Sequence[Allocation], rows: Mapping[str, InvoiceRow], currency: str, words: Words
) -> tuple[tuple[str, str, str], ...]:
    found = []
    for a in shown:
        number = a.number or (rows[a.invoice_id].number if a.invoice_id in rows else a.invoice_id)
        found.append((a.invoice_id, number, words.amount(a.minor, currency)))
    return tuple(found)


def _facts(payment: Payment, zone: str, words: Words) -> tuple[tuple[str, str], ...]:
    paid_at = words.moment(payment.settled_at, zone) if payment.settled_at else ""
    facts = (
        ("fact.receipt_number", payment.receipt_number),
        ("fact.paid_at", paid_at),
        ("fact.started_at", words.moment(payment.started_at, zone) if not paid_at else ""),
        ("fact.method", payment.method),
        ("fact.received", _came(payment, words)),
        ("fact.reason", payment.reason),
        ("fact.reference", payment.id),
    )
    return tuple((words(key), value) for key, value in facts if value)


def _came(payment: Payment, words: Words) -> str:
    """What came, where that was another currency, and the rate."""
    came = payment.received
    return converted_text(came.money.minor, came.money.currency, came.rate, words) if came else ""


def fits(paid: Payment, asked: Filter, zone: str) -> bool:
    """Found by receipt, reference, means, the payer's words, or the number of an invoice it paid."""
    numbers = (a.number for a in (*paid.applied, *paid.allocations))
    return asked.holds(dated(paid, zone), paid.status, paid.receipt_number, paid.id, paid.method, paid.reason, *numbers)


def dated(paid: Payment, zone: str) -> date:
    """The day of its settlement, or of its start."""
    return local_date(paid.settled_at or paid.started_at, zone)


def payments_file(payments: Iterable[Payment], zone: str, words: Words) -> Spreadsheet:
    heads = [words(name) for name in EXPORTS["payments"]]
    return Spreadsheet(words("nav.payments"), heads, (_file_row(paid, zone, words) for paid in payments))


def _file_row(paid: Payment, zone: str, words: Words) -> tuple[Cell, ...]:
    said, money = payment_tag(paid.status, words).text, paid.amount
    amount = Amount(money.minor, money.currency)
    return dated(paid, zone), said, paid.method, money.currency, amount, paid.receipt_number, paid.id


def payment_rows(payments: Sequence[Payment], zone: str, words: Words) -> tuple[RecentPayment, ...]:
    return tuple(recent_payment(p, zone, words) for p in payments)
