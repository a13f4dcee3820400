"""Reads files of daily rates: the European Central Bank's XML and CSV, each as published."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime

from saldo.exchange.model import DayRate
from saldo.kernel.errors import Problems, Refusal
from saldo.kernel.money import is_currency
from saldo.kernel.numbers import fits, number_in

MOST_BYTES = 20_000_000  # the bank's whole history since 1999 is 6 MB
_MISSING = {"", "N/A"}


def rates_in(content: bytes) -> list[DayRate]:
    """Every rate of a file, in its order. Refusal `invalid_rates` naming every row at fault, `too_large`.

    XML: `Cube time=…` with `Cube currency=… rate=…` in it. CSV: a column `Date`, then one for each currency.
    """
    if len(content) > MOST_BYTES:
        raise Refusal("too_large", f"a file of rates has at most {MOST_BYTES:,} bytes")
    problems = Problems()
    rows = _xml_rows(content) if content.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") else _csv_rows(content)
    found = [rate for where, day, code, text in rows if (rate := _rate(where, day, code, text, problems)) is not None]
    if not found and not problems:
        problems.add("file", "empty", "there is no rate in it")
    problems.refuse_if_any("the file of rates cannot be read", "invalid_rates")
    return found


def _xml_rows(content: bytes) -> Iterator[tuple[str, str, str, str]]:
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    try:
        root = fromstring(content)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise Refusal("invalid_rates", f"this is no XML of rates: {error}") from error
    for day in root.iter():
        if "time" in day.attrib:
            for cube in day:
                code = cube.attrib.get("currency", "")
                yield f"{day.attrib['time']} {code}", day.attrib["time"], code, cube.attrib.get("rate", "")


def _csv_rows(content: bytes) -> Iterator[tuple[str, str, str, str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal("invalid_rates", "a file of rates is UTF-8") from error
    rows = csv.reader(io.StringIO(text), skipinitialspace=True)
    head = [name.strip() for name in next(rows, [])]
    if not head or head[0] != "Date":
        raise Refusal("invalid_rates", "the first column of a file of rates is Date")
    for n, row in enumerate(rows, 2):
        for code, value in zip(head[1:], row[1:], strict=False):
            if code and value.strip() not in _MISSING:
                yield f"row {n} {code}", row[0], code, value


def _rate(where: str, day: str, code: str, text: str, problems: Problems) -> DayRate | None:
    on = _day(day.strip())
    if on is None:
        problems.add(where, "invalid_date", f"{day!r} is no date")
        return None
    rate = number_in(text.strip())
    if rate is None or not fits(rate) or rate <= 0 or len(rate.as_tuple().digits) > 18:
        problems.add(where, "invalid_rate", f"{text!r} is no rate")
        return None
    if not is_currency(code):
        problems.add(where, "invalid_currency", f"{code!r} is no ISO 4217 code")
        return None
    return DayRate(code, on, rate)


def _day(text: str) -> date | None:
    for form in ("%Y-%m-%d", "%d %B %Y"):
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day, not an instant
        except ValueError:
            continue
    return None
