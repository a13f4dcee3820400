"""Tables as files: rows of typed cells become CSV or an Excel workbook, and no cell ever becomes a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from functions.portal.formats import amount as plain_amount
from saldo.kernel.clock import instant_text
from saldo.kernel.money import minor_digits

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

_ACTIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
# What Excel takes in a cell, in the name of a sheet, and in a sheet.
_MOST_TEXT, _MOST_TITLE, MOST_ROWS = 32_767, 31, 1_048_575
_NOT_IN_TITLES = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
_WIDTH = 18
# The short date of whoever opens the file (Excel's built-in format 14), and instants in UTC, as CSV has them.
_DAY, _INSTANT = 14, 'yyyy-mm-dd hh:mm:ss "UTC"'


@dataclass(frozen=True, slots=True)
class Amount:
    """Money in a cell, in minor units: a number in its currency's format."""

    minor: int
    currency: str


Cell = str | int | date | datetime | Amount


@dataclass(frozen=True, slots=True)
class Spreadsheet:
    """A table that leaves as a file. `rows` are taken once, one at a time; "" is an empty cell."""

    title: str
    heads: Sequence[str]
    rows: Iterable[Sequence[Cell]]


def as_csv(table: Spreadsheet) -> bytes:
    """Dates by ISO 8601, instants in UTC, amounts with a point; what any program reads."""
    return csv_text(_lines(table)).encode()


def _lines(table: Spreadsheet) -> Iterator[list[str]]:
    yield [*table.heads]
    for row in table.rows:
        yield [_text(cell) for cell in row]


def _text(cell: Cell) -> str:
    if isinstance(cell, Amount):
        return plain_amount("plain", cell.minor, cell.currency)
    if isinstance(cell, datetime):
        return instant_text(cell)
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def csv_text(rows: Iterable[Sequence[str]]) -> str:
    """RFC 4180 with a byte order mark, so that Excel reads UTF-8. Amounts are plain numbers with a point."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for row in rows:
        writer.writerow([harmless(cell) for cell in row])
    return "\ufeff" + out.getvalue()


def harmless(cell: str) -> str:
    """The cell, with an apostrophe before anything that a spreadsheet would take for a formula; numbers stay."""
    return f"'{cell}" if cell.startswith(_ACTIVE) and not _NUMBER.fullmatch(cell) else cell


def as_xlsx(table: Spreadsheet) -> bytes:
    """A workbook of one sheet: the heading stays in sight and filters, amounts are numbers, dates are dates.

    A row goes to a temporary file as it is written, so that memory does not grow with their number.
    """
    from xlsxwriter.workbook import Workbook  # only who takes a file pays for it

    out = io.BytesIO()
    book = Workbook(out, {"constant_memory": True, "default_date_format": "yyyy-mm-dd"})
    book.set_properties({"title": table.title, "created": datetime(2000, 1, 1, tzinfo=UTC)})  # alike when repeated
    sheet = book.add_worksheet(table.title.translate(_NOT_IN_TITLES)[:_MOST_TITLE])
    sheet.set_column(0, max(len(table.heads) - 1, 0), _WIDTH)
    sheet.freeze_panes(1, 0)
    last = _fill(book, sheet, table)
    sheet.autofilter(0, 0, last, max(len(table.heads) - 1, 0))
    book.close()
    return out.getvalue()


def _fill(book: Workbook, sheet: Worksheet, table: Spreadsheet) -> int:
    """Write heading and rows; the index of the last one."""
    bold, formats, last = book.add_format({"bold": True}), _Formats(book), 0
    for at, head in enumerate(table.heads):
        sheet.write_string(0, at, head[:_MOST_TEXT], bold)
    for last, row in enumerate(table.rows, start=1):
        for at, cell in enumerate(row):
            if cell != "":
                _WRITE[type(cell)](sheet, last, at, cell, formats)
    return last


class _Formats:
    """Formats of one workbook, each made when first used."""

    def __init__(self, book: Workbook) -> None:
        self._book, self._made = book, dict[str | int, "Format"]()

    def of(self, form: str | int) -> Format:
        if form not in self._made:
            self._made[form] = self._book.add_format({"num_format": form})
        return self._made[form]

    def money(self, currency: str) -> Format:
        """Grouped, with the currency's own digits and its code: 1,234.50 EUR, as the reader's Excel groups."""
        digits = minor_digits(currency)
        return self.of(f"#,##0{'.' + '0' * digits if digits else ''} [${currency}]")


def _write_text(sheet: Worksheet, row: int, at: int, cell: str, _formats: _Formats) -> None:
    sheet.write_string(row, at, cell[:_MOST_TEXT])


def _write_number(sheet: Worksheet, row: int, at: int, cell: int, _formats: _Formats) -> None:
    sheet.write_number(row, at, cell)


def _write_amount(sheet: Worksheet, row: int, at: int, cell: Amount, formats: _Formats) -> None:
    value = Decimal(cell.minor).scaleb(-minor_digits(cell.currency))
    sheet.write_number(row, at, value, formats.money(cell.currency))


def _write_day(sheet: Worksheet, row: int, at: int, cell: date, formats: _Formats) -> None:
    sheet.write_datetime(row, at, cell, formats.of(_DAY))


def _write_instant(sheet: Worksheet, row: int, at: int, cell: datetime, formats: _Formats) -> None:
    sheet.write_datetime(row, at, cell.astimezone(UTC).replace(tzinfo=None), formats.of(_INSTANT))


_WRITE: Mapping[type, Callable[..., None]] = {
    str: _write_text,
    int: _write_number,
    Amount: _write_amount,
    date: _write_day,
    datetime: _write_instant,
}
