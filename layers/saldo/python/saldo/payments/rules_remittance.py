"""A remittance list, row by row: which open invoice each row pays, and everything that is wrong with it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from saldo.kernel.errors import Refusal
from saldo.payments.model import Allocation, Payable

MOST_ROWS = 1000
COLUMNS = ("number", "amount", "currency")
# What the columns are called in the languages of the pages; anything else in the first row makes it a row like others.
_CALLED: Mapping[str, str] = {
    "number": "number", "invoice": "number", "rechnung": "number", "rechnungsnummer": "number", "facture": "number",
    "factura": "number", "amount": "amount", "betrag": "amount", "montant": "amount", "importe": "amount",
    "currency": "currency", "währung": "currency", "devise": "currency", "moneda": "currency",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RemittanceRow:
    """One row as it was given (`line` counts from 1). `code`: what is wrong with it, "" for nothing."""

    line: int
    number: str
    amount: str
    currency: str
    code: str = ""
    allocation: Allocation | None = None


def rows_of(text: str, payables: Iterable[Payable], minor_of: Callable[[str, str], int]) -> list[RemittanceRow]:
    """Every row of a CSV (comma, semicolon or tab) with columns number, amount, currency, in that order or named.

    payables: the account's open invoices. minor_of: minor units of (amount, currency) as its writer means them; raises
    Refusal. Codes: columns_missing, unknown_invoice, chosen_twice, invalid_amount, not_above_zero, currency_mismatch
    (not the invoice's), currency_mix (not that of the first row), over_open_balance. Refusal `nothing_chosen`,
    `too_many_invoices`.
    """
    cells = _cells(text)
    if not cells:
        raise Refusal("nothing_chosen", "there is no row")
    if len(cells) > MOST_ROWS:
        raise Refusal("too_many_invoices", f"a list has at most {MOST_ROWS} rows")
    by_number = {p.number.casefold(): p for p in payables}
    found: list[RemittanceRow] = []
    for line, row in cells:
        found.append(_read(line, row, by_number, found, minor_of))
    return found


def _cells(text: str) -> list[tuple[int, Sequence[str]]]:
    """Rows that are not empty, with their line, in the order of COLUMNS."""
    lines = text.lstrip("\ufeff").splitlines()
    first = next((line for line in lines if line.strip()), "")
    mark = max(";\t,", key=first.count)
    read = csv.reader(io.StringIO("\n".join(lines)), delimiter=mark)
    rows = [(n, r) for n, row in enumerate(read, 1) if any(r := [cell.strip() for cell in row])]
    names = [_CALLED.get(cell.casefold(), "") for cell in rows[0][1]] if rows else []
    if "number" not in names:
        return list(rows)
    at = {name: names.index(name) for name in COLUMNS if name in names}
    return [(n, [r[at[c]] if c in at and at[c] < len(r) else "" for c in COLUMNS]) for n, r in rows[1:]]


def _read(
    line: int,
    row: Sequence[str],
    by_number: Mapping[str, Payable],
    before: Sequence[RemittanceRow],
    minor_of: Callable[[str, str], int],
) -> RemittanceRow:
    number, amount, currency = (*row, "", "", "")[:3]
    currency = currency.upper()
    payable = by_number.get(number.casefold())
    code, minor = "", 0
    if not (number and amount and currency):
        code = "columns_missing"
    elif payable is None:
        code = "unknown_invoice"
    elif any(r.number.casefold() == number.casefold() for r in before):
        code = "chosen_twice"
    elif currency != payable.currency:
        code = "currency_mismatch"
    elif before and currency != before[0].currency:
        code = "currency_mix"
    else:
        try:
            minor = minor_of(amount, currency)
        except Refusal:
            code = "invalid_amount"
    if code or payable is None:
        return RemittanceRow(line, number, amount, currency, code)
    if minor <= 0:
        return RemittanceRow(line, number, amount, currency, "not_above_zero")
    if minor > payable.open_minor:
        return RemittanceRow(line, number, amount, currency, "over_open_balance")
    return RemittanceRow(line, number, amount, currency, "", Allocation(payable.invoice_id, minor))
