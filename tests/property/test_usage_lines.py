"""The reader that takes a million lines a second accepts and rejects exactly what the row-wise one does."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from saldo.kernel.rows import MOST_LINE_BYTES
from saldo.usage import partitions_lines
from saldo.usage import rules_partitions as rules
from saldo.usage.ingest_blocks import Block, blocks
from saldo.usage.ingest_files import rows_of_block
from saldo.usage.ingest_rows import by_event_name, event_from
from saldo.usage.model import Aggregation, Meter, UsageEvent
from saldo.usage.partitions_engine import Engine
from saldo.usage.partitions_ingest import UsageIntoFiles
from saldo.usage.ports import Filed, FileDelivery
from saldo.usage.rules_partitions import holds
from tests.contexts.conftest import FrozenClock
from tests.contexts.sellers import ACCOUNT, ENTITY
from tests.contexts.usage.scenes import MemoryFiles, World
from tests.property.examples import examples

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = "acct_eu_second"
METERS = [
    Meter("tokens", ENTITY, Aggregation.SUM, {"en": "x"}, {}),
    Meter("calls", ENTITY, Aggregation.COUNT, {"en": "x"}, {}),
    Meter("people", ENTITY, Aggregation.UNIQUE, {"en": "x"}, {}, "person"),
    Meter("level", ENTITY, Aggregation.WEIGHTED, {"en": "x"}, {}),
    Meter("sold", ENTITY, Aggregation.SUM, {"en": "x"}, {}, by_subscription=True),
]
DELIVERY = FileDelivery(
    ENTITY,
    frozenset({ACCOUNT, SECOND}),
    NOW,
    by_event_name(METERS),
    {ACCOUNT: {"tokens": datetime(2026, 6, 1, tzinfo=UTC)}},
    {ACCOUNT: frozenset({"a", "é"})},
)
Told = tuple[str, str, str, str, datetime, Decimal, str]


def line(number: int = 1, **changes: object) -> str:
    data = {"meter": changes.pop("meter", "tokens"), "value": changes.pop("value", "12.5")}
    event = {
        "specversion": "1.0",
        "type": "llm.request",
        "source": "gateway-1",
        "id": f"req-{number:04d}",
        "subject": ACCOUNT,
        "time": "2026-11-15T11:20:12.573Z",
        "data": data | ({"properties": changes.pop("properties")} if "properties" in changes else {}),
    }
    spaced = changes.pop("spaced", False)
    return json.dumps(event | changes, separators=(", ", ": ") if spaced else (",", ":"))


def by_rows(block: bytes, first: int) -> tuple[list[Told], list[tuple[int, tuple[str, ...]]]]:
    """Events of these accounts that pass, and the other rows with their problems."""
    good: list[Told] = []
    others: list[tuple[int, tuple[str, ...]]] = []
    for row in rows_of_block(block, first):
        found = event_from(row, DELIVERY.meters, DELIVERY.at)
        if not isinstance(found, UsageEvent):
            others.append((row.number, tuple(p.code for p in found)))
        elif found.account_id not in DELIVERY.accounts or (
            found.meter_id == "sold" and found.properties["subscription"] not in DELIVERY.sold.get(found.account_id, ())
        ):
            others.append((row.number, ()))
        elif not holds(found.value):
            others.append((row.number, ("unsupported_value",)))
        else:
            properties = json.dumps(found.properties, sort_keys=True) if found.properties else ""
            good.append((found.account_id, found.meter_id, found.source, found.id, found.at, found.value, properties))
    return good, sorted(others)


def _is_sold(event: UsageEvent) -> bool:
    """Whether its account has the subscription that it must name."""
    return event.meter_id != "sold" or event.properties["subscription"] in DELIVERY.sold.get(event.account_id, ())


ENGINE = Engine(threads=1)  # kept, as a process keeps it: starting one takes as long as reading ten thousand lines


def by_engine(block: bytes, first: int) -> tuple[list[Told], list[tuple[int, tuple[str, ...]]], Filed]:
    world, files = World(), MemoryFiles({})
    into = UsageIntoFiles(world.store, files, FrozenClock(NOW), ENGINE)
    with TemporaryDirectory() as folder:
        whole = next(blocks([block], len(block) + 1, Path(folder)), None)
        filed = into.take_lines(DELIVERY, replace(whole, first=first)) if whole else Filed()
    others = [(r.number, tuple(p.code for p in r.problems)) for r in filed.refused]
    for row in filed.left:
        found = event_from(row, DELIVERY.meters, DELIVERY.at)
        others.append((row.number, () if isinstance(found, UsageEvent) else tuple(p.code for p in found)))
    listed = {p[0] for item in world.items("usage_parts") for p in item["parts"]}
    assert {key.rpartition("part-")[2].removesuffix(".parquet") for key in files.files} == listed
    return [told for key, body in sorted(files.files.items()) for told in _in_file(key, body)], sorted(others), filed


@cache
def reader() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})


def _in_file(key: str, body: bytes) -> list[Told]:
    account_id, name = (key.split(f"{part}=")[1].partition("/")[0] for part in ("account", "meter"))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "part.parquet"
        path.write_bytes(body)
        rows = reader().execute(
            "SELECT source, id, happened, value, properties FROM read_parquet(?) ORDER BY row", [str(path)]
        )
        return [
            (account_id, name, s, i, at.replace(tzinfo=UTC), value, _sorted(properties))
            for s, i, at, value, properties in rows.fetchall()
        ]


def _sorted(properties: str | None) -> str:
    return json.dumps(json.loads(properties), sort_keys=True) if properties else ""


def place(told: Told) -> tuple[str, str, str]:
    return told[0], told[1], f"{told[4]:%Y%m}"


def check(block: bytes, first: int = 1) -> Filed:
    """Same events in each part and in the same order; same rows with the same codes besides."""
    events, others = by_rows(block, first)
    found, found_others, filed = by_engine(block, first)
    assert found_others == others
    assert found == sorted(events, key=place)  # stable: within a part, the order of the lines
    assert filed.accepted == len(events)
    return filed


ODD = [
    "",
    "   ",
    "\u00a0",
    "{}",
    "[1]",
    "null",
    "{",
    line(2)[:-1],
    line(3) + "x",
    line(3) + " {}",
    line(4).replace('"value":"12.5"', '"value":"12.5",'),
    line(5).replace('"id":"req-0005"', '"id":"req-0005","id":"other"'),
    line(6).replace('"id":"req-0006"', '"id":6,"id":"6"'),
    line(6).replace('"id":', '"ID":'),
    line(7).replace('"1.0"', "1.0"),
    line(7).replace('"1.0"', '"0.3"'),
    line(8).replace('"req-0008"', '"req\\u002d0008"'),
    line(9, value=12),
    line(9, value=0.1),
    line(9).replace('"12.5"', "0.10000000000000000001"),
    line(9).replace('"12.5"', "12.50"),
    line(9).replace('"12.5"', "1e3"),
    line(9).replace('"12.5"', "NaN"),
    line(9).replace('"12.5"', "-0"),
    *(line(10, value=v) for v in ("0x10", "007", True)),
    *(line(10, value=v) for v in ("1e3", "+5", ".5", "5.", " 7 ", "1_0", "", "x", "-1", "Infinity")),
    *(line(11, value=v) for v in ("9" * 26, "9" * 27, "0." + "1" * 12, "0." + "1" * 13, "1." + "0" * 30, "9" * 41)),
    *(line(12, time=f"2026-11-15T{t}") for t in ("24:00:00Z", "23:59:60Z", "11:20:12", "11:20:12+01:00", "11:20Z")),
    *(
        line(12, time=t)
        for t in (
            "2026-11-15 11:20:12.573Z",
            "2026-11-15T11:20:12. 73Z",
            "2026-1-15T11:20:12.5730Z",
            "2026-11-15T11:20:12.573123Z",
            "2026-11-15T11:20:12Z",
            "2026-11-15T11:20:12.5731234Z",
            "1999-12-31T23:59:59.999Z",
            "2026-11-23T12:05:00.000Z",
            "2026-11-23T12:05:00.001Z",
            "2026-05-31T23:59:59.999Z",
            "2026-06-01T00:00:00.000Z",
            "2026-02-29T00:00:00.000Z",
            "",
            20261115,
        )
    ),
    *(line(13, source=v) for v in ("", " a", "a b", "é", "a\x7f", "a\tb", "x" * 200, "x" * 201, 5, None)),
    *(line(14, id=v) for v in ("", "\u2003x", "x" * 201, "a\\b", 'a"b', "a'b")),
    *(line(15, subject=v) for v in ("acct_eu_nobody", "acct", "acct_us_x", f" {ACCOUNT}", SECOND, 7)),
    *(line(16, meter=m) for m in ("steps", "calls", "level", "people", "", 1)),
    line(17, meter="calls").replace(',"value":"12.5"', ""),
    line(17).replace(',"value":"12.5"', ""),
    line(18, meter="level", value="-3.25"),
    line(19, meter="people", properties={"person": "p1"}),
    line(19, meter="people", properties={"person": "é"}),
    line(19, meter="people", properties={"person": " p1 "}),
    line(19, meter="people", properties={"person": ""}),
    line(19, meter="people", properties={"person": "p" * 101}),
    line(19, meter="people", properties={f"p{i}": "x" for i in range(6)} | {"person": "a"}),
    line(19, meter="sold"),
    *(line(19, meter="sold", properties={"subscription": v}) for v in ("a", "é", "e", "", " a", 5)),
    line(19, meter="sold", subject=SECOND, properties={"subscription": "a"}),
    line(20, properties={"b": "1", "a": "x y"}),
    line(20, properties={"a": 1}),
    line(20, properties={"a": {"b": 1}}),
    line(20, properties={}),
    line(20, properties=[]),
    line(21, datacontenttype="application/json"),
    line(21, extension={"deep": 1}),
    line(22, spaced=True),
    line(22).replace(",", ",\t"),
    line(22) + "\r",
    line(22) + "\x00",
    "\ufeff" + line(22),
    line(23, type="x" * MOST_LINE_BYTES),
    line(24, type="other.type"),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(ODD)))
def test_each_odd_line_among_plain_ones(number: int) -> None:
    plain = [line(100 + i) for i in range(3)]
    check("\n".join([*plain, ODD[number], line(200, meter="level"), ""]).encode("utf-8", "surrogatepass"), 41)


def test_every_odd_line_at_once_and_first() -> None:
    check("\n".join(ODD).encode())
    check(b"\xff\xfe" + line(1).encode() + b"\n" + "\n".join([line(2), *ODD, line(3)]).encode())


EARLIEST = datetime(2026, 5, 30, tzinfo=UTC)
PIECES = [b"", b'"', b",", b"}", b" ", b"\\", b"0", b"\xff", b"\r", b"\n", b"\x01", b"e", b"-"]


def written(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


lines_ = st.builds(
    line,
    st.integers(0, 5),
    meter=st.sampled_from(["tokens", "calls", "level", "people", "sold", "x"]),
    value=st.one_of(st.decimals(-100, 10**9, places=3).map(str), st.integers(-5, 10**6), st.just("")),
    time=st.integers(0, 178 * 86_400_000).map(lambda ms: written(EARLIEST + timedelta(milliseconds=ms))),
    subject=st.sampled_from([ACCOUNT, ACCOUNT, SECOND, "acct_eu_nobody"]),
    properties=st.dictionaries(
        st.sampled_from(["person", "b", "é", "subscription"]), st.text('ab é"\\', max_size=3), max_size=2
    ),
    spaced=st.booleans(),
)


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """A line with some of its bytes changed, lost or doubled."""
    body = bytearray(draw(lines_).encode())
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        at = draw(st.integers(0, len(body) - 1))
        piece = draw(
            st.sampled_from([b"", b'"', b",", b"}", b" ", b"\\", b"0", b"\xff", b"\r", b"\n", b"\x01", b"e", b"-"])
        )
        body[at : at + draw(st.integers(0, 2))] = piece
        if not body:
            break
    return bytes(body)


@settings(max_examples=examples(50), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(broken(), min_size=1, max_size=12), st.booleans())
@example([b""], True)
def test_any_block_is_read_as_row_by_row(lines: list[bytes], ends: bool) -> None:
    check(b"\n".join(lines) + (b"\n" if ends else b""))


@settings(deadline=None)
@given(st.lists(st.text("ab\n \r\u00e9").map(str.encode), max_size=6), st.integers(1, 30))
def test_blocks_are_whole_lines_and_number_them(chunks: list[bytes], size: int) -> None:
    with TemporaryDirectory() as folder:
        found = [(b.first, b.rows, b.is_clean, b.path.read_bytes()) for b in blocks(chunks, size, Path(folder))]
    assert b"".join(body for *_, body in found) == b"".join(chunks)
    for place_, (first, rows, is_clean, body) in enumerate(found):
        assert first == 1 + b"".join(b for *_, b in found[:place_]).count(b"\n")
        assert rows == body.count(b"\n") + (not body.endswith(b"\n"))
        assert body.endswith(b"\n") or place_ == len(found) - 1
        assert is_clean == (body.isascii() and b"\r" not in body)


def test_a_block_with_a_line_that_is_too_long_is_not_clean() -> None:
    for length in (MOST_LINE_BYTES + 1, MOST_LINE_BYTES * 2):
        body = b"a\n" + b"x" * length + b"\nb\n"
        for size in (1000, 20_000, 300_000):
            with TemporaryDirectory() as folder:
                chunks = [body[i : i + size] for i in range(0, len(body), size)]
                assert not next(blocks(chunks, 10**9, Path(folder))).is_clean, (length, size)


def test_plain_lines_do_not_take_the_slow_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only an account or value that needs a look is looked at: not one of these lines."""
    monkeypatch.setattr("saldo.usage.partitions_ingest.row_of_line", lambda *_: pytest.fail("read row by row"))
    at = datetime(2026, 10, 30, tzinfo=UTC)
    told = [
        line(i, time=f"{(at + timedelta(hours=i)).isoformat()[:19]}Z", value=str(i), meter=("tokens", "calls")[i % 2])
        for i in range(100)
    ]
    shapes = [line(200, properties={"a": "b"}), line(201, spaced=True, properties={"a": "b"}), line(202, value=7)]
    _, others, filed = by_engine("\n".join([*told, *shapes]).encode(), 1)
    assert others == [] and filed.accepted == 103


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.decimals(-(10**9), 10**9, places=3), st.datetimes(datetime(1999, 1, 1))), min_size=1))  # noqa: DTZ001
def test_what_the_engine_tells_of_a_file_is_what_the_file_holds(told: list[tuple[Decimal, datetime]]) -> None:
    texts = [line(n, value=str(value), time=f"{at:%Y-%m-%dT%H:%M:%S}Z") for n, (value, at) in enumerate(told)]
    with Engine(threads=1).at_work() as (connection, folder):
        (folder / "block").write_text("\n".join(texts))
        reading = partitions_lines.read(connection, folder, Block(folder / "block", 1, len(texts)))
        shape = rules.shape_among(texts)
        assert shape is not None and reading.file is not None
        asked = connection.execute(partitions_lines._stretches(partitions_lines._said(shape))).fetchall()
        assert list(reading.stretches) == asked
        (one,) = asked
        assert one[:5] == (ACCOUNT, "tokens", True, len(texts), len(texts))


