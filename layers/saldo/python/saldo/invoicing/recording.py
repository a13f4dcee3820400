"""Issued documents told to the seller's tax service, which files returns from them."""

from __future__ import annotations

from datetime import date

from saldo.invoicing.codec import body_from_bytes
from saldo.invoicing.model import InvoiceBody
from saldo.invoicing.records import body_key
from saldo.invoicing.rules_taxable import taxable_lines
from saldo.kernel.errors import NotFound
from saldo.kernel.ids import is_double
from saldo.storage.store import Store
from saldo.tax.model import TaxableLine, TaxShare
from saldo.tax.model_services import TaxDocument
from saldo.tax.ports import TaxService
from saldo.tax.rules import decided_by_facts
from saldo.tax.table import shipped_table


def record_tax(store: Store, service: TaxService, account_id: str, document_id: str) -> bool:
    """Have the service keep an issued invoice or credit note under its id; False where it has nothing to know of it:
    no return may ever have a double's.

    A credit note is told at the dates of supply of its invoice. Raises Unavailable when the service is; again is safe.
    """
    if is_double(account_id):
        return False
    body = _body(store, account_id, document_id)
    if body.tax_facts is None:
        return False
    supplied = _body(store, account_id, body.of_invoice).issued_on if body.of_invoice else body.issued_on
    document = tax_document(body, supplied)
    if not document.asked:
        return False
    service.record(document)
    return True


def tax_document(body: InvoiceBody, supplied: date) -> TaxDocument:
    """What the service is told. supplied: on which day what is billed in advance was supplied."""
    assert body.tax_facts is not None, "only documents with facts are told"
    lines = taxable_lines(body.lines, supplied, body.currency)
    decided = decided_by_facts(body.tax_facts.buyer, body.tax_facts.seller, shipped_table())
    reasons = {line.id: reason for line in lines if (reason := _untaxed(line, decided))}
    told = tuple(line._replace(taxes=()) for line in lines)
    return TaxDocument(body.tax_facts, body.currency, told, body.id, body.issued_on, reasons)


def _untaxed(line: TaxableLine, decided: TaxShare | None) -> str:
    """Why a line bears no tax that the service should know of; what gives back a charge goes by the taxes of that."""
    if not line.taxes:
        return decided.reason if decided else ""
    return "" if any(share.percent for share in line.taxes) else line.taxes[0].reason


def _body(store: Store, account_id: str, document_id: str) -> InvoiceBody:
    item = store.get(*body_key(account_id, document_id))
    if item is None:
        raise NotFound(f"no document {document_id}")
    return body_from_bytes(item["body"])
