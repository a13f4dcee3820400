"""A statement: what the account owed at the start, every change, what it owed at the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from functions.portal.formats import amount as plain_amount
from functions.portal.presenters.charts import AgingChart, aging_chart
from functions.portal.words import Words
from saldo.invoicing.listing import InvoiceRow
from saldo.ledger.model import AgingBucket, Entry, EntryKind, LedgerAccount
from saldo.ledger.rules import aging, open_items
from saldo.payments.rules import receipt_number

# What a customer owes less what lies unapplied: moving money between the two changes nothing for them.
_CUSTOMERS = frozenset({LedgerAccount.RECEIVABLES, LedgerAccount.UNAPPLIED_CASH})


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One change of what is owed: above zero a charge, below a payment. `balance` after it. Minor units."""

    on: date
    kind: EntryKind
    source_id: str
    minor: int
    balance: int


@dataclass(frozen=True, slots=True)
class Statement:
    """One currency between two dates, both included. `aged`: what was open at the end, by how late it was then."""

    currency: str
    opening: int
    lines: tuple[StatementLine, ...]
    closing: int
    aged: tuple[AgingBucket, ...] = ()


def statements(entries: Iterable[Entry], from_on: date, to_on: date) -> list[Statement]:
    """One statement per currency that has a balance or a change. entries: the whole journal up to `to_on`, in order."""
    opening: dict[str, int] = {}
    lines: dict[str, list[StatementLine]] = {}
    running: dict[str, int] = {}
    booked = [entry for entry in entries if entry.booked_on <= to_on]
    for entry in booked:
        minor = sum(p.minor for p in entry.postings if p.account in _CUSTOMERS)
        if minor == 0:
            continue
        running[entry.currency] = running.get(entry.currency, 0) + minor
        if entry.booked_on < from_on:
            opening[entry.currency] = running[entry.currency]
            continue
        line = StatementLine(entry.booked_on, entry.kind, entry.source_id, minor, running[entry.currency])
        lines.setdefault(entry.currency, []).append(line)
    aged = aging(open_items(booked), to_on)
    found = [
        Statement(c, opening.get(c, 0), tuple(lines.get(c, ())), running[c], tuple(aged.get(c, ())))
        for c in sorted(running)
    ]
    return [s for s in found if s.opening or s.lines or s.closing]


@dataclass(frozen=True, slots=True)
class LineView:
    on: str
    text: str
    href: str
    charge: str
    paid: str
    balance: str


@dataclass(frozen=True, slots=True)
class StatementView:
    currency: str
    opening: str
    opening_on: str
    lines: tuple[LineView, ...]
    charges: str
    paid: str
    closing: str
    closing_on: str
    aging: AgingChart | None


def statement_view(
    statement: Statement, from_on: date, to_on: date, rows: Mapping[str, InvoiceRow], home: str, words: Words
) -> StatementView:
    """rows: the invoices issued in the range, by id. Amounts without sign of currency: the heading names it."""
    money = statement.currency
    charges = sum(line.minor for line in statement.lines if line.minor > 0)
    paid = -sum(line.minor for line in statement.lines if line.minor < 0)
    return StatementView(
        currency=money,
        opening=words.amount(statement.opening, money),
        opening_on=words.day(from_on),
        lines=tuple(_line_view(line, money, rows, home, words) for line in statement.lines),
        charges=words.amount(charges, money),
        paid=words.amount(paid, money),
        closing=words.amount(statement.closing, money),
        closing_on=words.day(to_on),
        aging=aging_chart(statement.currency, statement.aged, words) if statement.aged else None,
    )


def _line_view(line: StatementLine, currency: str, rows: Mapping[str, InvoiceRow], home: str, words: Words) -> LineView:
    charge = words.amount(line.minor, currency) if line.minor > 0 else ""
    paid = words.amount(-line.minor, currency) if line.minor < 0 else ""
    text, href = described(line, rows, home, words)
    return LineView(words.day(line.on), text, href, charge, paid, words.amount(line.balance, currency))


def described(line: StatementLine, rows: Mapping[str, InvoiceRow], home: str, words: Words) -> tuple[str, str]:
    """What the line is, and the page that tells more ("" for none)."""
    if line.kind in (EntryKind.INVOICE_ISSUED, EntryKind.INVOICE_IMPORTED):
        row = rows.get(line.source_id)
        number = row.number if row else ""
        return words("statement.invoice", number=number).strip(), f"{home}/invoices/{line.source_id}" if row else ""
    if line.kind in (EntryKind.PAYMENT_SETTLED, EntryKind.PAYMENT_IMPORTED):
        payment_id = line.source_id
        number = receipt_number(payment_id, line.on)
        return words("statement.payment", number=number), f"{home}/payments/{payment_id}"
    return words("statement.other"), ""


def export_rows(found: list[Statement], rows: Mapping[str, InvoiceRow], from_on: date, words: Words) -> list[list[str]]:
    """All currencies below one another, with opening balances, for spreadsheets."""
    names = ("date", "entry", "currency", "charge", "paid", "balance")
    lines = [[words(f"column.{name}") for name in names]]
    for s in found:
        lines.append(
            [from_on.isoformat(), words("statement.opening"), s.currency, "", "", _plain(s.opening, s.currency)]
        )
        for line in s.lines:
            text, _ = described(line, rows, "", words)
            charge = _plain(line.minor, s.currency) if line.minor > 0 else ""
            paid = _plain(-line.minor, s.currency) if line.minor < 0 else ""
            lines.append([line.on.isoformat(), text, s.currency, charge, paid, _plain(line.balance, s.currency)])
    return lines


def _plain(minor: int, currency: str) -> str:
    return plain_amount("plain", minor, currency)
