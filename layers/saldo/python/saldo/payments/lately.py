"""An account's latest payments, and what is being paid, in one record that the stream's function folds.

`<account>` / `payments`: `written` counts the writes of payments of the account, in the units that write them. `latest`
and `being_paid` are as of `folded` writes: as long as the two numbers are the same, this is how things are. Whoever
reads it compares them, and otherwise reads the payments. The first who looks at an account without one makes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from saldo.kernel.clock import instant_from
from saldo.kernel.errors import Unavailable
from saldo.kernel.money import Money
from saldo.payments.model import PaymentStatus
from saldo.payments.reading import invoices_being_paid, invoices_of_coming
from saldo.payments.records import PAYMENTS, PREFIX, payments_key
from saldo.storage.items import Item
from saldo.storage.store import Store
from saldo.storage.units import WRITTEN, Unit

LATEST = 5
# So many payments are looked through, so many invoices kept; of more the record does not tell what is being paid.
_MOST_PAYMENTS, _MOST_INVOICES = 100, 200
_MOST_ATTEMPTS = 5
_ROW = ("kind", "payment_id", "status", "amount_minor", "currency", "started_at", "settled_at")
_FIELDS = (*_ROW, "allocations", "parts", "parts_applied")


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """One line of a list of payments."""

    id: str
    status: PaymentStatus
    amount: Money
    started_at: datetime
    settled_at: datetime | None


class LatestPayments:
    """The records of one region's accounts. May be repeated at any point."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def fold(self, account_id: str) -> bool:
        """Read what there is and write it; whether it was. Nothing where a payment was written meanwhile: the next word
        of it comes then."""
        before = self._store.get(*payments_key(account_id))
        return not _is_fresh(before) and _folded(self._store, account_id, before) is not None

    def rebuild(self, account_id: str) -> None:
        """Fold it anew, whatever it says. Unavailable while the account pays all the time."""
        for _ in range(_MOST_ATTEMPTS):
            if _folded(self._store, account_id, self._store.get(*payments_key(account_id))) is not None:
                return
        raise Unavailable("payments of the account are being written all the time; try again")


def latest(store: Store, account_id: str) -> list[PaymentRow]:
    """The latest payments that are in sight, newest first, by one call; by two where one was written just now."""
    item = _record(store, account_id)
    if item is not None:
        return [row_from(row) for row in item["latest"] if store.is_in_sight(row)]
    read = store.query(account_id, prefix=PREFIX, limit=LATEST, newest_first=True, fields=_ROW)
    return [row_from(item) for item in read.items]


def _record(store: Store, account_id: str) -> Item | None:
    """The record where it is how things are. It is made only by who sees every payment."""
    item = store.get(*payments_key(account_id))
    if item is None:
        return _folded(store, account_id, None) if store.sees_all else None
    return item if _is_fresh(item) else None


def _folded(store: Store, account_id: str, before: Item | None) -> Item | None:
    """What there is, once it is written; None where a payment was written meanwhile. before: the record, as read."""
    # A page may end early: what is written down as the latest has to be.
    pages = store.query_all(
        account_id, prefix=PREFIX, limit=_MOST_PAYMENTS, newest_first=True, consistent=True, fields=_FIELDS
    )
    read = list(islice(pages, _MOST_PAYMENTS))
    written = before[WRITTEN] if before else 0
    being_paid = sorted(invoices_of_coming(read))
    is_known = len(read) < _MOST_PAYMENTS and len(being_paid) <= _MOST_INVOICES
    made: Item = {
        "kind": PAYMENTS,
        WRITTEN: written,
        "folded": written,
        "latest": [{name: item[name] for name in _ROW if name in item} for item in read[:LATEST]],
        "being_paid": being_paid if is_known else None,
    }
    unit = Unit(f"payments of {account_id}")
    unit.update(payments_key(account_id), set=made, when={WRITTEN: written if before else None})
    return None if store.write_one(unit) else made


def is_being_paid(store: Store, account_id: str, invoice_id: str) -> bool:
    """Whether payments are under way for the invoice, by one call; by more where the record does not tell."""
    item = _record(store, account_id)
    known: Sequence[str] | None = item["being_paid"] if item else None
    return invoice_id in (invoices_being_paid(store, account_id) if known is None else known)


def row_from(item: Item) -> PaymentRow:
    """From a payment or from the record's copy of it."""
    settled_at = instant_from(item["settled_at"]) if "settled_at" in item else None
    money = Money(item["amount_minor"], item["currency"])
    started_at = instant_from(item["started_at"])
    return PaymentRow(item["payment_id"], PaymentStatus(item["status"]), money, started_at, settled_at)


def _is_fresh(item: Item | None) -> bool:
    return item is not None and item.get("folded") == item[WRITTEN]


def problem_of(item: Item, payments: Sequence[Item]) -> str:
    """What a record says that the account's payments, in any order, do not; "" where it is right or not believed."""
    if not _is_fresh(item):
        return ""
    newest = sorted(payments, key=lambda one: str(one["payment_id"]), reverse=True)[:LATEST]
    if [row_from(row) for row in item["latest"]] != [row_from(one) for one in newest]:
        return "the latest payments are not those that are kept beside"
    if item["being_paid"] is not None and set(item["being_paid"]) != invoices_of_coming(payments):
        return "the invoices that are being paid are not those that are kept beside"
    return ""
