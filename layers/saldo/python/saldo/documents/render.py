"""One view in, one PDF out."""

from __future__ import annotations

from saldo.documents.layout import page_of
from saldo.documents.model import DocumentView, InvoiceView
from saldo.documents.typesetting import typeset


def pdf_of(view: DocumentView) -> bytes:
    """The document as PDF. The same view gives the same bytes."""
    if isinstance(view, InvoiceView):
        return typeset("invoice", page_of(view), view.issued_on)
    return typeset("receipt", page_of(view), view.settled_on)
