"""Reading CSV line by line, so that every row at fault is named with every problem found in it.

A line is a row: a broken one (an open quote, say) never swallows its neighbours, so fields hold no line breaks. A row's
number is that of its line, counted from 1; the header is line 1.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from saldo.kernel.errors import Problem, Refusal

MOST_LINE_BYTES = 64_000


@dataclass(frozen=True, slots=True)
class Row:
    """One line as it came. `fields` by our column names; `broken` says why there are none."""

    number: int
    text: str
    fields: Mapping[str, str] = field(default_factory=dict)
    broken: Problem | None = None


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A line that is not taken, with every problem found in it."""

    number: int
    text: str
    problems: tuple[Problem, ...]

    def as_dict(self) -> dict[str, object]:
        return {"row": self.number, "problems": [p.as_dict() for p in self.problems], "text": self.text[:1000]}


@dataclass(frozen=True, slots=True)
class Columns:
    """Their column → ours, in the order in which people are shown them; ours in `required` must be there.

    Without `open_header` a column nobody knows is refused; with it, it is left alone.
    """

    ours: Mapping[str, str]
    required: Sequence[str]
    open_header: bool = False


def lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines without their ends. A line over MOST_LINE_BYTES comes cut, so memory stays bounded."""
    rest = bytearray()
    for chunk in chunks:
        *whole, tail = chunk.split(b"\n")
        for piece in whole:
            rest += piece
            yield bytes(rest[: MOST_LINE_BYTES + 1]).rstrip(b"\r")
            rest.clear()
        rest += tail[: MOST_LINE_BYTES + 1 - min(len(rest), MOST_LINE_BYTES + 1)]
    if rest:
        yield bytes(rest).rstrip(b"\r")


def csv_rows(chunks: Iterable[bytes], columns: Columns, most_rows: int) -> Iterator[Row]:
    """Rows of a CSV file. Refusal `empty_file`, `invalid_header` or `too_many_rows`.

    Bytes that are not UTF-8 make a broken row.
    """
    texts = (line.decode("utf-8", "replace") for line in lines(chunks))
    header = _header(next(texts, "").removeprefix("\ufeff"), columns)
    for number, text in enumerate(texts, 2):
        if number > most_rows + 1:
            raise Refusal("too_many_rows", f"an import has at most {most_rows} rows; split the file")
        if text.strip():
            yield _row(number, text, header)


def _header(text: str, columns: Columns) -> list[str]:
    if not text.strip():
        raise Refusal("empty_file", "the file has no header line")
    names = [name.strip() for name in next(csv.reader([text]), [])]
    ours = [columns.ours.get(name, "") for name in names]
    theirs = {our: their for their, our in columns.ours.items()}
    missing = [theirs[c] for c in columns.required if c not in ours]
    problems = [Problem(name, "missing_column", f"no column {name}") for name in missing]
    if not columns.open_header:
        unknown = [name for name, our in zip(names, ours, strict=True) if not our]
        problems += [Problem(n, "unknown_column", f"no such column: {n}") for n in unknown]
    twice = sorted({name for name in names if names.count(name) > 1})
    problems += [Problem(n, "repeated_column", f"column {n} is there more than once") for n in twice]
    if problems:
        raise Refusal("invalid_header", f"the first line names the columns {','.join(columns.ours)}", problems)
    return ours


def _row(number: int, text: str, header: Sequence[str]) -> Row:
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
        return Row(number, text, broken=Problem("row", "broken_row", why))
    return Row(number, text, {name: value.strip() for name, value in zip(header, fields, strict=True) if name})


def count_codes(rejected: Iterable[RejectedRow]) -> dict[str, int]:
    """How often each problem was found."""
    found: dict[str, int] = {}
    for problem in (p for row in rejected for p in row.problems):
        found[problem.code] = found.get(problem.code, 0) + 1
    return found
