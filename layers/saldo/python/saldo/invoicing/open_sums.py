"""What is owed, in one record for an account with very many open invoices, folded when the stream tells of a change.

`<account>` / `open_sums`: number and sum of open invoices by currency and due date, the next of them to fall due, and
how many entries the journal had then. What is open changes only with an entry, in the same unit: as long as the journal
has just as many, this is how things are. Whoever reads it compares, and otherwise adds up the invoices themselves.
"""

from __future__ import annotations

import zlib
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from saldo.invoicing.listing import InvoiceRow
from saldo.invoicing.reading import open_items, open_rows, row_from, row_item, rows_from
from saldo.invoicing.records import open_agenda
from saldo.kernel.clock import Clock
from saldo.ledger.model import LedgerAccount, OpenItem
from saldo.ledger.model_statement import LONG
from saldo.ledger.records import BALANCE, balances_from, entries_counted
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import Unit

OPEN_SUMS = "open_sums"
NEXT = 5
# So many of the next are kept: some fall due before anything changes.
_KEPT = 20
# Up to so many open invoices are added up each time.
FEW = 300
_MOST_KNOWN = 10_000
# Accounts that had more when this process looked last: their sums are asked for first.
_known_many: OrderedDict[str, None] = OrderedDict()


@dataclass(frozen=True, slots=True)
class Standing:
    """What an account owes. `items`: open invoices, or several of one currency and due date as one. `next_due`: the
    next to fall due, earliest first. `promised`: promises that open invoices are under; None where sums do not tell."""

    items: tuple[OpenItem, ...]
    next_due: tuple[InvoiceRow, ...]
    promised: frozenset[str] | None = field(default=None, compare=False)


class OpenSums:
    """The records of one region's accounts with long journals. May be repeated at any point."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def fold(self, account_id: str, entries: int) -> bool:
        """Read what is open and write its sums; whether it was. Nothing where the list is behind the journal, or the
        account is being posted to: the next word of it comes then.

        entries: how many the journal had when this was told.
        """
        if entries < LONG:
            return False
        balance_key, key = (account_id, BALANCE), open_sums_key(account_id)
        found = self._store.get_many([balance_key, key], consistent=True)
        counted, before = entries_counted(found.get(balance_key)), found.get(key)
        rows = open_rows(self._store, account_id)
        balance = self._store.get(*balance_key)
        if entries_counted(balance) != counted or owed(balance) != summed(rows):
            return False
        made = _item(account_id, rows, counted, self._clock().date())
        unit = Unit(f"open sums of {account_id}")
        unit = unit.put(made, when={"entries": before["entries"]}) if before else unit.insert(made)
        return self._store.write_one(unit) is None


def standing(store: Store, account_id: str, today: date) -> Standing:
    """What the account owes now, by one call; by two or more where very much is open."""
    if account_id in _known_many:
        found = _stored(store, account_id, today)
        if found is not None:
            return found
        del _known_many[account_id]
    read = store.query(open_agenda(account_id), agenda=True, limit=FEW)
    if read.cursor is None:
        return standing_of(rows_from(read.items), today)
    _known_many[account_id] = None
    if len(_known_many) > _MOST_KNOWN:
        _known_many.popitem(last=False)
    return _stored(store, account_id, today) or standing_of(open_rows(store, account_id), today)


def standing_of(rows: list[InvoiceRow], today: date) -> Standing:
    """rows: all that is open, earliest due first."""
    next_due = tuple(row for row in rows if not row.is_overdue(today))[:NEXT]
    return Standing(tuple(open_items(rows)), next_due, frozenset(row.promise_id for row in rows if row.promise_id))


def _stored(store: Store, account_id: str, today: date) -> Standing | None:
    """From the sums, where they are of the journal as it is; None otherwise."""
    balance_key, key = (account_id, BALANCE), open_sums_key(account_id)
    found = store.get_many([balance_key, key], consistent=True)
    item = found.get(key)
    if item is None or item["entries"] != entries_counted(found.get(balance_key)):
        return None
    items = open_items_from(item)
    coming = [row for row in map(row_from, item["next"]) if row.due_on >= today]
    expected = sum(i.items for i in items if i.due_on >= today)
    if len(coming) < min(NEXT, expected):
        return None
    return Standing(items, tuple(coming[:NEXT]))


def open_sums_key(account_id: str) -> Key:
    return account_id, OPEN_SUMS


def open_items_from(item: Item) -> tuple[OpenItem, ...]:
    """By currency and due date."""
    found = []
    for row in zlib.decompress(bytes(item["sums"])).decode().splitlines():
        currency, due_on, items, minor = row.split(" ")
        found.append(OpenItem("", date.fromisoformat(due_on), currency, int(minor), int(items)))
    return tuple(found)


def summed_by_day(rows: Iterable[OpenItem]) -> tuple[OpenItem, ...]:
    """Those of one currency and due date as one."""
    counted, minor = Counter[tuple[str, date]](), Counter[tuple[str, date]]()
    for row in rows:
        counted[row.currency, row.due_on] += row.items
        minor[row.currency, row.due_on] += row.open_minor
    return tuple(OpenItem("", on, code, minor[code, on], counted[code, on]) for code, on in sorted(counted))


def _item(account_id: str, rows: Sequence[InvoiceRow], entries: int, today: date) -> Item:
    pk, sk = open_sums_key(account_id)
    sums = summed_by_day(open_items(list(rows)))
    text = "\n".join(f"{i.currency} {i.due_on} {i.items} {i.open_minor}" for i in sums)
    coming = [row for row in rows if not row.is_overdue(today)][:_KEPT]
    return {
        "pk": pk,
        "sk": sk,
        "kind": OPEN_SUMS,
        "entries": entries,
        "sums": zlib.compress(text.encode()),
        "next": [row_item(row) for row in coming],
    }


def owed(balance: Item | None) -> dict[str, int]:
    """What the balance says is owed, by currency."""
    return {code: m for (code, account), m in balances_from(balance).items() if account is LedgerAccount.RECEIVABLES}


def summed(rows: Iterable[InvoiceRow]) -> dict[str, int]:
    """What the rows come to, by currency."""
    found = Counter[str]()
    for row in rows:
        found[row.currency] += row.open_minor
    return dict(found)
