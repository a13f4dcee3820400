"""A block of CloudEvents read by the engine into table `good`; lines that it may not read come back by number.

Plain is a line that is byte for byte what its fields make by the shape of a line that was read row-wise, and whose
fields pass the row-wise checks. `rules_partitions` has the shapes, and says why.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saldo.kernel.rows import MOST_LINE_BYTES
from saldo.usage import rules_partitions as rules
from saldo.usage.ingest_blocks import Block, is_plain
from saldo.usage.ingest_rows import CLOCK_SKEW, EARLIEST_YEAR, may_fall, only_count
from saldo.usage.model import SUBSCRIPTION, UsageEvent, defined_id
from saldo.usage.ports import FileDelivery
from saldo.usage.records import MonthKey

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_MOST_SHAPES = 4
_SAMPLE = 64
_EMPTY = f"""
CREATE TEMP TABLE good (row INTEGER, source VARCHAR, id VARCHAR, account VARCHAR, meter VARCHAR, happened TIMESTAMP,
    value {rules.VALUE_TYPE}, properties VARCHAR, ok BOOLEAN, checked BOOLEAN, line VARCHAR)
"""
_VIEW = "CREATE TEMP VIEW good AS SELECT {said}false AS checked, * FROM read_parquet({file})"
_BOUNDS = """
CREATE TEMP TABLE bounds (account VARCHAR, meter VARCHAR, since TIMESTAMP, until TIMESTAMP, may_fall BOOLEAN,
    needs_value BOOLEAN, wanted VARCHAR[], sold VARCHAR[])
"""
_PASSES = f"""
checked OR coalesce(ok AND happened >= since AND happened <= until AND (may_fall OR coalesce(value, 0) >= 0)
    AND (value IS NOT NULL OR NOT needs_value)
    AND (len(wanted) = 0 OR coalesce(list_has_all(json_keys(properties), wanted), false))
    AND (sold IS NULL OR coalesce(list_contains(sold, {rules.property_of(SUBSCRIPTION)}), false)), false)
"""


@dataclass(slots=True)
class Reading:
    """What became of a block of `rows` lines. `file` has table `good` as it was read, while nothing is added to it."""

    rows: int
    lines: Path
    file: Path | None
    stretches: Sequence[tuple[Any, ...]] = ()


def empty(con: DuckDBPyConnection) -> Reading:
    """Table `good` without a row."""
    con.execute(_EMPTY)
    return Reading(0, Path(), None)


def read(con: DuckDBPyConnection, folder: Path, block: Block) -> Reading:
    """Fill `good` with the block's lines by number from 0, those that are written plainly `ok`."""
    lines, cleaned, file = folder / "lines", folder / "cleaned", folder / "good.parquet"
    block.path.replace(lines)
    if not block.is_clean:
        cleaned.write_bytes(b"\n".join(map(_blank_if_odd, lines.read_bytes().split(b"\n"))))
    shape = rules.shape_among(_sample(lines))
    if shape is not None:
        said = _said(shape)
        source = _lines_of(lines if block.is_clean else cleaned)
        told = _write(con, shape, source, file, block)
        con.execute(_VIEW.format(said=_as_columns(said), file=rules.text(str(file))))
        one = _stretch_told(shape, told)
        stretches = [one] if one else con.execute(_stretches(said)).fetchall()
        if sum(one[3] for one in stretches) == block.rows:
            reading = Reading(block.rows, lines, file, stretches)
            is_plain_ = all(ok for _, _, ok, *_ in stretches)
            return reading if is_plain_ else _read_on(con, reading, blanks=block.has_blanks)
        con.execute("DROP VIEW good")
    empty(con)
    con.execute("INSERT INTO good (row, ok) SELECT range, false FROM range(?)", [block.rows])
    return Reading(block.rows, lines, None)


def _write(con: DuckDBPyConnection, shape: rules.Shape, source: str, file: Path, block: Block) -> Sequence[Any]:
    """Write the lines as `good` to the file; returns what the engine then tells of it.

    It is first asked as if each line were JSON, which takes a tenth less time. Where one is none it says so, and is
    asked again, line by line.
    """
    import duckdb

    wanted = _fields(shape).keys() - _said(shape).keys()

    def written(*, tries: bool) -> Sequence[Any]:
        made = _taken(shape, wanted, source, blanks=block.has_blanks, tries=tries)
        (told,) = con.execute(f"COPY ({made}) TO {rules.text(str(file))} {rules.PARQUET_TOLD}").fetchall()
        return told

    if not block.is_clean:
        return written(tries=True)
    try:
        return written(tries=False)
    except duckdb.InvalidInputException:
        return written(tries=True)


