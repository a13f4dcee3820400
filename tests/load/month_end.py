"""A month end: usage taken in, a run from opening to closing, each step by its hosted function."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.load import functions
from tests.load.functions import Done
from tests.load.table import RemoteTable, serve
from tests.simulation.dynamodb import Bill
from tests.simulation.world import ENTITY

# Each account's usage comes in on so many days, so that its month is written to again and again.
DAYS = ("2026-01-05", "2026-01-12", "2026-01-19", "2026-01-26")
_SPAWN = get_context("spawn")


@dataclass(slots=True)
class Phase:
    """What a part of the month end took. peak_mb: the most that any process of functions held."""

    name: str
    done: int
    wall_s: float
    functions_cpu_s: float
    table_cpu_s: float
    peak_mb: float
    bill: Bill

    @property
    def per_s(self) -> float:
        return self.done / self.wall_s

    @property
    def cpu_ms_each(self) -> tuple[float, float]:
        """Of the functions and of the table."""
        return self.functions_cpu_s / self.done * 1000, self.table_cpu_s / self.done * 1000

    def __str__(self) -> str:
        ours, tables = self.cpu_ms_each
        return (
            f"{self.name:<28}{self.done:>11,} in {self.wall_s:7.1f} s {self.per_s:>9,.0f}/s   CPU {ours:.3f} ms each, "
            f"table {tables:.3f} ms   {self.bill.total_calls / self.done:.4f} calls each   peak {self.peak_mb:.0f} MB"
        )


@dataclass(slots=True)
class MonthEnd:
    """A table with so many accounts, and processes of functions on it. `apart`: single steps have one of their own."""

    path: str
    workers: int
    say: Callable[[str], None]
    pool: ProcessPoolExecutor
    control: RemoteTable
    apart: bool = True
    phases: list[Phase] = field(default_factory=list)

    def usage(self, accounts: int, events: int) -> Phase:
        """So many events in all, an equal number for each account, over the days of the month."""
        each = max(1, events // accounts // len(DAYS))
        span = max(1, 2000 // each)
        asked = [
            (functions.ingest, first, min(span, accounts - first), day, each, _at(f"{day}T13:00"))
            for day in DAYS
            for first in range(0, accounts, span)
        ]
        events = each * len(DAYS) * accounts
        phase = self._phase("usage events taken in", events, lambda: self._all("usage", asked))
        assert not phase.bill.calls["BatchWriteItem"], "events lie in the quarantine"
        return phase

    def run(self, as_of: date) -> Phase:
        """The seller's run of a date; every step as the state machine calls it. Single steps have a process each."""
        now, issued, before = _at(f"{as_of}T04:00"), 0, len(self.phases)
        opened = self._alone("open", "open_run", {"entity_id": ENTITY.id, "as_of": as_of.isoformat()}, now)
        run = {name: opened[name] for name in ("run_id", "attempt")}
        accounts = opened["batches"]["count"] * 50
        for step, name in (("bill", "bill_accounts"), ("issue", "issue_invoices")):
            told = opened if step == "bill" else self._alone("number", "number_invoices", run, now)
            batches = functions.listed(self.path, told)
            asked = [(functions.invoke, f"invoice_run.{name}", run | {"batch": b}, now) for b in batches]
            self._phase(f"run: {step}", accounts, lambda step=step, asked=asked: self._all(step, asked))  # type: ignore[misc]
        self._alone("reconcile", "reconcile_run", run, now)
        issued = self._alone("close", "close_run", run, now)["invoices"]
        return self._sum(f"run as of {as_of}, {self.workers} at work", issued, self.phases[before:])

    def _alone(self, step: str, name: str, event: dict[str, Any], now: datetime) -> Any:
        answers: list[Any] = []
        with ExitStack() as stack:
            one = self.pool
            if self.apart:
                one = stack.enter_context(ProcessPoolExecutor(1, _SPAWN, functions.start, (self.path,)))
                one.submit(functions.peak_mb).result()  # its start is not the step's
            asked = [one.submit(functions.invoke, f"invoice_run.{name}", event, now)]
            self._phase(f"run: {step}", 1, lambda: self._gather(step, asked, answers))
        return answers[0]

    def _all(self, what: str, asked: Iterable[tuple[Any, ...]]) -> list[Done]:
        return self._gather(what, [self.pool.submit(*call) for call in asked], [])

    def _gather(self, what: str, waiting: list[Future[Done]], answers: list[Any]) -> list[Done]:
        done, told, began = list[Done](), 0, time.perf_counter()
        for future in as_completed(waiting):
            found = future.result()
            answers.append(found.answer)
            done.append(Done(None, found.cpu_s, found.peak_mb))
            if len(waiting) >= 20 and len(done) * 10 // len(waiting) > told:
                told = len(done) * 10 // len(waiting)
                self.say(f"  {what}: {told}0 % after {time.perf_counter() - began:.0f} s")
        return done

    def _phase(self, name: str, count: int, work: Callable[[], list[Done]]) -> Phase:
        _, table_before = self.control.take_bill()
        began = time.perf_counter()
        done = work()
        wall_s = time.perf_counter() - began
        bill, table_after = self.control.take_bill()
        cpu_s = sum(one.cpu_s for one in done)
        phase = Phase(name, count, wall_s, cpu_s, table_after - table_before, max(o.peak_mb for o in done), bill)
        self.phases.append(phase)
        self.say(str(phase))
        return phase

    def _sum(self, name: str, count: int, parts: list[Phase]) -> Phase:
        bill = Bill(wru=sum(p.bill.wru for p in parts), rru=sum(p.bill.rru for p in parts))
        for part in parts:
            bill.calls.update(part.bill.calls)
        whole = Phase(
            name,
            count,
            sum(p.wall_s for p in parts),
            sum(p.functions_cpu_s for p in parts),
            sum(p.table_cpu_s for p in parts),
            max(p.peak_mb for p in parts),
            bill,
        )
        self.say(str(whole))
        return whole


@contextmanager
def month_end(accounts: int, workers: int, say: Callable[[str], None], *, apart: bool = True) -> Iterator[MonthEnd]:
    """A seller with so many customers since January, on a table of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.fspath(Path(folder) / "table")
        process = _SPAWN.Process(target=serve, args=(path,), daemon=True)
        process.start()
        try:
            control = _connected(path)
            control.found(accounts=accounts, started_on=date(2026, 1, 1))
            with ProcessPoolExecutor(workers, _SPAWN, functions.start, (path,)) as pool:
                yield MonthEnd(path, workers, say, pool, control, apart)
        finally:
            process.kill()
            process.join()


def _connected(path: str) -> RemoteTable:
    for _ in range(600):
        try:
            return RemoteTable(path)
        except (FileNotFoundError, ConnectionRefusedError):
            time.sleep(0.05)
    raise TimeoutError("the table did not start")


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
