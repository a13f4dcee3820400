"""Promises and the invoices that they cover, read in few calls."""

from __future__ import annotations

from saldo.invoicing.records import InvoiceHeader, header_from, header_key
from saldo.kernel.errors import NotFound
from saldo.promises import records
from saldo.promises.model import Due, Promise
from saldo.storage.store import Store


def promises_of(store: Store, account_id: str) -> list[Promise]:
    """All of an account, newest first; one call."""
    items = store.query_all(account_id, prefix=records.PREFIX, consistent=True)
    return sorted((records.promise_from(i) for i in items), key=lambda p: (p.made_at, p.id), reverse=True)


def promises_by_id(store: Store, account_id: str, ids: frozenset[str]) -> list[Promise]:
    """These of an account, newest first; no call for none."""
    items = store.get_many([records.promise_key(account_id, id_) for id_ in ids], consistent=True)
    return sorted(map(records.promise_from, items.values()), key=lambda p: (p.made_at, p.id), reverse=True)


def promise_of(store: Store, account_id: str, promise_id: str) -> Promise:
    """NotFound for another's as for none."""
    item = store.get(*records.promise_key(account_id, promise_id))
    if item is None:
        raise NotFound("no such promise")
    return records.promise_from(item)


def headers_of(store: Store, promise: Promise) -> dict[str, InvoiceHeader]:
    """Of the invoices that it covers, as they are now."""
    keys = [header_key(promise.account_id, one.invoice_id) for one in promise.covers]
    return {h.invoice_id: h for h in map(header_from, store.get_many(keys, consistent=True).values())}


def dues_of(promise: Promise, headers: dict[str, InvoiceHeader]) -> tuple[Due, ...]:
    """What is still to come of each invoice; of those that are no longer under this promise nothing."""
    mine = [h for h in headers.values() if h.promise_id == promise.id]
    return tuple(Due(h.invoice_id, h.due_on, h.promised_minor, h.promised_paid_minor) for h in mine)
