"""Usage of large accounts, counted from files: the same numbers as from events in hand, at many millions a second.

Which event counts is decided here, when files are read: parts are written without a look at what lies there already.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saldo.kernel.errors import Refusal
from saldo.kernel.exact import ZERO, plain, shifted, times, total
from saldo.kernel.periods import offsets
from saldo.storage.files import Files
from saldo.storage.store import Store
from saldo.usage import partitions_sql as sql
from saldo.usage import records_partitions as records
from saldo.usage.model import Aggregation, Counted, Meter, OfWindows, UsageDetail
from saldo.usage.model_windows import Cutoff, Known
from saldo.usage.partitions_engine import Engine
from saldo.usage.ports import Ask
from saldo.usage.records import MonthKey, months_of
from saldo.usage.records_partitions import FilePart
from saldo.usage.rules import WEIGHTED_DIGITS, across, averaged, averaged_by_days, converted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MOST_AMOUNTS = 100_000


class Partitions:
    """Counts the files of one bucket."""

    def __init__(self, store: Store, files: Files, engine: Engine | None = None) -> None:
        self._store, self._files, self._engine = store, files, engine or Engine()

    def count(self, asks: Sequence[Ask]) -> list[tuple[Counted, Cutoff]]:
        """See `ports.LargeUsage.count`. Events of one account and name are fetched once, whatever is asked of them."""
        together: dict[tuple[str, str], list[int]] = defaultdict(list)
        for place, ask in enumerate(asks):
            together[ask.account_id, ask.meter.event_name].append(place)
        found: dict[int, tuple[Counted, Cutoff]] = {}
        for (account_id, name), places in together.items():
            with self._engine.at_work() as (connection, folder):
                here = self._months(account_id, name)
                shelf = _Shelf(connection, folder, self._files, here)
                for place in places:
                    found[place] = _count(shelf, asks[place])
        return [found[place] for place in range(len(asks))]

    def known(self, asks: Sequence[Ask]) -> list[Known]:
        """See `ports.LargeUsage.known`."""
        months = {key: self._months(*key) for key in sorted({(ask.account_id, ask.meter.event_name) for ask in asks})}
        return [_known(months[ask.account_id, ask.meter.event_name], ask) for ask in asks]

    def _months(self, account_id: str, name: str) -> dict[str, _Month]:
        items = records.months_with_parts(self._store, account_id, name)
        return {
            month: _Month(MonthKey(account_id, name, month), records.entity_of_parts(item), records.parts_from(item))
            for month, item in items.items()
        }


@dataclass(frozen=True, slots=True)
class _Month:
    key: MonthKey
    entity_id: str
    parts: list[FilePart]


class _Shelf:
    """Parts of one account and event name, fetched when first needed."""

    def __init__(
        self, connection: DuckDBPyConnection, folder: Path, files: Files, months: Mapping[str, _Month]
    ) -> None:
        self.connection, self._folder, self._files, self.months = connection, folder, files, months
        arrived = sorted((p.at_us, m, i) for m, month in months.items() for i, p in enumerate(month.parts))
        self._places = {(m, i): place for place, (_, m, i) in enumerate(arrived)}
        connection.execute("CREATE TEMP TABLE part (file VARCHAR, month VARCHAR, seq INTEGER)")
        rows = [[self._path(m, months[m].parts[i]), m, place] for (m, i), place in self._places.items()]
        if rows:
            connection.executemany("INSERT INTO part VALUES (?, ?, ?)", rows)

    def _path(self, month: str, part: FilePart) -> str:
        return str(self._folder / f"{month}-{part.name}.parquet")

    def parts_of(self, months: Sequence[str], known: Mapping[str, int] | None) -> list[tuple[str, int]]:
        """(month, number) of the parts that are known, every one of them when nothing is said."""
        return [
            (month, number)
            for month in months
            for number in range(
                len(records.known_part(self.months[month].parts, None if known is None else known.get(month, 0)))
            )
        ]

    def fetched(self, parts: Sequence[tuple[str, int]]) -> list[str]:
        """Files of these parts on this machine's disk."""
        found = []
        for month, number in parts:
            here, part = self.months[month], self.months[month].parts[number]
            path = Path(self._path(month, part))
            if not path.exists():
                with path.open("wb") as file:
                    for chunk in self._files.chunks(records.file_key(here.entity_id, here.key, part.name), 1 << 20):
                        file.write(chunk)
            found.append(str(path))
        return found

    def places_of(self, parts: Sequence[tuple[str, int]]) -> list[int]:
        return [self._places[part] for part in parts]


