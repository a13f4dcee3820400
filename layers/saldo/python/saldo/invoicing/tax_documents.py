"""The documents behind a seller's journal, read for the tax report: account by account, a hundred bodies a call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import islice

from saldo.accounts.records import account_keys
from saldo.invoicing.codec import body_from_bytes
from saldo.invoicing.model import InvoiceBody
from saldo.invoicing.records import body_key
from saldo.invoicing.records_true_up import WAITING, true_up_key
from saldo.ledger.model import Entry, EntryKind
from saldo.ledger.records import PREFIX, entry_from
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.tax.model import TaxTotal, TaxTreatment
from saldo.tax.report import TaxedDocument

_BODIES = (EntryKind.INVOICE_ISSUED, EntryKind.CREDIT_NOTE_ISSUED)
_AT_ONCE = 50


def booked_with_documents(
    store: Store, entity_id: str, from_on: date | None, until_on: date
) -> Iterator[tuple[Entry, TaxedDocument | None]]:
    """Entries of a seller booked on [from_on, until_on), in booking order account by account, each with its document.

    from_on None: from the beginning. Reads every account of the seller: a job for reports, not for pages.
    """
    for account_id, _ in account_keys(store, entity_id):
        yield from _of_account(store, account_id, entity_id, from_on, until_on)


def _of_account(
    store: Store, account_id: str, entity_id: str, from_on: date | None, until_on: date
) -> Iterator[tuple[Entry, TaxedDocument | None]]:
    first = PREFIX + (from_on.isoformat() if from_on else "")
    items = store.query_all(account_id, first=first, last=f"{PREFIX}{until_on.isoformat()}", consistent=True)
    entries = (entry for item in items if (entry := entry_from(item)).entity_id == entity_id)
    while some := list(islice(entries, _AT_ONCE)):
        documents = _documents(store, account_id, some)
        yield from ((entry, documents.get(entry.id)) for entry in some)


def _documents(store: Store, account_id: str, entries: Sequence[Entry]) -> dict[str, TaxedDocument]:
    keys: dict[str, Key] = {e.id: body_key(account_id, e.source_id) for e in entries if e.kind in _BODIES}
    trued = {e.id: true_up_key(account_id, e.source_id) for e in entries if e.kind is EntryKind.TAX_TRUED_UP}
    estimates = [true_up_key(account_id, e.source_id) for e in entries if e.kind is EntryKind.INVOICE_ISSUED]
    found = store.get_many([*keys.values(), *trued.values(), *estimates], consistent=True)
    waiting = {key for key in estimates if key in found and found[key]["status"] == WAITING}
    documents = {
        entry_id: _document(body_from_bytes(found[key]["body"]), waiting)
        for entry_id, key in keys.items()
        if key in found
    }
    return documents | {entry_id: _true_up(found[key]) for entry_id, key in trued.items() if key in found}


def _document(body: InvoiceBody, waiting: set[Key]) -> TaxedDocument:
    by_credit = sum(credit.minor for credit in body.credits if not credit.before_tax)
    is_waiting = true_up_key(body.account_id, body.id) in waiting
    total = body.payable_minor + by_credit
    return TaxedDocument(body.id, total, body.tax_totals, body.of_invoice, by_credit, is_waiting)


def _true_up(item: Item) -> TaxedDocument:
    totals = tuple(
        TaxTotal(
            row["jurisdiction"],
            row["name"],
            TaxTreatment(row["treatment"]),
            Decimal(row["percent"]),
            row["base_minor"],
            row["tax_minor"],
            row["reason"],
        )
        for row in item["differences"]
    )
    return TaxedDocument(item["invoice_id"], 0, totals)
