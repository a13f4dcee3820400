"""What an invoice is and where it stands, apart from its model: lists and payments need no more of it than this."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class DocumentKind(StrEnum):
    """An invoice asks for money; a credit note, whose total is below zero, gives it back."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


class InvoiceStatus(StrEnum):
    """Where an invoice stands. A draft has no number and no customer sees it. CREDITED: taken back by credit notes
    before any of it was paid. A credit note is SETTLED when issued: it was set off, or is the customer's credit."""

    DRAFT = "draft"
    ISSUED = "issued"
    PART_PAID = "part_paid"
    PAID = "paid"
    CREDITED = "credited"
    SETTLED = "settled"
    VOID = "void"


_S = InvoiceStatus
# VOID is for drafts alone: what has been issued is corrected by another document. What is paid is open again where the
# bank took the money back.
MOVES: Mapping[InvoiceStatus, frozenset[InvoiceStatus]] = {
    _S.DRAFT: frozenset({_S.ISSUED, _S.SETTLED, _S.VOID}),
    _S.ISSUED: frozenset({_S.PART_PAID, _S.PAID, _S.CREDITED}),
    _S.PART_PAID: frozenset({_S.PART_PAID, _S.PAID, _S.ISSUED}),
    _S.PAID: frozenset({_S.PART_PAID, _S.ISSUED}),
    _S.CREDITED: frozenset(),
    _S.SETTLED: frozenset(),
    _S.VOID: frozenset(),
}
# What a customer sees: neither drafts nor drafts that were thrown away.
SHOWN = frozenset({_S.ISSUED, _S.PART_PAID, _S.PAID, _S.CREDITED, _S.SETTLED})
# Nothing more is owed on it.
CLOSED = frozenset({_S.PAID, _S.CREDITED, _S.SETTLED})
