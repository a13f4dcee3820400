"""Whatever call of whatever workflow goes wrong, repeating it ends as if nothing had happened; none is left out."""

from __future__ import annotations

import ast
from collections import defaultdict
from contextlib import suppress
from copy import copy
from functools import cache
from typing import Any

import pytest

from saldo.insight.checks_beginnings import BEGUN_BY, SET_BY
from tests.crashes import Kind
from tests.simulation import matrix
from tests.simulation.begun import FOLLOWS_FROM
from tests.simulation.matrix import Point, Result
from tests.simulation.prepared import prepared
from tests.simulation.region import Region, quiet
from tests.simulation.workflows import FAILURES, Workflow, workflows
from tests.simulation.writers import (
    CHAINS_NOT_IN_WORKFLOWS,
    HANDLERS_NOT_IN_WORKFLOWS,
    NOT_IN_WORKFLOWS,
    chains,
    handlers,
    writers,
    writes,
)

FLOWS = workflows()
PAIRS = 1  # thousands are for `make nightly`
# Lists that one reader has of records of several kinds.
MIXED = {"due": {"subscription", "item"}}


@cache
def _undisturbed(name: str) -> matrix.Undisturbed:
    with quiet():
        return matrix.undisturbed(next(flow for flow in FLOWS if flow.name == name))


@cache
def _seen() -> frozenset[str]:
    return frozenset(name for flow in FLOWS for name in _undisturbed(flow.name).writers)


def _one_kind_a_call(points: list[Point]) -> list[Point]:
    """Every call once, each with another kind of fault than the one before, and every write that may be doubled so; all
    kinds are for `make crashes`."""
    chosen = [point for point in points if point.kind is Kind.DOUBLED]
    kinds = [kind for kind in Kind if kind is not Kind.DOUBLED]
    for number in range(1, points[-1].number + 1):
        own = {point.kind: point for point in points if point.number == number}
        wanted = [kinds[(number + turn) % len(kinds)] for turn in range(len(kinds))]
        chosen.append(next(own[kind] for kind in wanted if kind in own))
    return chosen


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_a_fault_at_any_call_leaves_what_was_left_without_it(flow: Workflow) -> None:
    expected = _undisturbed(flow.name)
    with quiet():
        results = [matrix.fire(flow, _one_kind_a_call, expected), matrix.fire_pairs(flow, PAIRS, expected=expected)]
    assert not any(result.diverged for result in results), _told(results)


def _told(results: list[Result]) -> str:
    return "\n".join(f"{points}: {wrong}" for result in results for points, wrong in result.diverged)


def test_every_hosted_function_is_in_a_workflow() -> None:
    asked = {name for flow in FLOWS for name in _undisturbed(flow.name).asked}
    missing = {h for h in handlers() if not any(name.startswith(f"{h}.") for name in asked)}
    missing -= set(HANDLERS_NOT_IN_WORKFLOWS)
    assert not missing, f"write a workflow (tests/simulation/workflows) for {sorted(missing)}"


def test_everything_that_writes_is_in_a_workflow() -> None:
    missing = writers() - _seen() - set(NOT_IN_WORKFLOWS)
    assert not missing, f"write a workflow (tests/simulation/workflows) for {sorted(missing)}"


def test_whatever_workflows_write_by_is_found_in_the_source() -> None:
    """So nothing that the product writes by is missing from what the source is searched for."""
    direct = {name for flow in FLOWS for name in _undisturbed(flow.name).direct}
    assert len(direct) > 150
    assert not direct - writers(), f"not found to write (tests/simulation/writers.py): {sorted(direct - writers())}"


def test_a_page_or_call_that_changes_two_things_is_in_a_workflow() -> None:
    found = chains(_seen() | writers()).keys()
    missing = found - _seen() - set(CHAINS_NOT_IN_WORKFLOWS)
    assert not missing, f"write a workflow (tests/simulation/workflows) for {sorted(missing)}"
    assert set(CHAINS_NOT_IN_WORKFLOWS) <= found