def _stretch_told(shape: rules.Shape, told: Sequence[Any]) -> tuple[Any, ...] | None:
    """The only row that `_stretches` would find, from what the engine told as it wrote the file: where all lines are
    plain, of one account and event name, and every bound is told exactly. None where it must be asked."""
    account, meter = (shape.constants.get(path) for path in (("subject",), ("data", "meter")))
    _, count, _, _, columns, *_ = told
    ok, happened, value = (columns['"ok"'], columns['"happened"'], columns['"value"'])
    bounds = ok, happened, value
    exact = all(one.get("min_is_exact") == one.get("max_is_exact") == "true" for one in bounds)
    if account is None or meter is None or not exact or (ok["min"], ok["null_count"]) != ("1", "0"):
        return None
    try:
        earliest, last = (datetime.fromisoformat(happened[name]) for name in ("min", "max"))
    except ValueError:  # a year that only the engine knows
        return None
    return account, meter, True, count, count - int(value["null_count"]), earliest, last, Decimal(value["min"])


def _stretches(said: Mapping[str, str]) -> str:
    """What lines of one account and event name come to; grouping by what all say alike would take time for nothing."""
    named = [said.get(name, name) for name in ("account", "meter")]
    keys = ["ok", *(name for name in ("account", "meter") if name not in said)]
    counts = "count(*), count(value), min(happened), max(happened), min(value)"
    return f"SELECT {', '.join(named)}, ok, {counts} FROM good GROUP BY {', '.join(keys)}"


def _read_on(con: DuckDBPyConnection, reading: Reading, *, blanks: bool) -> Reading:
    """Read what is not ok by the shape of one of these lines, a few times."""
    for _ in range(_MOST_SHAPES - 1):
        some = con.execute(f"SELECT line FROM good WHERE NOT ok AND line <> '' LIMIT {_SAMPLE}").fetchall()
        shape = rules.shape_among(line for (line,) in some)
        if shape is None:
            break
        to_table(con, reading)
        again = "SELECT row, line FROM good WHERE NOT ok"
        con.execute(f"CREATE TEMP TABLE more AS {_taken(shape, _fields(shape).keys(), again, blanks=blanks)}")
        con.execute("DELETE FROM good WHERE NOT ok")
        con.execute("INSERT INTO good BY NAME SELECT *, false AS checked FROM more")
        con.execute("DROP TABLE more")
    return reading


def to_table(con: DuckDBPyConnection, reading: Reading) -> None:
    """Make `good` a table that rows can be added to."""
    if reading.file is not None:
        con.execute("CREATE TEMP TABLE kept AS SELECT * FROM good")
        con.execute("DROP VIEW good")
        con.execute("ALTER TABLE kept RENAME TO good")
        reading.file = None


def one_part(reading: Reading, delivery: FileDelivery) -> MonthKey | None:
    """The part that the file is as it was read: all its lines pass and are of one account, name and month."""
    if reading.file is None or len(reading.stretches) != 1:
        return None
    ((account_id, name, ok, _, valued, earliest, last, least),) = reading.stretches
    if not ok or account_id not in delivery.accounts or name not in delivery.meters or valued != reading.rows:
        return None
    _, _, since, until, falls, _, wanted, sold = _bounds_of(delivery, account_id, name)
    months = {f"{at:%Y%m}" for at in (earliest, last)}
    passes = since <= earliest and last <= until and (falls or least >= 0) and not wanted and sold is None
    return MonthKey(account_id, name, months.pop()) if passes and len(months) == 1 else None


def bound(con: DuckDBPyConnection, delivery: FileDelivery) -> None:
    """View `passed`: lines that pass without a closer look, by what the row-wise checks would say of each account and
    event name that plain lines speak of; and rows that were added because they passed those checks."""
    con.execute(_BOUNDS)
    found = con.execute("SELECT DISTINCT account, meter FROM good WHERE ok").fetchall()
    rows = [_bounds_of(delivery, a, name) for a, name in found if a in delivery.accounts and name in delivery.meters]
    if rows:
        con.executemany("INSERT INTO bounds VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    con.execute(
        f"CREATE TEMP VIEW passed AS SELECT good.* FROM good LEFT JOIN bounds USING (account, meter) WHERE {_PASSES}"
    )


def not_passed(con: DuckDBPyConnection, reading: Reading) -> list[int]:
    """Numbers of the lines that are not plain, or speak of something else than is allowed."""
    if con.execute("SELECT count(*) FROM passed").fetchall() == [(reading.rows,)]:
        return []
    return [row for (row,) in con.execute("SELECT row FROM good ANTI JOIN passed USING (row) ORDER BY row").fetchall()]


