"""What the engine is asked, to fold events of files as `rules.counted` folds events in hand.

Exact by types: sums of DECIMAL(38, 12) are whole numbers of 128 bits, and where one would not fit the engine raises, it
never rounds. A float is nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from saldo.kernel.exact import ZERO
from saldo.usage.model import Aggregation, CountWindow, Meter, OfWindows, Repeats
from saldo.usage.rules_partitions import instant, property_of, text

_SECOND = timedelta(seconds=1)

# Events that came more than once have the same hash more than once: the few that do are then told apart by what they
# are. Numbers take a third less than texts, and less memory.
ALIKE = "CREATE TEMP TABLE alike AS SELECT hash(source, id) AS hashed FROM {scan} GROUP BY hashed HAVING count(*) > 1"
TWICE = """
CREATE TEMP TABLE twice AS
SELECT source, id FROM {scan} WHERE hash(source, id) IN (SELECT hashed FROM alike)
GROUP BY source, id HAVING count(*) > 1
"""

# Each version of an event that came more than once, under its first arrival: a repeat of any version is no news.
VERSIONS = """
CREATE TEMP TABLE versions AS
SELECT source, id, happened, value, properties, month, min(ord) AS ord, min(seq) AS seq
FROM ({scan}) SEMI JOIN {chosen} USING (source, id)
GROUP BY source, id, happened, value, properties, month
"""

IN_SEVERAL_MONTHS = """
CREATE TEMP TABLE roaming AS
SELECT source, id FROM versions GROUP BY source, id HAVING count(DISTINCT month) > 1
"""

FIRST_IN_MONTHS = """
SELECT source, id, list((month, ord) ORDER BY ord) FROM (
    SELECT source, id, month, min(ord) AS ord FROM versions SEMI JOIN roaming USING (source, id) GROUP BY ALL
) GROUP BY source, id
"""


def scan(files: Sequence[str]) -> str:
    """Rows of these files."""
    return f"read_parquet([{', '.join(map(text, files))}])"


def scan_in_order(files: Sequence[str]) -> str:
    """The same with the month of each row and its place among all that came: the part's number, then the row's."""
    listed = ", ".join(map(text, files))
    return f"""
    SELECT f.*, p.month, p.seq, (p.seq::BIGINT << 32) + f.row AS ord
    FROM read_parquet([{listed}], filename = true) f JOIN part p ON p.file = f.filename
    """


def events(files: Sequence[str], meter: Meter, *, repeats: bool, ordered: bool) -> str:
    """Rows of a window's months, each event once: those that came once, and of the others the one that counts."""
    rows = f"({scan_in_order(files)})" if ordered else scan(files)
    columns = f"source, id, happened, {_value(meter)}, properties" + (", ord" if ordered else "")
    if not repeats:
        return f"SELECT {columns} FROM {rows}"
    way = " DESC" if meter.repeats is Repeats.LAST else ""
    place = f"row_number() OVER (PARTITION BY source, id ORDER BY month{way}, ord{way})"
    chosen = f"(SELECT {columns} FROM known_versions QUALIFY {place} = 1)"
    return f"SELECT {columns} FROM {rows} ANTI JOIN twice USING (source, id) UNION ALL {chosen}"


def _value(meter: Meter) -> str:
    """An event's value as it is counted: away from zero to the meter's least, and then by its whole increments."""
    if meter.increment is None and meter.least is None:
        return "value"
    least = _amount(meter.least or ZERO)
    beyond = f"(value - sign(value) * {least})"
    if meter.increment is not None:
        step = _amount(meter.increment)
        beyond = f"({beyond} - {beyond} % {step} + sign({beyond} % {step}) * {step})"
    counted = f"sign(value) * {least} + CASE WHEN abs(value) > {least} THEN {beyond} ELSE 0 END"
    return f"({counted})::DECIMAL(38, 12) AS value"


def _amount(number: Decimal) -> str:
    return f"{format(number, 'f')}::DECIMAL(38, 12)"


def accepted(files: Sequence[str], *, repeats: bool, corrects: bool) -> str:
    """Rows of a window's months that were accepted: with corrections, or the first of each only."""
    columns = "happened, properties"
    if not repeats:
        return f"SELECT {columns} FROM {scan(files)}"
    firsts = "" if corrects else " QUALIFY ord = min(ord) OVER (PARTITION BY source, id, month)"
    return (
        f"SELECT {columns} FROM {scan(files)} ANTI JOIN twice USING (source, id)"
        f" UNION ALL (SELECT {columns} FROM known_versions{firsts})"
    )


def within(meter: Meter, *, carries: bool) -> str:
    """Events that the meter counts up to the end of the window, from its start on or also from before."""
    parts = ["happened < $end"] + ([] if carries else ["happened >= $start"])
    return " AND ".join([*parts, *_filters(meter.filters)])


def _filters(filters: Mapping[str, Sequence[str]]) -> list[str]:
    return [f"{property_of(name)} IN ({', '.join(map(text, values))})" for name, values in sorted(filters.items())]


Offsets = Sequence[tuple[datetime, timedelta]]  # of a zone's clocks; see `periods.offsets`. The engine knows no zones


