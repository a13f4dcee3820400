"""From a line of another system's invoice list to an invoice to import, or everything that is wrong with it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from saldo.kernel.errors import Problem, Problems, Refusal
from saldo.kernel.money import Money
from saldo.usage.ingest_files import MOST_LINE_BYTES, lines

REQUIRED = ("customer", "number", "issued_on", "due_on", "amount")
OPTIONAL = ("customer_name", "country", "currency", "settled_on", "settled_amount", "disputed")
MOST_ROWS = 50_000

_NUMBER = re.compile(r"[\x21-\x7e]{1,60}")
_CUSTOMER = re.compile(r"[^\x00-\x1f\ufffd]{1,100}")
_YES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class Preset:
    """How another system names and writes things. columns: its column → ours; others of its columns are left alone.

    `date_format` as of strptime; "" is ISO 8601. Without `open_header` a column nobody knows is refused.
    """

    columns: Mapping[str, str]
    date_format: str = ""
    open_header: bool = False


PRESETS: Mapping[str, Preset] = {
    "saldo": Preset({name: name for name in (*REQUIRED, *OPTIONAL)}),
    "late-payments": Preset(
        {
            "customerID": "customer",
            "invoiceNumber": "number",
            "InvoiceDate": "issued_on",
            "DueDate": "due_on",
            "InvoiceAmount": "amount",
            "SettledDate": "settled_on",
            "Disputed": "disputed",
        },
        date_format="%m/%d/%Y",
        open_header=True,
    ),
}


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """One line as it came. `fields` by our column names; `broken` says why there are none."""

    number: int
    text: str
    fields: Mapping[str, str] = field(default_factory=dict)
    broken: Problem | None = None


@dataclass(frozen=True, slots=True)
class RejectedInvoice:
    """A line that cannot be imported, with every problem found in it."""

    row: int
    text: str
    problems: tuple[Problem, ...]

    def as_dict(self) -> dict[str, object]:
        return {"row": self.row, "problems": [p.as_dict() for p in self.problems], "text": self.text[:1000]}


@dataclass(frozen=True, slots=True)
class ImportedInvoice:
    """An invoice that another system issued. amount and settled: above zero; settled is None while open.

    `customer` is that system's own reference of the customer, or an account id of ours.
    """

    row: int
    text: str
    customer: str
    customer_name: str
    country: str
    number: str
    issued_on: date
    due_on: date
    amount: Money
    settled: Money | None
    settled_on: date | None
    disputed: bool


def preset_named(name: str) -> Preset:
    """The mapping of this name; Refusal `unknown_preset` otherwise."""
    try:
        return PRESETS[name]
    except KeyError as error:
        raise Refusal("unknown_preset", f"no preset {name!r}; there are {', '.join(PRESETS)}") from error


def read_rows(chunks: Iterable[bytes], preset: Preset) -> Iterator[InvoiceRow]:
    """Rows of a CSV file. Refusal `empty_file`, `invalid_header` or `too_many_rows`."""
    texts = (line.decode("utf-8", "replace") for line in lines(chunks))
    header = _header(next(texts, "").removeprefix("\ufeff"), preset)
    for number, text in enumerate(texts, 2):
        if number > MOST_ROWS + 1:
            raise Refusal("too_many_rows", f"an import has at most {MOST_ROWS} rows; split the file")
        if text.strip():
            yield _row(number, text, header)


def _header(text: str, preset: Preset) -> list[str]:
    if not text.strip():
        raise Refusal("empty_file", "the file has no header line")
    names = [name.strip() for name in next(csv.reader([text]), [])]
    ours = [preset.columns.get(name, "") for name in names]
    theirs = {our: their for their, our in preset.columns.items()}
    problems = [Problem(theirs[c], "missing_column", f"no column {theirs[c]}") for c in REQUIRED if c not in ours]
    if not preset.open_header:
        unknown = [name for name, our in zip(names, ours, strict=True) if not our]
        problems += [Problem(n, "unknown_column", f"no such column: {n}") for n in unknown]
    twice = sorted({name for name in names if names.count(name) > 1})
    problems += [Problem(n, "repeated_column", f"column {n} is there more than once") for n in twice]
    if problems:
        raise Refusal("invalid_header", f"the first line names the columns {','.join(preset.columns)}", problems)
    return ours


def _row(number: int, text: str, header: Sequence[str]) -> InvoiceRow:
    why = ""
    fields: list[str] = []
    try:
        fields = next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        why = f"not a CSV line: {error}"
    if len(text) > MOST_LINE_BYTES:
        why = f"longer than {MOST_LINE_BYTES} bytes"
    elif not why and len(fields) != len(header):
        why = f"{len(fields)} fields where the header has {len(header)}"
    elif "\ufffd" in text:
        why = "not UTF-8"
    if why:
        return InvoiceRow(number, text, broken=Problem("row", "broken_row", why))
    named = {name: value.strip() for name, value in zip(header, fields, strict=True) if name}
    return InvoiceRow(number, text, named)


def invoice_from(
    row: InvoiceRow, preset: Preset, currency: str, country: str, today: date
) -> ImportedInvoice | tuple[Problem, ...]:
    """The invoice of a row, or every problem in it. `currency` and `country` stand in where the row has none."""
    if row.broken is not None:
        return (row.broken,)
    fields, problems = {"country": country} | {k: v for k, v in row.fields.items() if v}, Problems()
    _check_names(fields, problems)
    issued_on = _date("issued_on", fields, preset, problems)
    due_on = _date("due_on", fields, preset, problems)
    settled_on = _date("settled_on", fields, preset, problems) if "settled_on" in fields else None
    amount = _amount("amount", fields, currency, problems)
    settled = _settled(fields, amount, settled_on, currency, problems)
    _check_dates(issued_on, due_on, settled_on, today, problems)
    if problems or issued_on is None or due_on is None or amount is None:
        return problems.found
    return ImportedInvoice(
        row=row.number,
        text=row.text,
        customer=fields["customer"],
        customer_name=fields.get("customer_name", fields["customer"]),
        country=fields["country"],
        number=fields["number"],
        issued_on=issued_on,
        due_on=due_on,
        amount=amount,
        settled=settled,
        settled_on=settled_on,
        disputed=_YES[fields.get("disputed", "no").lower()],
    )


def _check_names(fields: Mapping[str, str], problems: Problems) -> None:
    if not _CUSTOMER.fullmatch(fields.get("customer", "")):
        problems.add("customer", "invalid_customer", "a customer's reference has 1 to 100 characters")
    if not _NUMBER.fullmatch(fields.get("number", "")):
        problems.add("number", "invalid_number", "a number has 1 to 60 printable ASCII characters without blanks")
    if not re.fullmatch(r"[A-Z]{2}", fields["country"]):
        problems.add("country", "invalid_country", f"{fields['country']!r} is not an ISO 3166 code of two letters")
    if fields.get("disputed", "no").lower() not in _YES:
        problems.add("disputed", "invalid_flag", f"{fields['disputed']!r} is neither yes nor no")


def _date(name: str, fields: Mapping[str, str], preset: Preset, problems: Problems) -> date | None:
    text = fields.get(name, "")
    try:
        if preset.date_format:
            return datetime.strptime(text, preset.date_format).date()  # noqa: DTZ007 - a date has no zone
        return date.fromisoformat(text)
    except ValueError:
        problems.add(name, "invalid_date", f"{text!r} is not a date written as {preset.date_format or 'YYYY-MM-DD'}")
        return None


def _amount(name: str, fields: Mapping[str, str], currency: str, problems: Problems) -> Money | None:
    code = fields.get("currency") or currency
    if not re.fullmatch(r"[A-Z]{3}", code):
        problems.add("currency", "invalid_currency", f"{code!r} is not an ISO 4217 code of three letters")
        return None
    try:
        amount = Money.parse(fields.get(name, ""), code)
    except Refusal as refusal:
        problems.add(name, refusal.code, refusal.message)
        return None
    if amount.minor <= 0:
        problems.add(name, "not_above_zero", f"{fields[name]} is not above zero")
    return amount


def _settled(
    fields: Mapping[str, str], amount: Money | None, settled_on: date | None, currency: str, problems: Problems
) -> Money | None:
    """What was paid: the amount named, else all of it when there is a date of settlement."""
    if "settled_amount" not in fields:
        return amount if settled_on is not None else None
    if "settled_on" not in fields:
        problems.add("settled_on", "missing_value", "a settled amount has its date")
    return _amount("settled_amount", fields, currency, problems)


def _check_dates(
    issued_on: date | None, due_on: date | None, settled_on: date | None, today: date, problems: Problems
) -> None:
    for name, day in (("issued_on", issued_on), ("settled_on", settled_on)):
        if day is not None and day > today:
            problems.add(name, "in_the_future", f"{day} has not come yet")
    for name, day in (("due_on", due_on), ("settled_on", settled_on)):
        if day is not None and issued_on is not None and day < issued_on:
            problems.add(name, "before_issue", f"{day} lies before the day of issue, {issued_on}")