@pytest.mark.parametrize("written", ["2026-11-05T10:20:30Z", "2026-11-05T10:20:30.123Z", "2026-11-05T10:20:30.123456Z"])
def test_no_two_neighbouring_characters_make_a_time_that_is_not_written_as_times_are(written: str) -> None:
    """Every pair of ASCII characters at every place: taken only where writing the time again gives the same text."""
    shape = rules.shape_among([line(1, time=written)])
    assert shape is not None
    column = rules.field(shape, "time")
    with Engine(threads=1, memory_mb=256).at_work() as (connection, _):
        connection.execute("CREATE TEMP TABLE letter AS SELECT chr(i::INTEGER) AS x FROM range(1, 127) r(i)")
        for at in range(len(written) - 1):
            made = f"{rules.text(written[:at])} || a.x || b.x || {rules.text(written[at + 2 :])}"
            listed = f"SELECT list_resize([]::VARCHAR[], {shape.fields.index(('time',))}) || [{made}] AS s"
            rows = f"SELECT {column} AS t, {rules.time_of(shape)} AS moment FROM ({listed} FROM letter a, letter b)"
            rows += f" WHERE {rules.time_is_plain(shape)}"
            same = f"strftime(moment, {rules.text(shape.time)}) = t AND moment = t::TIMESTAMP"
            found = connection.execute(f"SELECT count(*), count(*) FILTER (NOT ({same})) FROM ({rows})").fetchall()
            assert found[0][0] and not found[0][1], written[:at]
