"""Usage of large accounts: events a second of one core, with the naive way beside it in the same run.

One thread of the engine; CPU seconds of this process, best of some runs. The naive way is what one writes first: a line
is `json.loads`, an event a dict, a sum a Decimal, and what came before a set.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, cast

from saldo.kernel.clock import instant_from
from saldo.kernel.periods import Period
from saldo.storage.files import Files
from saldo.storage.schema import AGENDA_FIELDS
from saldo.storage.store import Store
from saldo.usage import partitions_sql as sql
from saldo.usage.ingest_blocks import blocks
from saldo.usage.ingest_import import BLOCK_BYTES, CHUNK_BYTES
from saldo.usage.model import Aggregation, Meter
from saldo.usage.partitions import Partitions
from saldo.usage.partitions_engine import Engine
from saldo.usage.partitions_ingest import UsageIntoFiles
from saldo.usage.ports import Ask, FileDelivery
from tests.bench.figures import Figure
from tests.simulation.dynamodb import MemoryDynamoDB

ENTITY, ACCOUNT = "ent_eu_bench", "acct_eu_large"
METERS = [Meter(name, ENTITY, Aggregation.SUM, {"en": name}, {}) for name in ("tokens_in", "tokens_out")]
NOVEMBER = Period(date(2026, 11, 1), date(2026, 12, 1))
NOW = datetime(2026, 12, 1, tzinfo=UTC)
ENGINE = Engine(threads=1, memory_mb=512)
LINES = 1_000_000
NAIVE_LINES = 100_000
EVENTS = 10_000_000
TIMES = 3


class FolderOfFiles(Files):
    """A bucket as a folder, so that what S3 itself takes is left out."""

    def __init__(self, folder: Path) -> None:
        self.bucket, self._folder = "bench", folder

    def put_from(self, key: str, body: IO[bytes], content_type: str) -> None:
        path = self._folder / key.replace("/", "_")
        with path.open("wb") as file:
            while chunk := body.read(1 << 20):
                file.write(chunk)

    def chunks(self, key: str, size: int = 65_536) -> Iterator[bytes]:
        with (self._folder / key.replace("/", "_")).open("rb") as file:
            while chunk := file.read(size):
                yield chunk


def line(number: int, name: str) -> str:
    """What a gateway tells of one request, in the order and the spacing of most encoders."""
    at = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(milliseconds=number * 7919 % 2_500_000_000)
    return (
        f'{{"specversion":"1.0","type":"llm.request","source":"gateway-{number % 7}","id":"req-{number:010x}",'
        f'"subject":"{ACCOUNT}","time":"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z",'
        f'"data":{{"meter":"{name}","value":"{number * 31 % 5000}"}}}}\n'
    )


def lines(path: Path, count: int, names: int = 1) -> None:
    with path.open("w") as file:
        for number in range(count):
            file.write(line(number, METERS[number % names].id))


def part(path: Path, events: int, repeats: int = 0) -> None:
    """A part as ingest writes it, of made-up events of one month."""
    with ENGINE.at_work() as (connection, folder):
        made = f"""
        SELECT i AS row, 'gateway-' || (i % 7) AS source, printf('req-%010x', i % {events - repeats}) AS id,
            TIMESTAMP '2026-11-01' + to_milliseconds((i * 7919 % 2500000000)::BIGINT) AS happened,
            (i * 31 % 5000)::DECIMAL(38, 12) AS value, NULL::VARCHAR AS properties
        FROM range({events}) r(i)
        """
        connection.execute(f"COPY ({made}) TO '{folder}/part.parquet' (FORMAT parquet)")
        (folder / "part.parquet").replace(path)


@contextmanager
def place() -> Iterator[tuple[Store, FolderOfFiles, Path]]:
    with TemporaryDirectory(prefix="saldo-bench-") as name:
        folder = Path(name)
        (folder / "bucket").mkdir()
        yield Store(cast(Any, MemoryDynamoDB(AGENDA_FIELDS)), "records"), FolderOfFiles(folder / "bucket"), folder


def per_second(count: int, work: Callable[[], object], times: int = TIMES) -> float:
    """Best of some runs, in units per CPU second."""
    best = min(_cpu(work) for _ in range(times))
    return count / best


def _cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def take_in(store: Store, files: Files, path: Path) -> int:
    """A file of lines end to end, in the blocks of an import: read, check, write parts, put them on record."""
    delivery = FileDelivery(ENTITY, frozenset({ACCOUNT}), NOW, {m.id: [m] for m in METERS})
    into, accepted = UsageIntoFiles(store, files, lambda: NOW, ENGINE), 0
    with path.open("rb") as file, TemporaryDirectory(prefix="saldo-bench-") as folder:
        for block in blocks(iter(lambda: file.read(CHUNK_BYTES), b""), BLOCK_BYTES, Path(folder)):
            filed = into.take_lines(delivery, block)
            assert not filed.left and not filed.refused
            accepted += filed.accepted
    return accepted


def naive_totals(path: Path) -> dict[str, Decimal]:
    """Lines to totals the way one writes it first: checked no more than needed to count, each event once."""
    seen: set[tuple[str, str, str]] = set()
    totals: dict[str, Decimal] = {}
    start, end = NOVEMBER.instants("UTC")
    with path.open() as file:
        for text in file:
            event = json.loads(text)
            data = event["data"]
            identity = data["meter"], event["source"], event["id"]
            if identity not in seen and start <= instant_from(event["time"]) < end:
                seen.add(identity)
                totals[data["meter"]] = totals.get(data["meter"], Decimal(0)) + Decimal(data["value"])
    return totals


def naive_sum(values: list[dict[str, Any]]) -> Decimal:
    total = Decimal(0)
    for event in values:
        total += event["value"]
    return total


def peak_mb(events: int) -> float:
    """Peak memory of a fresh process that counts so many events of one month, each once, with 256 MB for the engine."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.usage_peak", str(events)],
        env={"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout.split()[-1])


def figures() -> list[Figure]:
    return [*_ingest(), *_counting(), *_memory()]


def _ingest() -> list[Figure]:
    with place() as (store, files, folder):
        one, two, few = folder / "one.ndjson", folder / "two.ndjson", folder / "few.ndjson"
        lines(one, LINES)
        lines(two, LINES, names=2)
        lines(few, NAIVE_LINES)
        fast = per_second(LINES, lambda: take_in(store, files, one))
        mixed = per_second(LINES, lambda: take_in(store, files, two))
        naive = per_second(NAIVE_LINES, lambda: naive_totals(few))
        ask = Ask(ACCOUNT, "UTC", METERS[1], NOVEMBER)
        assert Partitions(store, files, ENGINE).count([ask])[0][0].quantity == naive_totals(two)[METERS[1].id]
    return [
        Figure("usage: lines to Parquet, one meter", fast, "events/s core", 1e6, "higher"),
        Figure("usage: lines to Parquet, two meters", mixed, "events/s core", None, "higher"),
        Figure("  naive: lines to totals, json and dict", naive, "events/s core", None, "higher"),
    ]


def _counting() -> list[Figure]:
    with TemporaryDirectory(prefix="saldo-bench-") as name:
        once = Path(name) / "once.parquet"
        part(once, EVENTS)
        summed = per_second(EVENTS, lambda: _sum_of(once))
        counted = {repeats: _count_of(repeats) for repeats in (0, EVENTS // 100)}
        values = [{"id": str(i), "value": Decimal(i * 31 % 5000)} for i in range(1_000_000)]
        naive = per_second(len(values), lambda: naive_sum(values))
    return [
        Figure("usage: sum over Parquet", summed, "events/s core", 20e6, "higher"),
        Figure("usage: total, each event once", counted[0], "events/s core", 2e6, "higher"),
        Figure("usage: total, 1 % of events twice", counted[EVENTS // 100], "events/s core", 2e6, "higher"),
        Figure("  naive: sum of Decimals in dicts in memory", naive, "events/s core", None, "higher"),
    ]


def _sum_of(path: Path) -> Decimal:
    """The fold alone, of a window within the month, as the engine is asked for it once repeats are settled."""
    meter = METERS[0]
    with Engine(threads=1).at_work() as (connection, folder):
        (folder / "part.parquet").hardlink_to(path)
        files = [str(folder / "part.parquet")]
        connection.execute("CREATE TEMP VIEW counting AS " + sql.events(files, meter, repeats=False, ordered=False))
        query = sql.folded(meter, (), [(NOW, timedelta())]).format(within=sql.within(meter, carries=False))
        window = {"start": datetime(2026, 11, 1), "end": datetime(2026, 12, 1)}  # noqa: DTZ001
        return Decimal(connection.execute(query, window).fetchall()[0][0])


def _count_of(repeats: int) -> float:
    """A total as a run asks for it: parts fetched, repeats found and settled, summed."""
    with place() as (store, files, folder):
        stocked(store, files, folder, EVENTS, repeats)
        large = Partitions(store, files, ENGINE)
        return per_second(EVENTS, lambda: large.count([Ask(ACCOUNT, "UTC", METERS[0], NOVEMBER)]), times=2)


def stocked(store: Store, files: Files, folder: Path, events: int, repeats: int = 0) -> None:
    """Parts of a million events each on record, of which the last so many repeat earlier ones."""
    from saldo.storage.units import Unit
    from saldo.usage.records import MonthKey
    from saldo.usage.records_partitions import FilePart, file_key, parts_unit

    key, size = MonthKey(ACCOUNT, METERS[0].id, "202611"), 1_000_000
    whole = folder / "whole.parquet"
    part(whole, events, repeats)
    parts = []
    with ENGINE.at_work() as (connection, place_):
        (place_ / "whole.parquet").hardlink_to(whole)
        for number in range(events // size):
            path = place_ / f"{number}.parquet"
            rows = f"SELECT * FROM '{place_}/whole.parquet' WHERE row // {size} = {number}"
            connection.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet)")
            with path.open("rb") as file:
                files.put_from(file_key(ENTITY, key, str(number)), file, "")
            parts.append(FilePart(str(number), size, number))
    store.write_one(parts_unit(Unit("parts"), ENTITY, key, None, parts))


def _memory() -> list[Figure]:
    return [
        Figure(f"usage: memory of a total of {n // 1_000_000} M events", peak_mb(n), "MB peak", None, "lower")
        for n in (1_000_000, 10_000_000)
    ]


if __name__ == "__main__":
    from tests.bench.figures import report

    report(figures())
