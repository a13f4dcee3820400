"""Reading the journal of a customer account, now or as of a past date."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from saldo.ledger import records, rules
from saldo.ledger.model import AgingBucket, Entry, LedgerAccount, OpenItem
from saldo.storage.store import Store


def entries(store: Store, account_id: str, *, as_of: date | None = None) -> Iterator[Entry]:
    """Entries of one account in booking order, up to and including `as_of`."""
    last = f"{records.PREFIX}{as_of.isoformat()}#~" if as_of else f"{records.PREFIX}~"
    for item in store.query_all(account_id, first=records.PREFIX, last=last, consistent=True):
        yield records.entry_from(item)


def open_items(store: Store, account_id: str, *, as_of: date | None = None) -> list[OpenItem]:
    """What the account owed on that date, invoice by invoice, folded from the journal."""
    return rules.open_items(entries(store, account_id, as_of=as_of))


def aging(store: Store, account_id: str, as_of: date) -> dict[str, list[AgingBucket]]:
    """The account's aging per currency as of any date, folded from the journal."""
    return rules.aging(open_items(store, account_id, as_of=as_of), as_of)


def stored_balances(store: Store, account_id: str) -> dict[tuple[str, LedgerAccount], int]:
    """Running totals kept beside the journal; always equal to its fold (checked by the invariants)."""
    return records.balances_from(store.get(account_id, records.BALANCE))
