"""Rejected rows can be mended and tried again, as often as one likes."""

from __future__ import annotations

import pytest

from saldo.kernel.errors import NotFound, Refusal
from saldo.usage.quarantine import Quarantine
from tests.contexts.sellers import CLERK, ENTITY
from tests.contexts.usage.scenes import World, row
from tests.contexts.usage.test_ingest import total
from tests.crashes import assert_survives_every_crash


def held(world: World) -> Quarantine:
    """Two bad rows and a good one."""
    rows = [row(1, value="much"), row(2, meter="steps"), row(3)]
    assert world.usage.ingest(ENTITY, rows, origin="batch").accepted == 1
    return Quarantine(world.store, world.clock)


def test_rows_are_listed_with_their_fields_and_problems() -> None:
    quarantine = held(World())
    first, second = quarantine.rows(ENTITY)
    assert (first.origin, first.row.number, first.row.fields["value"]) == ("batch", 1, "much")
    assert [p.code for p in second.problems] == ["unknown_meter"]
    assert quarantine.rows(ENTITY, code="unknown_meter") == [second]
    assert quarantine.rows(ENTITY, origin="other") == []


def test_a_repaired_row_is_accepted_and_leaves_and_again_changes_nothing() -> None:
    world = World()
    quarantine = held(world)
    quarantine.repair(ENTITY, "batch", 1, {"value": "5"}, CLERK)
    done = quarantine.replay(ENTITY)
    assert (done.tried, done.accepted, done.left, len(done.rejected)) == (2, 1, 1, 1)
    assert total(world) == 105
    before = [i for i in world.store.scan() if i["kind"] != "audit"]
    again = quarantine.replay(ENTITY)
    assert (again.tried, again.accepted, again.left) == (1, 0, 0)
    assert [i for i in world.store.scan() if i["kind"] != "audit"] == before


def test_a_repair_is_on_record_and_keeps_what_came() -> None:
    world = World()
    quarantine = held(world)
    mended = quarantine.repair(ENTITY, "batch", 1, {"value": "5"}, CLERK)
    assert (mended.row.text, mended.row.repairs, mended.row.fields["value"]) == ("row 1", 1, "5")
    assert [i["action"] for i in world.items("audit")].count("usage.row_repaired") == 1
    quarantine.repair(ENTITY, "batch", 1, {"value": "still much"}, CLERK)
    (kept, _) = quarantine.replay(ENTITY).rejected
    assert kept.row.repairs == 2


def test_a_row_that_is_there_already_leaves_as_a_duplicate() -> None:
    world = World()
    quarantine = held(world)
    quarantine.repair(ENTITY, "batch", 1, {"id": "evt-3", "value": "100"}, CLERK)
    done = quarantine.replay(ENTITY, rows=[1])
    assert (done.accepted, done.duplicates, done.left) == (0, 1, 1)
    assert total(world) == 100


def test_what_cannot_be_repaired_is_refused_and_may_be_dropped_with_a_reason() -> None:
    world = World()
    quarantine = held(world)
    with pytest.raises(Refusal, match="invalid_input"):
        quarantine.repair(ENTITY, "batch", 1, {"colour": "red"}, CLERK)
    with pytest.raises(NotFound):
        quarantine.repair(ENTITY, "batch", 9, {"value": "1"}, CLERK)
    with pytest.raises(Refusal, match="reason_missing"):
        quarantine.drop(ENTITY, "batch", 1, " ", CLERK)
    quarantine.drop(ENTITY, "batch", 1, "a test device", CLERK)
    assert [h.row.number for h in quarantine.rows(ENTITY)] == [2]


def test_a_replay_that_crashes_anywhere_and_is_repeated_counts_each_row_once() -> None:
    def scene() -> World:
        world = World()
        held(world).repair(ENTITY, "batch", 1, {"value": "5"}, CLERK)
        return world

    def end_state(world: World) -> object:
        assert total(world) == 105
        return sorted((i["pk"], i["sk"]) for i in world.store.scan())

    from contextlib import nullcontext

    calls = assert_survives_every_crash(
        lambda: nullcontext(scene()),
        lambda world: [world.table],
        lambda world: Quarantine(world.store, world.clock).replay(ENTITY),
        end_state,
    )
    assert calls > 4


def test_an_origin_is_named_by_how_it_begins_while_one_begins_so() -> None:
    world = World()
    for origin in ("batch_1a", "batch_1b", "batch_1"):
        world.usage.ingest(ENTITY, [row(1, value="much")], origin=origin)
    quarantine = Quarantine(world.store, world.clock)
    assert [quarantine.origin_named(ENTITY, text) for text in ("batch_1a", "batch_1")] == ["batch_1a", "batch_1"]
    with pytest.raises(Refusal, match="ambiguous_origin"):
        quarantine.origin_named(ENTITY, "batch_")
    with pytest.raises(NotFound):
        quarantine.origin_named(ENTITY, "batch_2")
