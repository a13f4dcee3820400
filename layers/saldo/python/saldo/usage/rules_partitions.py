"""Which lines a vectorised reader may take, and what a file can hold. Pure: texts in, texts out.

A reader that is fast and almost right would be worse than none: JSON readers differ on repeated keys, on trailing
commas, on digits. So nothing is believed of a line. Its fields are read by the engine, the line is built again from
them by the shape of a line that was read row-wise, and only one that comes out byte for byte the same is taken.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from saldo.kernel.exact import plain
from saldo.kernel.numbers import fits
from saldo.usage.ingest_rows import MOST_PROPERTIES

# DECIMAL(38, 12) is what an engine adds up exactly: below 10^26, to 12 digits after the point.
INTEGER_DIGITS, FRACTION_DIGITS = 26, 12
VALUE_TYPE = f"DECIMAL({INTEGER_DIGITS + FRACTION_DIGITS}, {FRACTION_DIGITS})"

# Encodings of the second version halve the files, and are written in less time; so is a column that is no longer taken
# for one of few values once it had a thousand.
_FILE = "FORMAT parquet, PARQUET_VERSION v2, DICTIONARY_SIZE_LIMIT 1000"
PARQUET, PARQUET_TOLD = f"({_FILE})", f"({_FILE}, RETURN_STATS)"  # the second tells what it wrote, column by column

Path = tuple[str, ...]
Piece = str | Path

_KEY = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_TIMES = {20: "%Y-%m-%dT%H:%M:%SZ", 24: "%Y-%m-%dT%H:%M:%S.%gZ", 27: "%Y-%m-%dT%H:%M:%S.%fZ"}
# What many lines say alike; then it is not read from each of them, only seen to be there.
_OFTEN_CONSTANT = {"type", "source", "subject", "meter", "datacontenttype", "dataschema"}
_NEEDED = {"specversion", "source", "id", "subject", "time", "data"}


def holds(value: Decimal) -> bool:
    """Whether a file can hold the value with every digit."""
    return fits(value) and value.adjusted() < INTEGER_DIGITS and len(plain(value).partition(".")[2]) <= FRACTION_DIGITS


@dataclass(frozen=True, slots=True)
class Shape:
    """How lines of one producer are written: literal texts and, between them, the paths of fields.

    constants: what fields say that are part of the texts, because all lines looked at say the same. time: the format of
    the times. properties: names of those there are, in the order of the alphabet.
    """

    pieces: tuple[Piece, ...]
    constants: Mapping[Path, str]
    time: str
    has_value: bool
    properties: tuple[str, ...]

    @property
    def fields(self) -> list[Path]:
        return [piece for piece in self.pieces if isinstance(piece, tuple)]


def shape_among(lines: Iterable[str]) -> Shape | None:
    """The shape of the first of these lines that has one, and of all those written like it; None without one."""
    first: Shape | None = None
    said: dict[Path, set[str]] = {}
    for line in lines:
        found = _shape_of(line)
        if found is None or (first is not None and (found[0].pieces, found[0].time) != (first.pieces, first.time)):
            continue
        first = first or found[0]
        for path in first.fields:
            said.setdefault(path, set()).add(_at(found[1], path))
    if first is None:
        return None
    constant = {path: only for path, (only, *others) in said.items() if path[-1] in _OFTEN_CONSTANT and not others}
    pieces = _joined(constant.get(p, p) if isinstance(p, tuple) else p for p in first.pieces)
    return replace(first, pieces=pieces, constants=constant)


def _shape_of(line: str) -> tuple[Shape, dict[str, Any]] | None:
    """The shape of a CloudEvent's line with all its fields, and the event; None where only the row-wise reader may."""
    try:
        event = json.loads(line, object_pairs_hook=_pairs)
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict) or not event.keys() >= _NEEDED or event["specversion"] != "1.0":
        return None
    data = event["data"]
    if not isinstance(data, dict) or not isinstance(data.get("meter"), str):
        return None
    if not all(isinstance(event[name], str) for name in _NEEDED - {"data"}):
        return None
    time, properties = _TIMES.get(len(event["time"])), data.get("properties", {})
    if time is None or not isinstance(properties, dict) or len(properties) > MOST_PROPERTIES:
        return None
    for separators in ((",", ":"), (", ", ": ")):
        pieces = list(_pieces(event, (), separators))
        if None not in pieces and _written(pieces, event) == line:
            names = tuple(sorted(properties))
            return Shape(_joined(pieces), {}, time, "value" in data, names), event
    return None


