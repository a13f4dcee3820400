"""Use cases of documents: the PDF of an issued invoice, the PDF of a payment's receipt.

A PDF is made when it is first asked for and kept in the region's documents bucket; from then on it is that file.
Of two that are asked for at once the first one stays: signatures differ, what they sign does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from saldo.accounts.service import Accounts
from saldo.documents.model import DocumentView, InvoiceView, Look, PaidInvoiceView, ReceiptView, Reference
from saldo.documents.ports import SettledPayments
from saldo.documents.records import look_from, look_key
from saldo.documents.rules import invoice_view, receipt_view
from saldo.invoicing.codec import body_from_bytes
from saldo.invoicing.records import InvoiceHeader, InvoiceStatus, body_key, header_from, header_key
from saldo.kernel.errors import NotFound, Refusal
from saldo.storage.files import Files
from saldo.storage.store import Store

if TYPE_CHECKING:
    from saldo.documents.signing import DocumentSigning
    from saldo.invoicing.model import InvoiceBody

PDF = "application/pdf"
_UNSHOWN = {InvoiceStatus.DRAFT, InvoiceStatus.VOID}


def document_key(account_id: str, document_id: str, language: str) -> str:
    """Where a document lies in the bucket."""
    return f"documents/{account_id}/{document_id}.{language}.pdf"


class Documents:
    """Documents of one region. `origin` is the portal's own (scheme and host), printed as the way to pay online.
    `signing`: signs invoices and credit notes, where the seller has a certificate."""

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        payments: SettledPayments,
        files: Files,
        origin: str,
        signing: DocumentSigning | None = None,
    ) -> None:
        self._store, self._accounts, self._payments = store, accounts, payments
        self._files, self._origin, self._signing = files, origin, signing

    def invoice_pdf(self, account_id: str, invoice_id: str) -> bytes:
        """The invoice's PDF. NotFound: no such invoice of this account, or a draft, which nobody may see."""
        return self._kept(self.invoice_key(account_id, invoice_id)) or self._make_invoice(account_id, invoice_id)[1]

    def receipt_pdf(self, account_id: str, payment_id: str) -> bytes:
        """The receipt's PDF. NotFound: no such payment of this account; Refusal `not_settled` before it settled."""
        return self._kept(self.receipt_key(account_id, payment_id)) or self._make_receipt(account_id, payment_id)[1]

    def ensure_invoice(self, account_id: str, invoice_id: str) -> str:
        """See to it that the PDF lies in the bucket; the key it lies under."""
        key = self.invoice_key(account_id, invoice_id)
        return key if self._kept(key) else self._make_invoice(account_id, invoice_id)[0]

    def ensure_receipt(self, account_id: str, payment_id: str) -> str:
        """See to it that the PDF lies in the bucket; the key it lies under."""
        key = self.receipt_key(account_id, payment_id)
        return key if self._kept(key) else self._make_receipt(account_id, payment_id)[0]

    def invoice_key(self, account_id: str, invoice_id: str) -> str:
        return document_key(account_id, invoice_id, self.header(account_id, invoice_id).language)

    def receipt_key(self, account_id: str, payment_id: str) -> str:
        return document_key(account_id, payment_id, self._accounts.account(account_id).language)

    def header(self, account_id: str, invoice_id: str) -> InvoiceHeader:
        """An invoice that its customer may see; NotFound for drafts as for none."""
        item = self._store.get(*header_key(account_id, invoice_id))
        header = header_from(item) if item else None
        if header is None or header.status in _UNSHOWN:
            raise NotFound("no such invoice")
        return header

    def invoice_view(self, account_id: str, invoice_id: str) -> InvoiceView:
        header = self.header(account_id, invoice_id)
        item = self._store.get(*body_key(account_id, invoice_id))
        if item is None:
            raise Refusal("no_invoice_body", "this invoice was brought in without its lines; it has no document")
        body = body_from_bytes(item["body"])
        seller = self._accounts.entity_as(header.entity_id, body.seller_facts)
        buyer = self._accounts.profile(account_id, header.buyer_profile)
        link = f"{self._origin}/accounts/{account_id}/invoices/{invoice_id}"
        view = invoice_view(header.number, body, seller, buyer, link, self._corrected(body))
        return replace(view, look=self._look(header.entity_id, body.template))

    def _look(self, entity_id: str, template: str) -> Look:
        """The template version that was chosen at issue; Saldo's own for none."""
        if not template:
            return Look()
        item = self._store.get(*look_key(entity_id, template))
        if item is None:
            raise Refusal("no_template", f"{template} is not on record")
        return look_from(item)

    def _corrected(self, body: InvoiceBody) -> Reference | None:
        """What a document is about that takes back another, or stands for it."""
        other_id = body.of_invoice or body.replaces
        item = self._store.get(*header_key(body.account_id, other_id)) if other_id else None
        return Reference(item["number"], date.fromisoformat(item["issued_on"])) if item else None

    def receipt_view(self, account_id: str, payment_id: str) -> ReceiptView:
        """Addressed as the first invoice it paid was, else as the account is now."""
        payment = self._payments.settled(account_id, payment_id)
        account = self._accounts.account(account_id)
        headers = self._headers(account_id, [invoice_id for invoice_id, _ in payment.applied])
        version = headers[0].buyer_profile if headers else account.profile_version
        paid = [minor for _, minor in payment.applied]
        invoices = [
            PaidInvoiceView(h.number, h.issued_on, h.total_minor, m) for h, m in zip(headers, paid, strict=True)
        ]
        seller, buyer = self._accounts.entity(payment.entity_id), self._accounts.profile(account_id, version)
        link = f"{self._origin}/accounts/{account_id}/payments/{payment_id}"
        return receipt_view(payment, invoices, seller, buyer, account.language, link)

    def _headers(self, account_id: str, invoice_ids: Sequence[str]) -> list[InvoiceHeader]:
        """Invoices in this order; each has been issued, or nothing could have been applied to it."""
        keys = [header_key(account_id, invoice_id) for invoice_id in invoice_ids]
        found = self._store.get_many(keys, consistent=True)
        return [header_from(found[key]) for key in keys]

    def _kept(self, key: str) -> bytes | None:
        return self._files.find(key)

    def _make_invoice(self, account_id: str, invoice_id: str) -> tuple[str, bytes]:
        view = self.invoice_view(account_id, invoice_id)
        return self._make(document_key(account_id, invoice_id, view.language), view)

    def _make_receipt(self, account_id: str, payment_id: str) -> tuple[str, bytes]:
        view = self.receipt_view(account_id, payment_id)
        return self._make(document_key(account_id, payment_id, view.language), view)

    def _make(self, key: str, view: DocumentView) -> tuple[str, bytes]:
        from saldo.documents.render import pdf_of

        pdf = pdf_of(view)
        if self._signing and isinstance(view, InvoiceView):
            pdf = self._signing.signed(pdf, view.seller.id)
        return key, pdf if self._files.put_new(key, pdf, PDF) else self._files.get(key)
