"""Counts so many events in one process, which prints its peak memory in MB; what it needs to make them is not in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from saldo.storage.schema import AGENDA_FIELDS
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.usage.partitions import Partitions
from saldo.usage.partitions_engine import Engine
from saldo.usage.ports import Ask
from saldo.usage.records import MonthKey
from saldo.usage.records_partitions import FilePart, file_key, parts_unit
from tests.bench.usage_paths import ACCOUNT, ENTITY, METERS, NOVEMBER, FolderOfFiles, part
from tests.simulation.dynamodb import MemoryDynamoDB


def main(events: int, folder: Path) -> None:
    store, files = Store(cast(Any, MemoryDynamoDB(AGENDA_FIELDS)), "records"), FolderOfFiles(folder)
    key = MonthKey(ACCOUNT, METERS[0].id, "202611")
    store.write_one(parts_unit(Unit("parts"), ENTITY, key, None, [FilePart("0", events, 0)]))
    found = Partitions(store, files, Engine(threads=1, memory_mb=256)).count([Ask(ACCOUNT, "UTC", METERS[0], NOVEMBER)])
    assert found[0][1].arrivals == events
    print(_peak_kb() / 1024)


def make(events: int, folder: Path) -> None:
    key = MonthKey(ACCOUNT, METERS[0].id, "202611")
    part(folder / file_key(ENTITY, key, "0").replace("/", "_"), events)


def _peak_kb() -> int:
    """Of this program alone; getrusage would count what the process held before it became this program."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    count = int(sys.argv[1])
    if len(sys.argv) > 2:
        make(count, Path(sys.argv[2]))
    else:
        with TemporaryDirectory(prefix="saldo-bench-") as name:
            subprocess.run([sys.executable, "-m", "tests.bench.usage_peak", str(count), name], check=True)
            main(count, Path(name))
