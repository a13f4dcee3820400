"""Reading payments, and invoices as payments see them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from saldo.invoicing.records import ISSUED, InvoiceHeader, header_from, header_key
from saldo.kernel.errors import NotFound
from saldo.payments import records
from saldo.payments.model import UNDER_WAY, Allocation, Payable, Payment
from saldo.storage.items import Item
from saldo.storage.store import Store


@dataclass(frozen=True, slots=True)
class PaymentsPage:
    """Some payments of an account, the newest first; where to go on, None at the end."""

    payments: tuple[Payment, ...]
    cursor: str | None


def page(store: Store, account_id: str, limit: int, cursor: str | None = None) -> PaymentsPage:
    """At most `limit` payments of the account, in one call. Refusal `invalid_cursor`."""
    found = store.query(account_id, prefix=records.PREFIX, limit=limit, newest_first=True, cursor=cursor)
    return PaymentsPage(tuple(map(records.payment_from, found.items)), found.cursor)


def load(store: Store, account_id: str, payment_id: str) -> Payment:
    """The payment as it is now; NotFound when this account has none of that id."""
    item = store.get(*records.payment_key(account_id, payment_id))
    if item is None:
        raise NotFound("no such payment")
    return records.payment_from(item)


def invoices_being_paid(store: Store, account_id: str) -> set[str]:
    """Ids of the invoices that payments are meant for which are under way, or came and are not applied yet."""
    fields = ("status", "allocations", "parts", "parts_applied")
    return invoices_of_coming(store.query_all(account_id, prefix=records.PREFIX, fields=fields, consistent=True))


def invoices_of_coming(payments: Iterable[Item]) -> set[str]:
    """The same of these payments, as they lie in the table."""
    under_way = {status.value for status in UNDER_WAY}
    coming = (i for i in payments if i["status"] in under_way or i["parts_applied"] < i["parts"])
    return {a["invoice_id"] for item in coming for a in item["allocations"]}


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
        disputed_minor=header.disputed_minor,
        booked=header.booked,
        promise_id=header.promise_id,
    )


def payables_from(items: Iterable[Item]) -> dict[str, Payable]:
    """Invoices a customer may pay, by id: issued ones only, so that a draft is as good as unknown."""
    headers = (header_from(item) for item in items)
    return {h.invoice_id: payable(h) for h in headers if h.status in ISSUED}