def folded(meter: Meter, dimensions: Sequence[str], offsets: Offsets) -> str:
    """One row for each group: its values of the dimensions, then what `partitions.quantity` makes a number of."""
    columns = [f"coalesce({property_of(name)}, '') AS d{i}" for i, name in enumerate(dimensions)]
    columns += [f"to_seconds({_ahead(offsets)}) AS ahead"] if meter.per or meter.whole_days else []
    named = [f"d{i}" for i in range(len(dimensions))]
    rows = f"SELECT *{''.join(', ' + column for column in columns)} FROM counting WHERE {{within}}"
    apart = [*named, *(_WINDOWS[meter.per] if meter.per else ())]
    if meter.aggregation is Aggregation.PERCENTILE:
        rows += _ranked(meter, apart)
    if meter.per is None:
        return f"SELECT {', '.join([*named, *_folds(meter)])} FROM ({rows}){_grouped(named)}"
    fold, _ = _folds(meter)
    by_window = f"SELECT {', '.join([*named, fold])} AS folded FROM ({rows}){_grouped(apart)}"
    together = "sum(folded)" if meter.of_windows is OfWindows.SUM else "list(folded)"
    return f"SELECT {', '.join([*named, together, 'NULL'])} FROM ({by_window}){_grouped(named)}"


def _ranked(meter: Meter, apart: Sequence[str]) -> str:
    """Of the rows of each group the one that is the percentile, found in whole numbers."""
    part, of = (meter.percentile / 100).as_integer_ratio()
    within = f"PARTITION BY {', '.join(apart)}" if apart else ""
    place = f"({part} * count(*) OVER ({within}) + {of - 1}) // {of}"
    return f" QUALIFY row_number() OVER ({within} ORDER BY value) = {place}"


# What tells a window of a zone's clock or calendar from the others; an hour that clocks repeat is two.
_WINDOWS = {
    CountWindow.FIVE_MINUTES: ("time_bucket(INTERVAL '5 minutes', happened + ahead)", "ahead"),
    CountWindow.HOUR: ("date_trunc('hour', happened + ahead)", "ahead"),
    CountWindow.DAY: ("date_trunc('day', happened + ahead)",),
    CountWindow.MONTH: ("date_trunc('month', happened + ahead)",),
}


def _grouped(columns: Sequence[str]) -> str:
    return f" GROUP BY {', '.join(columns)}" if columns else ""


def _ahead(offsets: Offsets) -> str:
    """How many seconds the zone's clocks are ahead of UTC when an event happens."""
    (_, first), *changes = offsets
    if not changes:
        return str(first // _SECOND)
    later = (f"WHEN happened >= {instant(at)} THEN {ahead // _SECOND}" for at, ahead in reversed(changes))
    return f"CASE {' '.join(later)} ELSE {first // _SECOND} END"


def _folds(meter: Meter) -> list[str]:
    last_before = "arg_max(value, (happened, ord)) FILTER (happened < $start)" if meter.carries else "NULL"
    if meter.aggregation is Aggregation.WEIGHTED:
        return _areas(_days_left() if meter.whole_days else _time_left(carries=meter.carries))
    inside = {
        Aggregation.SUM: "sum(value)",
        Aggregation.COUNT: "count(*)",
        Aggregation.UNIQUE: f"count(DISTINCT {property_of(meter.unique_by)})",
        Aggregation.MAX: "max(value) FILTER (happened >= $start)",
        Aggregation.MIN: "min(value)",
        Aggregation.PERCENTILE: "min(value)",
        Aggregation.AVERAGE: _average(),
        Aggregation.LATEST: "arg_max(value, (happened, source, id)) FILTER (happened >= $start)",
    }
    return [inside[meter.aggregation], last_before]


def _areas(left: str) -> list[str]:
    """Value times what is left of the window, whole parts and 10^-12ths apart so that products fit 128 bits."""
    whole = f"sum(trunc(value)::HUGEINT * ({left}))"
    rest = f"sum(((value - trunc(value)) * 1000000000000)::HUGEINT * ({left}))"
    return [whole, rest]


def _time_left(*, carries: bool) -> str:
    """Microseconds to the end of the window, at most all of it."""
    since = "greatest(happened, $start::TIMESTAMP)" if carries else "happened"
    return f"(epoch_us($end::TIMESTAMP) - epoch_us({since}))::HUGEINT"


def _days_left() -> str:
    """Days to the end of the window, of which each that is begun counts whole: a fall counts from the day after."""
    since = "(happened + ahead)::DATE + CASE WHEN value > 0 THEN 0 ELSE 1 END"
    days = "CASE WHEN happened < $start THEN $start_on::DATE ELSE " + since + " END"
    return f"($end_on::DATE - ({days}))::HUGEINT"


def _average() -> str:
    """In 10^-12ths, half up away from zero: whole numbers, since a quotient of decimals would be a float."""
    parts = "sum(((value - trunc(value)) * 1000000000000)::HUGEINT)"
    ones = f"(sum(trunc(value)::HUGEINT) * 1000000000000::HUGEINT + {parts})"
    size = "count(*)::HUGEINT"
    return f"sign({ones}) * (abs({ones}) // {size} + (2 * (abs({ones}) % {size}) >= {size})::HUGEINT)"


AMOUNTS = "SELECT list(value ORDER BY happened, ord) FROM counting WHERE {within} AND happened >= $start"
