"""From a line of another system's invoice list to an invoice to import, or everything that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from saldo.kernel.errors import Problem, Problems, Refusal
from saldo.kernel.money import Money, is_currency
from saldo.kernel.rows import Columns, Row, csv_rows

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


def read_rows(chunks: Iterable[bytes], preset: Preset) -> Iterator[Row]:
    """Rows of a CSV file. Refusal `empty_file`, `invalid_header` or `too_many_rows`."""
    return csv_rows(chunks, Columns(preset.columns, REQUIRED, preset.open_header), MOST_ROWS)


def invoice_from(
    row: Row, preset: Preset, currency: str, country: str, today: date
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
    if not is_currency(code):
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
