"""A run of 2,000 accounts on the embedded AWS, through the deployed state machine, and the memory of its steps."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from local.place import Place
from local.stack import LocalStack
from local.supervisor import Instance
from saldo.invoicing.run.model import run_id_of
from saldo.invoicing.run.open import latest_attempt
from saldo.invoicing.run.starter import RunStarter
from saldo.storage.items import Item
from saldo.storage.store import Store
from saldo.usage.model import UsageEvent
from saldo.usage.records import MonthKey, pack, part_item
from tests.bench.figures import Figure
from tests.simulation.world import ENTITY, METER, account_id_of, founding_items

ACCOUNTS = 2000
PORT_BASE = 18480
AS_OF = date(2026, 2, 1)


@contextmanager
def instance() -> Iterator[LocalStack]:
    """An instance of its own, empty, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="saldo-bench-") as folder:
        running = Instance(Place(PORT_BASE, Path(folder) / "state"), lambda line: print(f"  {line}", flush=True))
        try:
            yield next(s for s in running.up(seeded=False) if s.region_code == "eu")
        finally:
            running.down()


def fill(store: Store, accounts: int) -> None:
    """A seller, customers, and a month of usage for each."""
    store.put_many(list(founding_items(accounts, date(2026, 1, 1))))
    store.put_many([_usage(account_id_of(i), 500 + i) for i in range(accounts)])


def empty(stack: LocalStack) -> None:
    """Forget every record, for the next measurement."""
    store = Store(stack.client("dynamodb"), stack.table)
    keys = [{"DeleteRequest": {"Key": {"pk": {"S": i["pk"]}, "sk": {"S": i["sk"]}}}} for i in store.scan()]
    for i in range(0, len(keys), 25):
        stack.client("dynamodb").batch_write_item(RequestItems={stack.table: keys[i : i + 25]})


def _usage(account_id: str, value: int) -> Item:
    at = datetime(2026, 1, 20, 12, tzinfo=UTC)
    events = [UsageEvent("bench", f"e{n}", account_id, METER.id, at, Decimal(value)) for n in range(3)]
    ((packed, count),) = pack(events)
    return part_item(MonthKey(account_id, METER.id, "202601"), 0, packed, count) | {"parts": 1, "version": 1}


def run_seconds(stack: LocalStack) -> float:
    """Wall time of one execution of the deployed state machine."""
    step_functions = stack.client("stepfunctions")
    starter = RunStarter(step_functions, stack.state_machine_arn, lambda: datetime.now(UTC))
    began = time.perf_counter()
    arn = starter.start(ENTITY.id, AS_OF.isoformat())
    while (told := step_functions.describe_execution(executionArn=arn))["status"] == "RUNNING":
        time.sleep(0.05)
    assert told["status"] == "SUCCEEDED", told
    seconds = time.perf_counter() - began
    store = Store(stack.client("dynamodb"), stack.table)
    closed = latest_attempt(store, run_id_of(ENTITY.id, AS_OF))
    assert closed and closed.invoices == ACCOUNTS, closed
    return seconds


def cpu_seconds(place: Place) -> float:
    """CPU so far of the emulator and of every function process below it."""
    root = int((place.pids / "aws.pid").read_text().split()[0])
    parents, spent = {}, {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (stat := _stat(folder)):
            parents[int(folder.name)], spent[int(folder.name)] = stat
    return sum(seconds for pid, seconds in spent.items() if _below(pid, root, parents))


def _stat(folder: Path) -> tuple[int, float] | None:
    try:
        fields = (folder / "stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return None
    return int(fields[1]), sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _below(pid: int, root: int, parents: dict[int, int]) -> bool:
    while pid in parents:
        if pid == root:
            return True
        pid = parents[pid]
    return False


def peak_mb(stack: LocalStack) -> float:
    """Peak memory of a fresh process that runs every step once, after what it needs anyway is imported."""
    environment = {**os.environ, **stack.environment(), "PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-m", "tests.bench.steps", ENTITY.id, AS_OF.isoformat()]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def figures() -> list[Figure]:
    with instance() as stack:
        store = Store(stack.client("dynamodb"), stack.table)
        fill(store, ACCOUNTS)
        before = cpu_seconds(stack.place)
        seconds = run_seconds(stack)
        cpu = cpu_seconds(stack.place) - before
        found = [
            Figure("run of 2,000 accounts on the embedded AWS", ACCOUNTS / seconds, "invoices/s", None, "higher"),
            Figure("CPU of it, emulator included", cpu / ACCOUNTS * 1000, "ms CPU/invoice", None, "lower"),
        ]
        for accounts in (1_000, 10_000):
            empty(stack)
            fill(store, accounts)
            found.append(Figure(f"memory of a run of {accounts:,} accounts", peak_mb(stack), "MB peak", None, "lower"))
        return found
