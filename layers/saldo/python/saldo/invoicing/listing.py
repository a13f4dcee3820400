"""Lists of invoices: which rows, in which order. Rows in, rows out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from saldo.invoicing.status import InvoiceStatus

COLUMNS = ("number", "issued_on", "due_on", "status", "total_minor", "open_minor")
STATUSES = ("open", "overdue", "part_paid", "paid")
PAGE = 50
WINDOW = 1000


# What is open, in minor units by currency, in the order of their codes.
Owed = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """One line of a list. Amounts in minor units."""

    invoice_id: str
    number: str
    status: InvoiceStatus
    currency: str
    issued_on: date
    due_on: date
    total_minor: int
    open_minor: int
    disputed_minor: int = 0
    promise_id: str = ""

    @property
    def undisputed_minor(self) -> int:
        """What is open and not in dispute."""
        return self.open_minor - self.disputed_minor

    def is_overdue(self, today: date) -> bool:
        """What is in dispute, or promised for another day, is not late: nobody is asked for it."""
        return self.undisputed_minor > 0 and not self.promise_id and self.due_on < today

    def days_late(self, today: date) -> int:
        """Days past the due date; 0 or less when not yet late."""
        return (today - self.due_on).days


@dataclass(frozen=True, slots=True)
class ListWish:
    """What a reader asks of the list. `text` is part of a number; dates bound the issue date, both included."""

    status: str = ""
    from_on: date | None = None
    to_on: date | None = None
    text: str = ""
    sort: str = "issued_on"
    descending: bool = True
    page: int = 1
    cursor: str = ""

    @property
    def is_plain(self) -> bool:
        """The list as it lies in the table: newest first, nothing left out."""
        return not self.narrows and self.sort == "issued_on" and self.descending

    @property
    def narrows(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.status or self.text or self.from_on or self.to_on)

    @property
    def is_open_only(self) -> bool:
        return self.status in ("open", "overdue")


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a list. `found` counts the rows that fit and `owed` says what of them is open, where that is known;
    `complete` is False when more invoices exist than one read can filter and sort: narrow the dates."""

    rows: tuple[InvoiceRow, ...]
    found: int | None
    pages: int
    complete: bool
    cursor: str | None
    owed: Owed = ()


def fitting(rows: Iterable[InvoiceRow], wish: ListWish, today: date) -> list[InvoiceRow]:
    """The rows that fit the wish, in its order; ties go by invoice id."""
    chosen = [row for row in rows if _fits(row, wish, today)]
    chosen.sort(key=lambda row: row.invoice_id)
    chosen.sort(key=lambda row: getattr(row, wish.sort), reverse=wish.descending)
    return chosen


def _fits(row: InvoiceRow, wish: ListWish, today: date) -> bool:
    if wish.from_on is not None and row.issued_on < wish.from_on:
        return False
    if wish.to_on is not None and row.issued_on > wish.to_on:
        return False
    if wish.text and wish.text.casefold() not in row.number.casefold():
        return False
    return {
        "": True,
        "open": row.open_minor > 0,
        "overdue": row.is_overdue(today),
        "part_paid": row.status is InvoiceStatus.PART_PAID,
        "paid": row.status is InvoiceStatus.PAID,
    }[wish.status]


def owed_of(rows: Iterable[InvoiceRow]) -> Owed:
    """What is open of the rows, per currency; credit notes owe nothing."""
    found = dict[str, int]()
    for row in rows:
        found[row.currency] = found.get(row.currency, 0) + max(row.open_minor, 0)
    return tuple(sorted(found.items()))


def paged(rows: Sequence[InvoiceRow], page: int) -> tuple[tuple[InvoiceRow, ...], int]:
    """The rows of one page (the last one for pages beyond it), and how many pages there are (at least one)."""
    pages = max(1, -(-len(rows) // PAGE))
    at = min(max(page, 1), pages)
    return tuple(rows[(at - 1) * PAGE : at * PAGE]), pages
