"""Usage files: CSV and CloudEvents as newline-delimited JSON, read line by line.

A line is a row: a broken one (an open quote, a cut object) never swallows its neighbours, so line breaks inside
fields are not allowed. A row's number is that of its line, counted from 1; a CSV header is line 1.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from saldo.kernel.errors import Problem, Refusal
from saldo.kernel.rows import MOST_LINE_BYTES, lines
from saldo.usage.ingest_rows import COLUMNS, PROPERTY_PREFIX, UsageRow

FORMATS = ("csv", "ndjson")


def format_of(name: str) -> str:
    """The format a file's name tells; Refusal `unknown_format` otherwise."""
    ending = name.rpartition(".")[2].lower()
    if ending == "csv":
        return "csv"
    if ending in ("ndjson", "jsonl"):
        return "ndjson"
    raise Refusal("unknown_format", f"{name}: usage files end in .csv, .ndjson or .jsonl")


def read_rows(chunks: Iterable[bytes], file_format: str) -> Iterator[UsageRow]:
    """Rows of a file given as byte chunks of any size.

    Raises Refusal `invalid_header` when a CSV file lacks columns, `empty_file` when there is nothing in it.
    """
    texts = (_text(line) for line in lines(chunks))
    if file_format == "csv":
        return _csv_rows(texts)
    return (_event_row(number, text) for number, text in enumerate(texts, 1) if text.strip())


def row_of_line(number: int, line: bytes) -> UsageRow | None:
    """The row of one line of CloudEvents, as `read_rows` reads it; None for a blank one."""
    text = _text(line[: MOST_LINE_BYTES + 1].rstrip(b"\r"))
    return _event_row(number, text) if text.strip() else None


def rows_of_block(block: bytes, first: int) -> list[UsageRow]:
    """The rows of some lines of CloudEvents, the first of which is line number `first`."""
    found = (row_of_line(number, line) for number, line in enumerate(block.split(b"\n"), first))
    return [row for row in found if row is not None]


def _text(line: bytes) -> str:
    """The line as text; bytes that are not UTF-8 become U+FFFD, which no field allows."""
    return line.decode("utf-8", "replace")


def _csv_rows(texts: Iterator[str]) -> Iterator[UsageRow]:
    header = _header(next(texts, "").removeprefix("\ufeff"))
    for number, text in enumerate(texts, 2):
        if text.strip():
            yield _csv_row(number, text, header)


def _header(text: str) -> list[str]:
    if not text.strip():
        raise Refusal("empty_file", "the file has no header line")
    if "\ufffd" in text or "\0" in text:
        raise Refusal("invalid_header", "the file is not UTF-8; save it as CSV UTF-8")
    if text.count(";") > text.count(","):
        raise Refusal("invalid_header", "commas part the columns, not semicolons")
    names = [name.strip() for name in next(csv.reader([text]), [])]
    missing = [c for c in COLUMNS if c not in names]
    unknown = [n for n in names if n not in COLUMNS and not n.startswith(PROPERTY_PREFIX)]
    twice = sorted({n for n in names if names.count(n) > 1})
    problems = [Problem(c, "missing_column", f"no column {c}") for c in missing]
    problems += [Problem(n, "unknown_column", f"no such column: {n}") for n in unknown]
    problems += [Problem(n, "repeated_column", f"column {n} is there more than once") for n in twice]
    if problems:
        raise Refusal("invalid_header", f"the first line names the columns {','.join(COLUMNS)}", problems)
    return names


def _csv_row(number: int, text: str, header: Sequence[str]) -> UsageRow:
    try:
        fields = next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        return _broken(number, text, f"not a CSV line: {error}")
    if len(fields) != len(header):
        return _broken(number, text, f"{len(fields)} fields where the header has {len(header)}")
    return _row(number, text, {name: value.strip() for name, value in zip(header, fields, strict=True)})


def _row(number: int, text: str, fields: Mapping[str, str]) -> UsageRow:
    if len(text) > MOST_LINE_BYTES:
        return _broken(number, text, f"longer than {MOST_LINE_BYTES} bytes")
    if "\ufffd" in text:
        return _broken(number, text, "not UTF-8")
    return UsageRow(number, text, fields)


def _broken(number: int, text: str, why: str) -> UsageRow:
    return UsageRow(number, text, broken=Problem("row", "broken_row", why))


def _event_row(number: int, text: str) -> UsageRow:
    """A CloudEvent: source, id, subject (the account), time, data {meter, value, properties?}."""
    try:
        event: Any = json.loads(text.removeprefix("\ufeff"), parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        return _broken(number, text, f"not a JSON object: {error}")
    return row_of_event(number, text, event)


def row_of_event(number: int, text: str, event: Any) -> UsageRow:
    """The same for parsed JSON; `text` is what it was parsed from."""
    data: Any = event.get("data") if isinstance(event, dict) else None
    if not isinstance(data, dict):
        return _broken(number, text, "not a CloudEvent with an object under data")
    if event.get("specversion") != "1.0":
        return _broken(number, text, "specversion must be 1.0")
    named = {
        "source": event.get("source"),
        "id": event.get("id"),
        "account_id": event.get("subject"),
        "meter": data.get("meter"),
        "at": event.get("time"),
        "value": data.get("value"),
    }
    properties = data.get("properties")
    if isinstance(properties, dict):
        named |= {PROPERTY_PREFIX + str(name): value for name, value in properties.items()}
    return _row(number, text, {name: _field(value) for name, value in named.items()})


def _field(value: Any) -> str:
    """A JSON value as a field's text; what is neither text nor number becomes an empty field and is found missing."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)
    return ""


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")
