"""Usage files: every bad row is reported, good rows are stored, the same file again changes nothing."""

from __future__ import annotations

import json

import pytest

from saldo.kernel.errors import NotFound, Refusal
from saldo.kernel.rows import MOST_LINE_BYTES
from saldo.usage.ingest_files import read_rows
from saldo.usage.ingest_import import UsageImport
from saldo.usage.model import Aggregation, Meter
from tests.contexts.sellers import ACCOUNT, CLERK, ENTITY
from tests.contexts.usage.scenes import HEADER, MemoryFiles, World
from tests.simulation.dynamodb import Crash

BAD = f"""{HEADER}
gateway,e1,{ACCOUNT},tokens,2026-11-01T00:00:00Z,5
gateway,e2,{ACCOUNT},tokens,2026-11-01T00:00:01Z,"7
gateway,e3,{ACCOUNT},tokens
gateway,e1,{ACCOUNT},tokens,2026-11-01T00:00:00Z,5
gateway,e4,acct_eu_nobody,tokens,2026-11-01T00:00:02Z,5

gateway,e5,{ACCOUNT},tokens,2026-11-01T00:00:02Z,-5
gateway,e6,{ACCOUNT},tokens,2027-01-01T00:00:00Z,5
gateway,e7,{ACCOUNT},steps,2026-11-01T00:00:02Z,5
gateway,e8,{ACCOUNT},tokens,2026-11-01T00:00:03Z,8.25
"""


def cloud_event(number: int, **changes: object) -> str:
    event = {
        "specversion": "1.0",
        "type": "com.example.llm.request",
        "source": "gateway",
        "id": f"e{number}",
        "subject": ACCOUNT,
        "time": "2026-11-01T00:00:00Z",
        "data": {"meter": "tokens", "value": 2.5},
    }
    return json.dumps(event | changes)


def imported(world: World, files: MemoryFiles) -> UsageImport:
    return UsageImport(world.store, files, world.clock)


def test_a_bad_file_yields_its_good_rows_and_an_error_for_each_other_one() -> None:
    world, files = World(), MemoryFiles({"in/usage.csv": BAD.encode()})
    summary = imported(world, files).run(ENTITY, "in/usage.csv")
    assert (summary.rows, summary.accepted, summary.duplicates, summary.rejected) == (9, 2, 1, 6)
    assert summary.codes == {
        "broken_row": 2,
        "unknown_account": 1,
        "negative_value": 1,
        "in_the_future": 1,
        "unknown_meter": 1,
    }
    report = [json.loads(line) for line in files.files[summary.report_key].splitlines()]
    assert [r["row"] for r in report] == [3, 4, 6, 8, 9, 10]
    assert report[1]["text"] == f"gateway,e3,{ACCOUNT},tokens"
    assert [item["row"] for item in world.items("quarantine")] == [3, 4, 6, 8, 9, 10]


def test_the_same_file_again_changes_nothing_even_under_another_name() -> None:
    world, files = World(), MemoryFiles({"usage.csv": BAD.encode(), "copy.csv": BAD.encode()})
    first = imported(world, files).run(ENTITY, "usage.csv")
    before = list(world.store.scan())
    world.clock.advance(days=90)
    again = imported(world, files).run(ENTITY, "copy.csv")
    assert again.repeated and (again.rejected, again.report_key) == (first.rejected, first.report_key)
    assert list(world.store.scan()) == before


def test_asked_for_again_what_was_rejected_has_another_chance() -> None:
    world, files = World(), MemoryFiles({"usage.csv": BAD.encode()})
    imported(world, files).run(ENTITY, "usage.csv")
    world.usage.define_meter(Meter("steps", ENTITY, Aggregation.SUM, {"en": "Steps"}, {}), CLERK)
    summary = imported(world, files).run(ENTITY, "usage.csv", again=True)
    assert (summary.accepted, summary.duplicates, summary.rejected) == (1, 3, 5)
    assert [item["row"] for item in world.items("quarantine")] == [3, 4, 6, 8, 9]


