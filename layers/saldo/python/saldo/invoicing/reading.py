"""What customers read of their invoices. Every function reaches the table once; drafts are never shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from saldo.invoicing import listing, records
from saldo.invoicing.listing import InvoiceRow, Listing, ListWish
from saldo.invoicing.records import InvoiceHeader
from saldo.invoicing.status import SHOWN, InvoiceStatus
from saldo.kernel.errors import NotFound
from saldo.ledger.model import OpenItem
from saldo.storage.items import Item, Key
from saldo.storage.store import Page, Store

if TYPE_CHECKING:
    from saldo.invoicing.model import InvoiceBody


@dataclass(frozen=True, slots=True)
class Invoice:
    """Header and frozen body; `body` is None for invoices that were imported without their lines.

    `others`: further records that were read in the same call, by key.
    """

    header: InvoiceHeader
    body: InvoiceBody | None
    others: dict[Key, Item]


def row_from(item: Item) -> InvoiceRow:
    """From a header or from the agenda's copy of it."""
    return InvoiceRow(
        invoice_id=item["invoice_id"],
        number=item["number"],
        status=InvoiceStatus(item["status"]),
        currency=item["currency"],
        issued_on=date.fromisoformat(item["issued_on"]),
        due_on=date.fromisoformat(item["due_on"]),
        total_minor=item["total_minor"],
        open_minor=item["open_minor"],
        disputed_minor=item.get("disputed_minor", 0),
        promise_id=item.get("promise_id", ""),
    )


def row_item(row: InvoiceRow) -> Item:
    """What `row_from` reads."""
    item: Item = {name: getattr(row, name) for name in InvoiceRow.__dataclass_fields__}
    return item | {
        "status": row.status.value,
        "issued_on": row.issued_on.isoformat(),
        "due_on": row.due_on.isoformat(),
    }


def rows_from(items: Iterable[Item]) -> list[InvoiceRow]:
    """Those of headers or of the agenda, earliest due first."""
    return sorted(map(row_from, items), key=lambda row: (row.due_on, row.invoice_id))


_ROW_FIELDS = ("kind", *InvoiceRow.__dataclass_fields__)


def open_rows(store: Store, account_id: str) -> list[InvoiceRow]:
    """Everything the account still owes, earliest due first. One call for up to about 4,000 open invoices."""
    return rows_from(store.query_all(records.open_agenda(account_id), agenda=True))


def open_items(rows: list[InvoiceRow]) -> list[OpenItem]:
    """The rows as the ledger's aging takes them."""
    return [OpenItem(row.invoice_id, row.due_on, row.currency, row.open_minor) for row in rows]


def listed(store: Store, account_id: str, wish: ListWish, today: date) -> Listing:
    """One page of the account's invoices, by one call.

    Newest first without filters it walks the table page by page. Filters and other orders look at `listing.WINDOW`
    invoices at once, newest (or what is open: earliest due) first, and say when there are more; the cursor of the last
    page leads to the next so many.
    """
    limit = listing.PAGE if wish.is_plain else listing.WINDOW
    read = (
        _open(store, account_id, wish, today, limit) if wish.is_open_only else _headers(store, account_id, wish, limit)
    )
    rows = [row_from(item) for item in read.items if is_shown(item)]
    found = listing.fitting(rows, wish, today)
    if wish.is_plain and (read.cursor or wish.cursor):
        return Listing(tuple(found), None, 1, True, read.cursor)
    shown, pages = listing.paged(found, wish.page)
    complete, owed = read.cursor is None and not wish.cursor, listing.owed_of(found)
    return Listing(shown, len(found), pages, complete, read.cursor, owed)


def register(store: Store, account_id: str, wish: ListWish, today: date) -> list[InvoiceRow]:
    """Every invoice that fits the wish, for export; as many calls as it takes."""
    if wish.is_open_only:
        return listing.fitting(open_rows(store, account_id), wish, today)
    first, last = bounds_of(wish)
    items = store.query_all(account_id, first=first, last=last, fields=_ROW_FIELDS)
    return listing.fitting((row_from(item) for item in items if is_shown(item)), wish, today)


def _open(store: Store, account_id: str, wish: ListWish, today: date, limit: int) -> Page:
    """What is open, from the end that the order asks for where it is the order of due dates."""
    last = (today - timedelta(days=1)).isoformat() if wish.status == "overdue" else None
    latest_first, cursor = wish.sort == "due_on" and wish.descending, wish.cursor or None
    agenda = records.open_agenda(account_id)
    return store.query(agenda, agenda=True, last=last, limit=limit, newest_first=latest_first, cursor=cursor)


def _headers(store: Store, account_id: str, wish: ListWish, limit: int) -> Page:
    (first, last), cursor = bounds_of(wish), wish.cursor or None
    return store.query(
        account_id, first=first, last=last, newest_first=True, limit=limit, cursor=cursor, fields=_ROW_FIELDS
    )


def bounds_of(wish: ListWish) -> tuple[str, str]:
    """Sort keys that enclose the dates: an invoice's id begins with its issue date."""
    first = f"{records.PREFIX}inv_{wish.from_on:%Y%m%d}" if wish.from_on else records.PREFIX
    last = f"{records.PREFIX}inv_{wish.to_on:%Y%m%d}~" if wish.to_on else f"{records.PREFIX}~"
    return first, last


def is_shown(item: Item) -> bool:
    return item["status"] in SHOWN


def rows_by_id(store: Store, account_id: str, invoice_ids: list[str]) -> dict[str, InvoiceRow]:
    """Issued invoices by id, in one call for up to 100; unknown ones and drafts are left out."""
    keys = [records.header_key(account_id, invoice_id) for invoice_id in invoice_ids]
    found = store.get_many(keys).values()
    return {item["invoice_id"]: row_from(item) for item in found if is_shown(item)}


def invoice(store: Store, account_id: str, invoice_id: str, others: tuple[Key, ...] = ()) -> Invoice:
    """One issued invoice with its lines, and other records asked for, in one call; NotFound for a draft too."""
    from saldo.invoicing.codec import body_from_bytes  # only this page pays for the whole model

    header_key, body_key = records.header_key(account_id, invoice_id), records.body_key(account_id, invoice_id)
    found = store.get_many([header_key, body_key, *others], consistent=True)
    item, body = found.pop(header_key, None), found.pop(body_key, None)
    if item is None or not is_shown(item):
        raise NotFound("no such invoice")
    return Invoice(records.header_from(item), body_from_bytes(body["body"]) if body else None, found)