def _pairs(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names are plain and differ by more than case, since engines fold it."""
    if len({name.casefold() for name, _ in pairs}) < len(pairs) or not all(_KEY.fullmatch(n) for n, _ in pairs):
        raise ValueError("names that an engine may read otherwise")
    return dict(pairs)


def _pieces(value: Any, path: Path, separators: tuple[str, str]) -> Iterator[Piece | None]:
    """None where there is something that no plain line holds."""
    comma, colon = separators
    if path == ("specversion",):
        yield '"1.0"'
    elif isinstance(value, str):
        yield from ('"', path, '"')
    elif isinstance(value, int | float) and not isinstance(value, bool) and path == ("data", "value"):
        yield path
    elif isinstance(value, dict) and path in ((), ("data",), ("data", "properties")) and value:
        for place, (name, inner) in enumerate(value.items()):
            yield f'{comma if place else "{"}"{name}"{colon}'
            yield from _pieces(inner, (*path, name), separators)
        yield "}"
    else:
        yield None


def _joined(pieces: Iterable[Piece | None]) -> tuple[Piece, ...]:
    """With neighbouring texts made one."""
    found: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and found and isinstance(found[-1], str):
            found[-1] += piece
        elif piece is not None:
            found.append(piece)
    return tuple(found)


def _written(pieces: Sequence[Piece | None], event: Mapping[str, Any]) -> str:
    return "".join(str(_at(event, piece)) if isinstance(piece, tuple) else piece or "" for piece in pieces)


def _at(value: Any, path: Sequence[str]) -> Any:
    for name in path:
        value = value[name]
    return value


def text(value: str) -> str:
    """A text in the engine's language."""
    return "'" + value.replace("'", "''") + "'"


def paths(shape: Shape) -> str:
    """Where the fields of a shape are in a line, as the engine's JSON reader takes it."""
    return f"[{', '.join(text('/' + '/'.join(path)) for path in shape.fields)}]"


def field(shape: Shape, *path: str) -> str:
    """A field as text, of the list `s` of those that were read by `paths`, or what all lines say there."""
    if path in shape.constants:
        return text(shape.constants[path])
    return f"s[{shape.fields.index(path) + 1}]"


def time_of(shape: Shape) -> str:
    """The time in the engine's language, NULL where it is none."""
    return f"try_strptime({field(shape, 'time')}, {text(shape.time)})"


def time_is_plain(shape: Shape) -> str:
    """Whether the time is written just as its format has it: the engine takes fewer digits than a field has, and blanks
    before and after, so none is left out when the length is right, and it begins with a digit and ends in its Z."""
    written, length = field(shape, "time"), next(n for n, form in _TIMES.items() if form == shape.time)
    ends = f"{written} >= '0' AND ends_with({written}, 'Z')"
    return f"{time_of(shape)} IS NOT NULL AND strlen({written}) = {length} AND {ends}"


def written_again(shape: Shape) -> str:
    """The line that the fields make by this shape, in the engine's language.

    A field that is not there adds nothing, which makes another line: a shape has quotes around texts, and no number
    is empty. Whether a time is written as times are is seen elsewhere (`time_is_plain`).
    """
    made = (text(piece) if isinstance(piece, str) else field(shape, *piece) for piece in shape.pieces)
    return f"concat({', '.join(made)})"


def plain_checks(shape: Shape, *, blanks: bool) -> str:
    """What else must hold of a plain line, in the engine's language: what `ingest_rows` checks of its fields.

    blanks: whether there are any among the lines.
    """
    checks = [time_is_plain(shape)]
    for name in ("source", "id"):
        column = field(shape, name)
        checks += [f"{column} <> ''", f"strlen({column}) <= 200"]
        checks += [f"NOT contains({column}, ' ')"] if blanks else []
    if shape.has_value:
        number = f"-?[0-9]{{1,{INTEGER_DIGITS}}}(?:[.][0-9]{{1,{FRACTION_DIGITS}}})?"
        column = field(shape, "data", "value")  # most are whole numbers, written as the engine writes them
        whole = f"coalesce(try_cast({column} AS BIGINT)::VARCHAR = {column}, false)"
        checks.append(f"({whole} OR regexp_full_match({column}, {text(number)}))")
    for name in shape.properties:
        column = field(shape, "data", "properties", name)
        checks += [f"strlen({column}) BETWEEN 1 AND 100"]
        checks += [f"{column} = trim({column})"] if blanks else []
    return " AND ".join(checks)


def properties_made(shape: Shape) -> str:
    """The properties as `properties_text` writes them, in the engine's language."""
    if not shape.properties:
        return "NULL::VARCHAR"
    pairs = (f"{text(name)}, {field(shape, 'data', 'properties', name)}" for name in shape.properties)
    return f"json_object({', '.join(pairs)})::VARCHAR"


def properties_text(properties: Mapping[str, str]) -> str | None:
    """How a file holds an event's properties: one text for each set of them, None for no property."""
    return json.dumps(properties, sort_keys=True, separators=(",", ":"), ensure_ascii=False) if properties else None


def property_of(name: str) -> str:
    """A property's value in the engine's language, NULL where an event has none of the name."""
    return f"(properties ->> {text('/' + name.replace('~', '~0').replace('/', '~1'))})"


def instant(at: datetime) -> str:
    """An instant in the engine's language, whose instants are UTC without saying so."""
    return f"TIMESTAMP '{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}'"