def _count(shelf: _Shelf, ask: Ask) -> tuple[Counted, Cutoff]:
    """The fold of one window. Without parts there is nothing to count."""
    wanted = _wanted(shelf.months, ask)
    parts = shelf.parts_of(wanted, ask.known)
    known = _known(shelf.months, ask)
    if not parts:
        return _nothing(ask), Cutoff(known, 0)
    files = shelf.fetched(parts)
    try:
        repeats = _find_repeats(shelf, wanted, parts)
        counted = _counted(shelf, ask, files, repeats)
        return counted, Cutoff(known, _arrivals(shelf, ask, files, repeats))
    except _out_of_range() as error:
        raise Refusal("total_too_large", f"{ask.meter.id} of {ask.account_id} exceeds 26 digits") from error
    finally:
        for table in ("alike", "twice", "versions", "known_versions", "roaming"):
            shelf.connection.execute(f"DROP TABLE IF EXISTS {table}")
        shelf.connection.execute("DROP VIEW IF EXISTS counting")


def _out_of_range() -> type[Exception]:
    import duckdb

    return duckdb.OutOfRangeException


def _nothing(ask: Ask) -> Counted:
    amounts = () if ask.needs.amounts else None
    by_value: dict[tuple[str, ...], Decimal] | None = {} if ask.needs.dimensions else None
    return Counted(ZERO, UsageDetail(amounts=amounts, by_value=by_value, level=ask.meter.averages))


def _known(months: Mapping[str, _Month], ask: Ask) -> Known:
    found = {}
    for month in _wanted(months, ask):
        limit = None if ask.known is None else ask.known.get(month, 0)
        found[month] = records.known_part(months[month].parts, limit)
    return records.known_of(found)


def _wanted(months: Mapping[str, _Month], ask: Ask) -> list[str]:
    """Months whose events may count: those of the window's days, and all before where a level goes on."""
    wanted = [key.month for key in months_of(ask.account_id, ask.meter.event_name, ask.period, ask.zone)]
    if ask.meter.carries:
        return [month for month in months if month <= wanted[-1]]
    return [month for month in wanted if month in months]


def _find_repeats(shelf: _Shelf, wanted: Sequence[str], parts: Sequence[tuple[str, int]]) -> bool:
    """Whether any event came more than once in these months or those next to them; if so, table `known_versions` holds
    the versions of such events that were accepted in these months and are known.

    An event belongs to the month in which it was accepted first; there it closes the months next to it to its repeats.
    """
    con = shelf.connection
    near = {k.month for m in wanted for k in (shelf.months[m].key, *shelf.months[m].key.neighbours())}
    nearby = [month for month in shelf.months if month in near]
    files = shelf.fetched(shelf.parts_of(nearby, None))
    con.execute(sql.ALIKE.format(scan=sql.scan(files)))
    con.execute(sql.TWICE.format(scan=sql.scan(files)))
    if not _one(con, "SELECT count(*) FROM twice"):
        return False
    con.execute(sql.VERSIONS.format(scan=sql.scan_in_order(files), chosen="twice"))
    con.execute(sql.IN_SEVERAL_MONTHS)
    if _one(con, "SELECT count(*) FROM roaming"):
        _send_home(shelf)
    con.execute(
        "CREATE TEMP TABLE known_versions AS SELECT * FROM versions WHERE seq IN (SELECT unnest(?))",
        [shelf.places_of(parts)],
    )
    return True


def _send_home(shelf: _Shelf) -> None:
    """Forget versions of events in months that are closed to them: told by all months, since one closes the next."""
    con = shelf.connection
    everything = shelf.fetched(shelf.parts_of(list(shelf.months), None))
    con.execute("ALTER TABLE versions RENAME TO versions_nearby")
    con.execute(sql.VERSIONS.format(scan=sql.scan_in_order(everything), chosen="roaming"))
    strays = [
        [source, id_, month]
        for source, id_, firsts in con.execute(sql.FIRST_IN_MONTHS).fetchall()
        for month in _closed_months([m for m, _ in firsts])
    ]
    con.execute("DROP TABLE versions")
    con.execute("ALTER TABLE versions_nearby RENAME TO versions")
    con.execute("CREATE TEMP TABLE stray (source VARCHAR, id VARCHAR, month VARCHAR)")
    columns = [list(column) for column in zip(*strays, strict=True)] if strays else [[], [], []]
    con.execute("INSERT INTO stray SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[])", columns)
    con.execute("DELETE FROM versions USING stray s WHERE versions.source = s.source AND versions.id = s.id"
                " AND versions.month = s.month")  # fmt: skip
    con.execute("DROP TABLE stray")