def add(con: DuckDBPyConnection, events: Sequence[tuple[int, UsageEvent]]) -> None:
    """Put events that passed every check into table `good`, under these numbers."""
    if not events:
        return
    told = [event for _, event in events]
    columns: list[list[object]] = [
        [number for number, _ in events],
        [e.source for e in told],
        [e.id for e in told],
        [e.account_id for e in told],
        [e.meter_id for e in told],
        [e.at.astimezone(UTC).replace(tzinfo=None) for e in told],
        [format(e.value, "f") for e in told],
        [rules.properties_text(e.properties) for e in told],
    ]
    types = ["INTEGER", *["VARCHAR"] * 4, "TIMESTAMP", "VARCHAR", "VARCHAR"]
    names = ["row", "source", "id", "account", "meter", "happened", "value", "properties"]
    unnested = ", ".join(f"unnest(?::{t}[]) AS {n}" for t, n in zip(types, names, strict=True))
    con.execute(
        "INSERT INTO good BY NAME SELECT row, source, id, account, meter, happened, properties,"
        f" value::{rules.VALUE_TYPE} AS value, true AS ok, true AS checked FROM (SELECT {unnested})",
        columns,
    )


def _bounds_of(
    delivery: FileDelivery, account_id: str, name: str
) -> tuple[str, str, datetime, datetime, bool, bool, list[str], list[str] | None]:
    """A row of table `bounds`."""
    meters = delivery.meters[name]
    closed = delivery.closed_at.get(account_id, {})
    counting = {m.id for m in meters}
    billed = [at for meter_id, at in closed.items() if defined_id(meter_id) in counting]
    since = max([datetime(EARLIEST_YEAR, 1, 1, tzinfo=UTC), *billed])
    until = delivery.at + CLOCK_SKEW
    wanted = sorted({m.unique_by for m in meters if m.unique_by})
    since, until = (at.astimezone(UTC).replace(tzinfo=None) for at in (since, until))
    sold = sorted(delivery.sold.get(account_id, ())) if any(m.by_subscription for m in meters) else None
    return account_id, name, since, until, may_fall(meters), not only_count(meters), wanted, sold


def _sample(lines: Path) -> Iterator[str]:
    """Some lines from all over the file, the first one first."""
    with lines.open("rb") as file:
        step = max(lines.stat().st_size // _SAMPLE, 1)
        for place in range(_SAMPLE):
            file.seek(place * step)
            if place:
                file.readline(MOST_LINE_BYTES)
            yield file.readline(MOST_LINE_BYTES).removesuffix(b"\n").decode("utf-8", "replace")


def _blank_if_odd(line: bytes) -> bytes:
    return line if is_plain(line) and len(line) <= MOST_LINE_BYTES else b""


def _lines_of(path: Path) -> str:
    return (
        f"SELECT (row_number() OVER () - 1)::INTEGER AS row, coalesce(line, '') AS line"
        f" FROM read_csv({rules.text(str(path))},"
        " columns = {'line': 'VARCHAR'}, delim = '\x01', quote = '', escape = '', comment = '', header = false,"
        " auto_detect = false)"
    )


def _fields(shape: rules.Shape) -> dict[str, str]:
    """The columns of table `good` that lines speak of, in the engine's language."""
    value = rules.field(shape, "data", "value") if shape.has_value else "NULL"
    return {
        "source": rules.field(shape, "source"),
        "id": rules.field(shape, "id"),
        "account": rules.field(shape, "subject"),
        "meter": rules.field(shape, "data", "meter"),
        "happened": rules.time_of(shape),
        "value": f"try_cast({value} AS {rules.VALUE_TYPE})",
        "properties": rules.properties_made(shape),
    }


def _said(shape: rules.Shape) -> dict[str, str]:
    """Columns that no part has, where all lines say the same: what is not written need not be read."""
    paths = {"account": ("subject",), "meter": ("data", "meter")}
    return {name: rules.field(shape, *path) for name, path in paths.items() if path in shape.constants}


def _as_columns(made: Mapping[str, str]) -> str:
    return "".join(f"{expression} AS {name}, " for name, expression in made.items())


def _taken(shape: rules.Shape, wanted: Collection[str], lines: str, *, blanks: bool, tries: bool = True) -> str:
    """Lines as wanted columns of table `good`. Fields are read in a step of their own, so that each is read once.

    tries: a line that is not JSON has no fields; otherwise the engine raises.
    """
    ok = f"coalesce(line = {rules.written_again(shape)} AND {rules.plain_checks(shape, blanks=blanks)}, false)"
    read = f"json_extract_string(line, {rules.paths(shape)})"
    parsed = f"SELECT row, line, {f'TRY({read})' if tries else read} AS s FROM ({lines})"
    made = _as_columns({name: made for name, made in _fields(shape).items() if name in wanted})
    return f"SELECT row, {made}{ok} AS ok, CASE WHEN ok THEN NULL ELSE line END AS line FROM ({parsed})"
