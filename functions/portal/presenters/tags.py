"""Status tags: a word and a sign each, so that colour only repeats what is said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from functions.portal.words import Words
from saldo.disputes.model import DisputeState
from saldo.invoicing.listing import InvoiceRow
from saldo.invoicing.status import InvoiceStatus
from saldo.payments.model import PaymentStatus
from saldo.promises.model import PromiseState


@dataclass(frozen=True, slots=True)
class Tag:
    """`tone` is one of late, open, part, done, wait, over."""

    tone: str
    text: str


_INVOICE_TONES = {
    InvoiceStatus.ISSUED: "open",
    InvoiceStatus.PART_PAID: "part",
    InvoiceStatus.PAID: "done",
    InvoiceStatus.CREDITED: "over",
    InvoiceStatus.SETTLED: "done",
}


def invoice_tag(row: InvoiceRow, today: date, words: Words) -> Tag:
    if row.is_overdue(today):
        return Tag("late", words("status.overdue"))
    if row.promise_id and row.undisputed_minor > 0:
        return Tag("part", words("plan.promised"))
    return Tag(_INVOICE_TONES[row.status], words(f"status.{row.status}"))


_PAYMENT_TONES = {
    PaymentStatus.STARTED: "wait",
    PaymentStatus.REQUIRES_ACTION: "wait",
    PaymentStatus.PROCESSING: "wait",
    PaymentStatus.SETTLED: "done",
    PaymentStatus.FAILED: "late",
    PaymentStatus.CANCELLED: "over",
    PaymentStatus.RETURNED: "late",
}


def payment_tag(status: PaymentStatus, words: Words) -> Tag:
    return Tag(_PAYMENT_TONES[status], words(f"payment_status.{status}"))


_DISPUTE_TONES = {
    DisputeState.OPEN: "wait",
    DisputeState.ANSWERED: "part",
    DisputeState.IN_CREDIT: "wait",
    DisputeState.CREDITED: "done",
    DisputeState.REFUSED: "late",
    DisputeState.WITHDRAWN: "over",
}


def dispute_tag(state: DisputeState, words: Words) -> Tag:
    return Tag(_DISPUTE_TONES[state], words(f"dispute.state.{state}"))


_PROMISE_TONES = {
    PromiseState.ASKED: "wait",
    PromiseState.CURRENT: "part",
    PromiseState.KEPT: "done",
    PromiseState.BROKEN: "late",
    PromiseState.REFUSED: "late",
    PromiseState.CANCELLED: "over",
    PromiseState.REPLACED: "over",
}


def promise_tag(state: PromiseState, words: Words) -> Tag:
    return Tag(_PROMISE_TONES[state], words(f"plan.state.{state}"))


def disputed_note(row: InvoiceRow, words: Words) -> str:
    """What of it is in dispute; "" for nothing."""
    return words("dispute.note", amount=words.money(row.disputed_minor, row.currency)) if row.disputed_minor else ""


def due_note(row: InvoiceRow, today: date, words: Words) -> str:
    """`12 days late`, `due in 3 days`, `due today`; "" when nothing is owed."""
    if row.open_minor <= 0 or row.promise_id:
        return ""
    late = row.days_late(today)
    if late > 0:
        return words.count("due.late", late)
    return words("due.today") if late == 0 else words.count("due.in", -late)