def _closed_months(months: Sequence[str]) -> Iterator[str]:
    """Of the months in which one event came, in the order of its first arrival there, those that did not take it."""
    homes: list[str] = []
    for month in months:
        key = MonthKey("", "", month)
        if any(near.month in homes for near in key.neighbours()):
            yield month
        else:
            homes.append(month)


def _counted(shelf: _Shelf, ask: Ask, files: Sequence[str], repeats: bool) -> Counted:
    con, meter = shelf.connection, ask.meter
    ordered = ask.needs.amounts or meter.carries
    con.execute("CREATE OR REPLACE TEMP VIEW counting AS " + sql.events(files, meter, repeats=repeats, ordered=ordered))
    window = _window(ask)
    within = sql.within(meter, carries=meter.carries)
    folded = sql.folded(meter, ask.needs.dimensions, offsets(*ask.period.instants(ask.zone), ask.zone))
    rows = _all(con, folded.format(within=within), window)
    amounts = None
    if ask.needs.amounts:
        _few_enough(con, ask)
        values = _one(con, sql.AMOUNTS.format(within=within), window) or ()
        amounts = tuple(_plain(times(Decimal(value), meter.factor)) for value in values)
    width = len(ask.needs.dimensions)
    parts = {tuple(row[:width]): _quantity(ask, row[width], row[width + 1]) for row in rows}
    if not width:
        return Counted(parts[()], UsageDetail(amounts=amounts, level=meter.averages))
    by_value = {values: quantity for values, quantity in parts.items() if quantity}
    return Counted(total(by_value.values()), UsageDetail(amounts=amounts, by_value=by_value, level=meter.averages))


def _few_enough(con: DuckDBPyConnection, ask: Ask) -> None:
    if _one(con, "SELECT count(*) FROM counting") > MOST_AMOUNTS:
        says = f"a price by event asks for each amount of {ask.meter.id}; files give at most {MOST_AMOUNTS:,}"
        raise Refusal("too_many_amounts", says)


def _quantity(ask: Ask, first: Any, second: Any) -> Decimal:
    """What the meter makes of what was folded; see `_number`."""
    return _plain(converted(_number(ask, first, second), ask.meter))


def _number(ask: Ask, first: Any, second: Any) -> Decimal:
    """A number of what was folded: a value and, of a level that goes on, the one before; or the halves of an area."""
    if ask.meter.aggregation is Aggregation.WEIGHTED:
        area = Fraction(int(first or 0) * 10**WEIGHTED_DIGITS + int(second or 0), 10**WEIGHTED_DIGITS)
        if ask.meter.whole_days:
            return averaged_by_days(area, ask.period)
        return averaged(area / 1_000_000, *ask.period.instants(ask.zone))
    if ask.meter.of_windows is not OfWindows.SUM:
        return across(ask.meter, [_of_window(ask.meter, value) for value in first or ()], ask.period, ask.zone)
    if ask.meter.aggregation is Aggregation.AVERAGE:
        return _of_window(ask.meter, first or 0)
    if ask.meter.aggregation is Aggregation.MAX:
        return max((Decimal(v) for v in (first, second) if v is not None), default=ZERO)
    return Decimal(next((v for v in (first, second) if v is not None), ZERO))


def _of_window(meter: Meter, value: Any) -> Decimal:
    """A number as the engine folds it; averages are told in 10^-12ths."""
    return shifted(Decimal(value), -WEIGHTED_DIGITS if meter.aggregation is Aggregation.AVERAGE else 0)


def _plain(value: Any) -> Decimal:
    """Without the zeros that a column of so many digits has after every number."""
    return Decimal(plain(Decimal(value)))


def _arrivals(shelf: _Shelf, ask: Ask, files: Sequence[str], repeats: bool) -> int:
    rows = sql.accepted(files, repeats=repeats, corrects=ask.corrects)
    where = sql.within(ask.meter, carries=False)
    return int(_one(shelf.connection, f"SELECT count(*) FROM ({rows}) WHERE {where}", _window(ask)))


def _window(ask: Ask) -> dict[str, object]:
    start, end = (at.astimezone(UTC).replace(tzinfo=None) for at in ask.period.instants(ask.zone))
    return {"start": start, "end": end, "start_on": ask.period.start, "end_on": ask.period.end}


def _all(con: DuckDBPyConnection, query: str, parameters: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
    used = {name: value for name, value in (parameters or {}).items() if re.search(rf"\${name}\b", query)}
    return con.execute(query, used or None).fetchall()


def _one(con: DuckDBPyConnection, query: str, parameters: Mapping[str, object] | None = None) -> Any:
    return _all(con, query, parameters)[0][0]