@pytest.mark.parametrize(
    ("call", "does"),
    [
        ("self._store.write(units)", True),
        ("self.records.write_one(unit)", True),
        ("self._store.change(key, add=a, when=w)", True),
        ("self._files.put(key, body, kind)", True),
        ("usage_bucket().put(key, body, kind)", True),
        ("self._client.send_message_batch(QueueUrl=q, Entries=e)", True),
        ("self._client.delete_object(Bucket=b, Key=k)", True),
        ("self.gateway.create_setup(asked)", True),
        ("self._gateway.forget(method_id)", True),
        ("service.record(document)", True),
        ("claim_all(store, claim, parts, key, {})", True),
        ("unit.put(item)", False),
        ("self._store.get(*key)", False),
        ("file.write(piece)", False),
        ("records.change(unit, old, new)", False),
    ],
)
def test_what_counts_as_writing(call: str, does: bool) -> None:
    (said,) = ast.parse(call).body
    assert isinstance(said, ast.Expr) and writes(said.value) is does


def test_a_list_of_the_agenda_has_the_records_of_one_reader() -> None:
    """Whoever reads a list takes each of its records for what it writes there itself."""
    kinds: dict[str, set[str]] = defaultdict(set)
    for flow in FLOWS:
        for name, kind in _undisturbed(flow.name).listed:
            kinds[name].add(kind)
    assert {name: found for name, found in kinds.items() if len(found) > 1} == MIXED


def test_each_kind_of_record_is_held_against_an_audit_record_or_follows_from_one_that_is() -> None:
    left = {kind for flow in FLOWS for kind in _undisturbed(flow.name).kinds}
    held, follow = {*BEGUN_BY, *SET_BY}, set[str]().union(*FOLLOWS_FROM.values())
    assert not left - held - follow, "how does it begin (checks_beginnings.py, tests/simulation/begun.py)?"
    assert not (held | follow) - left, "no workflow leaves it: a rule or an excuse of nothing"


def test_what_is_excused_is_there() -> None:
    assert set(NOT_IN_WORKFLOWS) <= writers()
    assert not set(NOT_IN_WORKFLOWS) & _seen(), "what is in a workflow needs no excuse"
    assert set(HANDLERS_NOT_IN_WORKFLOWS) <= handlers()


def test_a_workflow_that_does_not_converge_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard of an event written apart from its effect: a crash between them loses the effect."""
    from saldo.storage.store import Store
    from saldo.storage.units import Unit

    whole = Store.write_one

    def in_two(store: Store, unit: Unit) -> object:
        guards = [w for w in unit.writes if w.key[1].startswith("guard#gateway_event")]
        if not guards:
            return whole(store, unit)
        first, rest = Unit("guard", guards), Unit("effect", [w for w in unit.writes if w not in guards])
        return whole(store, first) or whole(store, rest)

    flow = next(f for f in FLOWS if f.name == "pay: webhooks")
    monkeypatch.setattr(Store, "write_one", in_two)
    with quiet():
        result = matrix.fire(flow, lambda points: [p for p in points if p.kind is Kind.CRASH_AFTER])
    assert result.diverged


@pytest.mark.parametrize("flow", FLOWS[::9], ids=lambda flow: flow.name)
def test_a_region_goes_back_to_what_its_preparation_left(flow: Workflow) -> None:
    with quiet(), Region().serving() as fresh:
        flow.prepare(fresh)
        anew = _all_there_is(fresh)
    with quiet(), prepared(flow) as scene:
        for _ in range(2):
            region = scene.again()
            assert _all_there_is(region) == anew
            with suppress(*FAILURES):
                flow.work(region)


def _all_there_is(region: Region) -> list[Any]:
    book = [list(map(tuple, region.book._db.execute(f"SELECT * FROM {name}"))) for name in ("checkouts", "events")]
    there = region.buckets.files, region.mail.taken, region.queues.waiting, region.bus.taken, region.machines.started
    with region.undisturbed():
        return [list(region.store.scan()), book, *map(copy, there), region.now, region.chance.random()]
