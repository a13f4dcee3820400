"""Reading payments, and invoices as payments see them."""

from __future__ import annotations

from collections.abc import Iterable

from saldo.invoicing.records import ISSUED, InvoiceHeader, header_from, header_key
from saldo.kernel.errors import NotFound
from saldo.payments import records
from saldo.payments.model import Allocation, Payable, Payment
from saldo.storage.items import Item
from saldo.storage.store import Store


def load(store: Store, account_id: str, payment_id: str) -> Payment:
    """The payment as it is now; NotFound when this account has none of that id."""
    item = store.get(*records.payment_key(account_id, payment_id))
    if item is None:
        raise NotFound("no such payment")
    return records.payment_from(item)


def headers_of(store: Store, account_id: str, allocations: Iterable[Allocation]) -> dict[str, InvoiceHeader]:
    """The invoices of these allocations as they are now, by id; only issued ones."""
    keys = [header_key(account_id, a.invoice_id) for a in allocations]
    found = (header_from(item) for item in store.get_many(keys, consistent=True).values())
    return {h.invoice_id: h for h in found if h.status in ISSUED}


def payable(header: InvoiceHeader) -> Payable:
    return Payable(
        invoice_id=header.invoice_id,
        number=header.number,
        entity_id=header.entity_id,
        currency=header.currency,
        due_on=header.due_on,
        open_minor=header.open_minor,
        early=header.early_now,
    )


def payables_from(items: Iterable[Item]) -> dict[str, Payable]:
    """Invoices a customer may pay, by id: issued ones only, so that a draft is as good as unknown."""
    headers = (header_from(item) for item in items)
    return {h.invoice_id: payable(h) for h in headers if h.status in ISSUED}
