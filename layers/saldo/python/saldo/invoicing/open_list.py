"""The open invoices of an account in one record, so that pages of many accounts, or of more besides, need no index.

`<account>` / `open_list`: the rows, as of so many entries of the journal and so many holds. What is open changes only
with an entry, in the same unit; what of it is in dispute or promised besides, with a hold that is counted here
(`records_moves.hold_counted`). As long as both numbers are the same, this is how things are. Whoever reads it compares,
and otherwise reads the index and keeps what it says where that can be proven.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from saldo.invoicing.listing import InvoiceRow
from saldo.invoicing.open_sums import FEW, owed, summed
from saldo.invoicing.reading import open_rows, row_from, row_item, rows_from
from saldo.invoicing.records import HOLDS, OPEN_LIST, header_key, open_agenda, open_list_key
from saldo.invoicing.records_moves import hold_counted
from saldo.ledger.records import BALANCE, ENTRIES, entries_counted
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import Unit


@dataclass(frozen=True, slots=True)
class Open:
    """What an account owes, earliest due first. `is_all`: whether nothing is left out."""

    rows: tuple[InvoiceRow, ...]
    is_all: bool = True


def forget(store: Store, account_id: str) -> None:
    """Have the next look read everything anew."""
    unit = Unit(f"forget the open list of {account_id}")
    hold_counted(unit, account_id)
    store.write_one(unit)


def keys_of(account_id: str) -> tuple[Key, Key]:
    """The two records that tell, to be read together and consistently."""
    return (account_id, BALANCE), open_list_key(account_id)


def of_accounts(store: Store, account_ids: Collection[str]) -> dict[str, Open]:
    """What each account owes, by one call for up to fifty accounts. Where some changed since somebody looked: by one
    more for each, and two for all of them; one that owes very many invoices takes one each time."""
    keys = [key for account_id in account_ids for key in keys_of(account_id)]
    return of_found(store, account_ids, store.get_many(keys, consistent=True))


def rows_of(store: Store, account_id: str) -> list[InvoiceRow]:
    """Everything the account owes: as it is kept, or from the index."""
    kept = kept_of(store, account_id)
    return open_rows(store, account_id) if kept is None else kept


def kept_of(store: Store, account_id: str) -> list[InvoiceRow] | None:
    """Everything the account owes where that is kept: no call where the two records were read ahead. None where it is
    not; nothing is kept then, so that the page pays for no more than the index."""
    balance_key, key = keys_of(account_id)
    found = store.get_many([balance_key, key], consistent=True)
    kept = kept_rows(found.get(balance_key), found.get(key))
    return list(kept.rows) if kept else None


def of_found(store: Store, account_ids: Collection[str], found: Mapping[Key, Item]) -> dict[str, Open]:
    """The same where the records of `keys_of` were read already."""
    told, stale = dict[str, Open](), list[str]()
    for account_id in account_ids:
        balance_key, key = keys_of(account_id)
        if kept := kept_rows(found.get(balance_key), found.get(key)):
            told[account_id] = kept
        else:
            stale.append(account_id)
    return told | _read(store, stale, found)


def kept_rows(balance: Item | None, kept: Item | None) -> Open | None:
    """What the record says where it is how things are; None otherwise."""
    if balance is None:
        return Open(())
    if kept is None or kept.get("entries") != entries_counted(balance) or kept["held"] != _holds(kept):
        return None
    return Open(tuple(map(row_from, json.loads(zlib.decompress(bytes(kept["rows"]))))))


def _read(store: Store, account_ids: Sequence[str], found: Mapping[Key, Item]) -> dict[str, Open]:
    """From the index, which may be a moment behind; of what it names the invoices themselves say how they are."""
    pages = {a: store.query(open_agenda(a), agenda=True, limit=FEW) for a in account_ids}
    whole = {a: [header_key(a, i["invoice_id"]) for i in page.items] for a, page in pages.items() if not page.cursor}
    headers = store.get_many([key for named in whole.values() for key in named], consistent=True)
    told, units = dict[str, Open](), list[Unit]()
    for account_id, page in pages.items():
        if account_id not in whole:
            told[account_id] = Open(tuple(rows_from(page.items)), is_all=False)
            continue
        balance, kept = (found.get(key) for key in keys_of(account_id))
        rows = rows_from(headers[named] for named in whole[account_id] if named in headers)
        rows = [row for row in rows if row.open_minor > 0]
        told[account_id] = Open(tuple(rows))
        if summed(rows) == owed(balance):
            units.append(_kept(account_id, rows, entries_counted(balance), _holds(kept)))
    store.write(units)
    return told


def _kept(account_id: str, rows: Sequence[InvoiceRow], entries: int, holds: int) -> Unit:
    """Only while nothing was posted or held since the two numbers were read: then the rows are as of them."""
    balance_key, key = keys_of(account_id)
    packed = zlib.compress(json.dumps([row_item(row) for row in rows], separators=(",", ":")).encode())
    made: Item = {"kind": OPEN_LIST, "entries": entries, "held": holds, "rows": packed}
    unit = Unit(account_id).require(balance_key, when={ENTRIES: entries or None})
    return unit.update(key, set=made, when={HOLDS: holds or None})


def _holds(kept: Item | None) -> int:
    return int((kept or {}).get(HOLDS, 0))
