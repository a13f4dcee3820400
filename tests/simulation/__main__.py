"""`python -m tests.simulation months|crashes|equal|engine`: behind `make simulate`, `make crashes`, `make nightly`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from random import Random
from typing import Any

from saldo.storage import schema
from saldo.storage.store import Store
from saldo.storage.units import Unit
from tests import conftest  # noqa: F401 - the environment that functions are tested in
from tests.permissions.gate import acting
from tests.simulation import auditing, matrix
from tests.simulation.dynamodb import MemoryDynamoDB
from tests.simulation.matrix import Result
from tests.simulation.region import Region, enforced, quiet
from tests.simulation.shrink import shortest
from tests.simulation.simulator import Broken, Simulation, Told
from tests.simulation.test_memory_dynamodb import compare
from tests.simulation.workflows import workflows

MONTHS_A_WORLD = 20
# Calls a second of the wire, on a machine like that of docs/performance.md; a slower one is told a bar of its own.
ENGINE_BAR = 100_000


@dataclass(frozen=True, slots=True)
class World:
    """One world of a longer simulation."""

    seed: int
    months: int
    subscriptions: int
    rate: float


def months(seed: int, count: int, subscriptions: int, rate: float, workers: int) -> int:
    """Simulate so many months, world after world; the number of worlds that broke."""
    worlds = [World(seed + n, size, subscriptions, rate) for n, size in enumerate(_sizes(count))]
    told, broken, began = Told(), 0, time.perf_counter()
    with ProcessPoolExecutor(workers) as pool:
        for world, (done, lines) in zip(worlds, pool.map(one_world, worlds), strict=True):
            told.add(done)
            broken += bool(lines)
            print("\n".join(lines), end="\n" if lines else "")
            took = time.perf_counter() - began
            left = took / told.months * (count - told.months) if told.months else 0
            print(
                f"  seed {world.seed}: {told.months:,} of {count:,} months, {told.invoices:,} invoices, "
                f"{told.calls:,} calls, {sum(told.faults.values()):,} faults, {broken} broken, "
                f"{took:,.0f} s, {left:,.0f} s to go",
                flush=True,
            )
    _sum_up(told, broken, time.perf_counter() - began)
    return broken


def _sizes(count: int) -> Iterator[int]:
    while count > 0:
        yield min(count, MONTHS_A_WORLD)
        count -= MONTHS_A_WORLD


def one_world(world: World) -> tuple[Told, list[str]]:
    """What it did, and when it broke, the shortest schedule that breaks it."""
    auditing.forget()
    simulation = Simulation(world.seed, world.subscriptions, world.rate)
    try:
        with quiet():
            simulation.run(world.months)
    except Broken as broken:
        with quiet():
            schedule = shortest(simulation, world.months, broken)
        again = f"make simulate SEED={world.seed} MONTHS={schedule.months} SUBSCRIPTIONS={world.subscriptions}"
        return simulation.told, [*schedule.lines(), f"  again: {again}"]
    return simulation.told, []


def _sum_up(told: Told, broken: int, took: float) -> None:
    print(f"\n{told.months:,} months, {told.steps:,} steps, {told.failures:,} of them tried again; {broken} broken")
    print("faults:   " + ", ".join(f"{name} {n:,}" for name, n in sorted(told.faults.items())))
    print("refusals: " + (", ".join(f"{code} {n:,}" for code, n in sorted(told.refusals.items())) or "none"))
    print(
        f"{told.calls / took:,.0f} calls of the product a second, with its own work and every invariant after each step"
    )


def crashes(only: str, pairs: int | None) -> int:
    """The matrix, workflow by workflow; the number of those that do not converge. pairs: of faults, besides."""
    failed = 0
    print(f"{'workflow':42} {'calls':>6} {'points':>7} {'converged':>10}" + (f" {'pairs':>7}" if pairs != 0 else ""))
    began, points = time.perf_counter(), 0
    for flow in workflows():
        if only not in flow.name:
            continue
        with quiet():
            known = matrix.undisturbed(flow)
            results = [matrix.fire(flow, expected=known)]
            results += [matrix.fire_pairs(flow, pairs, expected=known)] if pairs != 0 else []
        points += sum(r.points for r in results)
        failed += any(r.diverged for r in results)
        print(_row(results), flush=True)
        for line in _diverged(results):
            print(line)
    print(f"\n{points:,} points, {failed} workflows do not converge, {time.perf_counter() - began:,.0f} s")
    return failed


def _row(results: list[Result]) -> str:
    first, *more = results
    share = f"{100 * first.converged / first.points:.0f} %"
    told = "".join(f" {r.converged:>3}/{r.points}" for r in more)
    return f"{first.name:42} {first.calls:>6} {first.points:>7} {share:>10}{told}"


def _diverged(results: list[Result]) -> Iterator[str]:
    for result in results:
        for found, wrong in result.diverged[:3]:
            yield "    " + ", then ".join(f"{p.kind} at call {p.number}" for p in found)
            yield from ("      " + line for line in wrong.splitlines())


def engine(calls: int, bar: int) -> int:
    """How fast the region in memory answers: reads, small transactions and queries, one after the other.

    The table alone; then the whole wire as a hosted function's client has it: policies of its role, a draw whether the
    call fails, the running print, the table; then with `Store` around it, that turns values into attributes and back.

    Answers 1 where the whole wire is slower than `bar` calls a CPU second: the wire is what a simulated call is.
    """
    region = Region(seed="0")
    chance = Random(0)
    region.wire.fault = lambda _number, _operation, when: chance.random() < 0 if when == "before" else None
    client, store = region.client("dynamodb"), region.store
    _told("the table in memory by itself", calls, _of_client(MemoryDynamoDB(schema.AGENDA_FIELDS), calls))
    enforced()  # reading the policies is no part of any call
    with acting("portal"):
        wire = _told("policies, faults and the table", calls, _of_client(client, calls))
        _told("the same through the store", calls, _of_store(store, calls))
    print(f"the wire is {'as' if wire >= bar else 'not as'} fast as its bar, {bar:,}")
    return int(wire < bar)


def _told(what: str, calls: int, busy: float) -> float:
    """Calls a CPU second."""
    print(f"{what:32} {calls / busy:>9,.0f} calls a CPU second")
    return calls / busy


def _of_client(table: Any, calls: int) -> float:
    """CPU seconds of so many calls as boto3 takes them."""
    owners, chance, began = [f"acct_eu_{n:06d}" for n in range(500)], Random(0), time.process_time()
    for n in range(calls):
        owner = owners[int(chance.random() * 500)]
        if n % 4 == 0:
            item = {"pk": {"S": owner}, "sk": {"S": f"x#{n % 40}"}, "kind": {"S": "x"}, "n": {"N": str(n)}}
            table.transact_write_items(TransactItems=[{"Put": {"TableName": "records", "Item": item}}])
        elif n % 4 == 1:
            table.query(
                TableName="records",
                KeyConditionExpression="#p = :p AND begins_with(#s, :s)",
                ExpressionAttributeNames={"#p": "pk", "#s": "sk"},
                ExpressionAttributeValues={":p": {"S": owner}, ":s": {"S": "x#"}},
                Limit=3,
            )
        else:
            table.get_item(TableName="records", Key={"pk": {"S": owner}, "sk": {"S": f"x#{n % 40}"}})
    return time.process_time() - began


def _of_store(store: Store, calls: int) -> float:
    """CPU seconds of the same calls as use cases make them."""
    owners, chance, began = [f"acct_eu_{n:06d}" for n in range(500)], Random(0), time.process_time()
    for n in range(calls):
        owner = owners[int(chance.random() * 500)]
        if n % 4 == 0:
            store.write_one(Unit("x").put({"pk": owner, "sk": f"x#{n % 40}", "kind": "x", "n": n}))
        elif n % 4 == 1:
            store.query(owner, prefix="x#", limit=3)
        else:
            store.get(owner, f"x#{n % 40}")
    return time.process_time() - began


def equal(operations: int, workers: int) -> int:
    """Random operations on the table in memory and on the emulator; raises where they differ."""
    done, seed, began = 0, 0, time.perf_counter()
    with ProcessPoolExecutor(workers) as pool:
        while done < operations:
            done += sum(pool.map(compare, range(seed, seed + 20)))
            seed += 20
            print(f"  {done:,} of {operations:,} operations alike, {time.perf_counter() - began:,.0f} s", flush=True)
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    commands = parser.add_subparsers(dest="command", required=True)
    some = commands.add_parser("months", help="months of billing under faults")
    some.add_argument("--seed", type=int, default=1)
    some.add_argument("--months", type=int, default=12)
    some.add_argument("--subscriptions", type=int, default=100)
    some.add_argument("--rate", type=float, default=0.02)
    some.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    points = commands.add_parser("crashes", help="every workflow, every call, every kind of fault")
    points.add_argument("--only", default="", help="workflows whose name has this in it")
    points.add_argument("--pairs", type=int, default=0, help="so many pairs of faults besides; -1 for all")
    alike = commands.add_parser("equal", help="the table in memory against an emulator")
    alike.add_argument("--operations", type=int, default=100_000)
    alike.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    speed = commands.add_parser("engine", help="how many calls a second the region in memory answers")
    speed.add_argument("--calls", type=int, default=400_000)
    speed.add_argument("--bar", type=int, default=ENGINE_BAR, help="calls a CPU second that this machine must reach")
    asked = parser.parse_args()
    if asked.command == "months":
        return months(asked.seed, asked.months, asked.subscriptions, asked.rate, asked.workers)
    if asked.command == "crashes":
        return crashes(asked.only, None if asked.pairs < 0 else asked.pairs)
    if asked.command == "equal":
        return equal(asked.operations, asked.workers)
    return engine(asked.calls, asked.bar)


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
