"""What is open in all accounts of a reader, one table a currency, with what is left out said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from functions.portal.presenters.invoices import RowView, row_view
from functions.portal.words import Words
from saldo.access.model import Seat
from saldo.invoicing.listing import InvoiceRow
from saldo.invoicing.open_list import Open
from saldo.kernel.periods import local_date

# Accounts that are looked at, and invoices of each, those that fall due first.
MOST_ACCOUNTS, MOST_OF_ONE = 25, 100
Found = tuple[Seat, Open]


@dataclass(frozen=True, slots=True)
class AcrossRow:
    account_id: str
    account: str
    row: RowView


@dataclass(frozen=True, slots=True)
class OfCurrency:
    """`total`: what the rows come to; all that is owed where nothing is left out."""

    currency: str
    summary: str
    total: str
    rows: tuple[AcrossRow, ...]


@dataclass(frozen=True, slots=True)
class Across:
    """`left_out`: what is not on the page, sentence by sentence."""

    tables: tuple[OfCurrency, ...]
    tabs: tuple[tuple[str, str, bool], ...]
    left_out: tuple[str, ...]


def across(found: Sequence[Found], unread: int, late_only: bool, now: datetime, words: Words) -> Across:
    """found: each account that was looked at, what of it is open. unread: accounts beyond."""
    rows = [
        (seat, row)
        for seat, owed in found
        for row in owed.rows[:MOST_OF_ONE]
        if row.is_overdue(local_date(now, seat.time_zone)) or not late_only
    ]
    rows.sort(key=lambda both: (both[1].due_on, both[1].invoice_id))
    currencies = sorted({row.currency for _, row in rows})
    tabs = (
        (words("across.open"), "/invoices", not late_only),
        (words("filter.overdue"), "/invoices?status=overdue", late_only),
    )
    return Across(
        tuple(_of(currency, [r for r in rows if r[1].currency == currency], now, words) for currency in currencies),
        tabs,
        _left_out(found, unread, words),
    )


def _of(currency: str, rows: Sequence[tuple[Seat, InvoiceRow]], now: datetime, words: Words) -> OfCurrency:
    shown = (
        AcrossRow(seat.account_id, seat.name, row_view(row, local_date(now, seat.time_zone), words, bare=True))
        for seat, row in rows
    )
    total = words.amount(sum(row.open_minor for _, row in rows), currency)
    return OfCurrency(currency, words.count("invoices.found", len(rows)), total, tuple(shown))


def _left_out(found: Sequence[Found], unread: int, words: Words) -> tuple[str, ...]:
    more = [seat.name for seat, owed in found if not owed.is_all or len(owed.rows) > MOST_OF_ONE]
    told = [words("across.more_of", n=words.number(MOST_OF_ONE), accounts=", ".join(more))] if more else []
    return (*told, *([words.count("across.unread", unread)] if unread > 0 else []))