def test_a_crash_at_any_call_and_a_repeat_import_the_file_once() -> None:
    def records(crash_at: int) -> tuple[bool, list[tuple[str, str]], int]:
        world, files = World(), MemoryFiles({"usage.csv": BAD.encode()})
        first = world.table.calls

        def fault(number: int, _operation: str, when: str) -> None:
            if number - first == crash_at and when == "after":
                raise Crash

        world.table.fault = fault
        crashed = False
        try:
            imported(world, files).run(ENTITY, "usage.csv")
        except Crash:
            crashed, world.table.fault = True, None
            imported(world, files).run(ENTITY, "usage.csv")
        world.table.fault = None
        kept = [(i["pk"], i["sk"]) for i in world.store.scan()]
        return crashed, sorted(kept), sum(i["count"] for i in world.items("usage"))

    undisturbed = records(0)[1:]
    for call in range(1, 50):
        crashed, *found = records(call)
        assert tuple(found) == undisturbed
        if not crashed:
            return
    pytest.fail("the import never got through")


def test_cloud_events_are_read_line_by_line() -> None:
    lines = [
        cloud_event(1),
        cloud_event(2, data={"meter": "people", "properties": {"person": "p1"}}),
        '{"specversion": "1.0", "id"',
        cloud_event(4, specversion="0.3"),
        cloud_event(5, data="2.5"),
        cloud_event(6, data={"meter": "tokens", "value": True}),
        cloud_event(7, subject=None),
        cloud_event(8).replace("2.5", "NaN"),
        "[" * 5000,
    ]
    world, files = World(), MemoryFiles({"u.ndjson": "\n".join(lines).encode()})
    summary = imported(world, files).run(ENTITY, "u.ndjson")
    assert (summary.accepted, summary.meters) == (2, {"tokens": 1, "people": 1})
    assert summary.codes == {"broken_row": 5, "invalid_value": 1, "invalid_account_id": 1}


def test_numbers_of_cloud_events_keep_every_digit() -> None:
    (row,) = read_rows([cloud_event(1).replace("2.5", "0.10000000000000000001").encode()], "ndjson")
    assert row.fields["value"] == "0.10000000000000000001"


def test_a_header_names_its_missing_unknown_and_repeated_columns() -> None:
    with pytest.raises(Refusal) as refusal:
        list(read_rows([b"id,id,account,meter,at,value\n"], "csv"))
    found = {(p.field, p.code) for p in refusal.value.problems}
    assert found == {
        ("source", "missing_column"),
        ("account_id", "missing_column"),
        ("account", "unknown_column"),
        ("id", "repeated_column"),
    }


@pytest.mark.parametrize(
    ("content", "why"),
    [("source,id\n1,2".encode("utf-16"), "not UTF-8"), (b"source;id;account_id\n1;2;3", "commas")],
)
def test_a_file_saved_in_another_way_says_so(content: bytes, why: str) -> None:
    with pytest.raises(Refusal, match=f"invalid_header.*{why}"):
        list(read_rows([content], "csv"))


@pytest.mark.parametrize("content", [b"", b"\n", b"   \n"])
def test_an_empty_file_is_refused(content: bytes) -> None:
    with pytest.raises(Refusal, match="empty_file"):
        list(read_rows([content], "csv"))


def test_line_ends_byte_order_marks_and_chunks_of_any_size_read_the_same() -> None:
    text = f"\ufeff{HEADER}\r\na,é1,{ACCOUNT},tokens,2026-11-01T00:00:00Z,5\r\n".encode()
    for size in (1, 3, 1000):
        (row,) = read_rows([text[i : i + size] for i in range(0, len(text), size)], "csv")
        assert (row.number, row.fields["id"], row.fields["value"], row.broken) == (2, "é1", "5", None)


def test_bytes_that_are_no_text_and_endless_lines_are_broken_rows() -> None:
    long = f"a,{'b' * 2 * MOST_LINE_BYTES},{ACCOUNT},tokens,x,1"
    content = f"{HEADER}\n{long}\n".encode() + b"a,\xff,acct_eu_customer,tokens,x,1\n" + b"c" * 3 * MOST_LINE_BYTES
    rows = list(read_rows([content[i : i + 4096] for i in range(0, len(content), 4096)], "csv"))
    assert [(r.number, r.broken and r.broken.code) for r in rows] == [(n, "broken_row") for n in (2, 3, 4)]
    assert all(len(r.text) <= MOST_LINE_BYTES + 1 for r in rows)


def test_a_file_of_another_kind_and_an_unknown_seller_are_refused() -> None:
    world, files = World(), MemoryFiles({"usage.xlsx": b"x"})
    with pytest.raises(Refusal, match="unknown_format"):
        imported(world, files).run(ENTITY, "usage.xlsx")
    with pytest.raises(NotFound):
        imported(world, files).run(ENTITY, "gone.csv")
    with pytest.raises(NotFound):
        imported(world, files).run("ent_eu_nobody", "usage.xlsx")
