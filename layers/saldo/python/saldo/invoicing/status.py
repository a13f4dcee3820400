"""Where an invoice stands, apart from its model: lists and payments need no more of it than this."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class InvoiceStatus(StrEnum):
    """Where an invoice stands. A draft has no number and no customer sees it."""

    DRAFT = "draft"
    ISSUED = "issued"
    PART_PAID = "part_paid"
    PAID = "paid"
    VOID = "void"


# VOID is for drafts alone: what has been issued is corrected by another document.
MOVES: Mapping[InvoiceStatus, frozenset[InvoiceStatus]] = {
    InvoiceStatus.DRAFT: frozenset({InvoiceStatus.ISSUED, InvoiceStatus.VOID}),
    InvoiceStatus.ISSUED: frozenset({InvoiceStatus.PART_PAID, InvoiceStatus.PAID}),
    InvoiceStatus.PART_PAID: frozenset({InvoiceStatus.PART_PAID, InvoiceStatus.PAID}),
    InvoiceStatus.PAID: frozenset(),
    InvoiceStatus.VOID: frozenset(),
}


class DocumentKind(StrEnum):
    """An invoice asks for money; a credit note, whose total is below zero, gives it back."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
