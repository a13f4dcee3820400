"""A statement: what the account owed at the start, every change, what it owed at the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from functions.portal.presenters.charts import AgingChart, aging_chart
from functions.portal.presenters.spreadsheets import Amount, Cell, Spreadsheet
from functions.portal.words import Words
from saldo.ledger.model import EntryKind
from saldo.ledger.model_statement import Line, Statement, StatementLine
from saldo.payments.rules import receipt_number
from saldo.storage.classified import EXPORTS

_INVOICES = frozenset({EntryKind.INVOICE_ISSUED, EntryKind.INVOICE_IMPORTED})
_PAYMENTS = frozenset({EntryKind.PAYMENT_SETTLED, EntryKind.PAYMENT_IMPORTED, EntryKind.PAYMENT_RECEIVED})
_OF_PAYMENTS: Mapping[str, str] = {
    EntryKind.PAYMENT_TAKEN_BACK: "statement.taken_back",
    EntryKind.EARLY_DISCOUNT_TAKEN: "statement.early_discount",
    EntryKind.DIFFERENCE_WRITTEN_OFF: "statement.difference_written_off",
}
Numbers = Mapping[str, str]


def without_number(statements: Sequence[Statement]) -> list[str]:
    """Ids of the invoices on these statements whose number is not beside their entry."""
    lines = (shown.line for one in statements for shown in one.lines)
    return [line.source_id for line in lines if line.kind in _INVOICES and not line.number]


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
    """`opening`: what the first line of the page begins with; `begins`: the text beside it, `begins_on` its day."""

    currency: str
    begins: str
    begins_on: str
    opening: str
    lines: tuple[LineView, ...]
    charges: str
    paid: str
    closing: str
    closing_on: str
    aging: AgingChart | None


def statement_view(
    statement: Statement, from_on: date, to_on: date, page: int, numbers: Numbers, home: str, words: Words
) -> StatementView:
    """numbers: of invoices that their lines do not name. Amounts without sign of currency: the heading names it."""
    money = statement.currency
    return StatementView(
        currency=money,
        begins=words("statement.opening" if page == 1 else "statement.carried"),
        begins_on=words.day(from_on) if page == 1 else "",
        opening=words.amount(statement.carried, money),
        lines=tuple(_line_view(line, money, numbers, home, words) for line in statement.lines),
        charges=words.amount(statement.charged, money),
        paid=words.amount(-statement.paid, money),
        closing=words.amount(statement.closing, money),
        closing_on=words.day(to_on),
        aging=aging_chart(money, statement.aged, words) if statement.aged else None,
    )


def _line_view(shown: StatementLine, currency: str, numbers: Numbers, home: str, words: Words) -> LineView:
    line = shown.line
    charge = words.amount(line.minor, currency) if line.minor > 0 else ""
    paid = words.amount(-line.minor, currency) if line.minor < 0 else ""
    text, href = described(line, numbers, home, words)
    on = words.day(date.fromisoformat(line.on))
    return LineView(on, text, href, charge, paid, words.amount(shown.balance, currency))


def described(line: Line, numbers: Numbers, home: str, words: Words) -> tuple[str, str]:
    """What the line is, and the page that tells more ("" for none)."""
    if line.kind in _INVOICES or (line.kind == EntryKind.CREDIT_NOTE_ISSUED and line.number):
        number = line.number or numbers.get(line.source_id, "")
        said = "statement.invoice" if line.kind in _INVOICES else "statement.credit_note"
        return words(said, number=number).strip(), f"{home}/invoices/{line.source_id}" if number else ""
    if line.kind in _PAYMENTS:
        number = receipt_number(line.source_id, date.fromisoformat(line.on))
        came = f" ({_came(line.number, words)})" if line.number else ""
        return words("statement.payment", number=number) + came, f"{home}/payments/{line.source_id}"
    if line.kind in _OF_PAYMENTS:
        payment_id, _, _ = line.source_id.partition("/")
        return words(_OF_PAYMENTS[EntryKind(line.kind)]), f"{home}/payments/{payment_id}"
    if line.kind == EntryKind.CREDIT_APPLIED:
        return words("statement.credit_applied"), ""
    return words("statement.other"), ""


def _came(said: str, words: Words) -> str:
    """What came in another currency, as it is kept beside its entry: `11000 USD`."""
    minor, _, currency = said.partition(" ")
    return words.money(int(minor), currency)


def statement_file(found: Sequence[Statement], numbers: Numbers, from_on: date, words: Words) -> Spreadsheet:
    """All currencies below one another, with opening balances."""
    heads = [words(f"column.{name}") for name in EXPORTS["statement"]]
    return Spreadsheet(words("statement.title"), heads, _file_rows(found, numbers, from_on, words))


def _file_rows(found: Sequence[Statement], numbers: Numbers, from_on: date, words: Words) -> Iterator[tuple[Cell, ...]]:
    for s in found:
        yield from_on, words("statement.opening"), s.currency, "", "", Amount(s.opening, s.currency)
        for line, balance in s.lines:
            text, _ = described(line, numbers, "", words)
            charge = Amount(line.minor, s.currency) if line.minor > 0 else ""
            paid = Amount(-line.minor, s.currency) if line.minor < 0 else ""
            on = date.fromisoformat(line.on)
            yield on, text, s.currency, charge, paid, Amount(balance, s.currency)
