"""A run that should have closed is late; one whose execution died is taken up."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from saldo.invoicing.run.open import open_run
from saldo.invoicing.run.watch import late_runs, stale_attempts
from saldo.storage.settings import EntityCycle
from tests.simulation.world import ENTITY, World

CYCLE = (EntityCycle(ENTITY.id, "Europe/Berlin", 4),)
SIX_IN_BERLIN = datetime(2026, 1, 5, 5, 0, tzinfo=UTC)


def _world(on_record_at: datetime = datetime(2026, 1, 1, 8, tzinfo=UTC)) -> World:
    world = World(now=on_record_at)
    world.found(1, started_on=date(2026, 1, 1))
    return world


def test_a_run_is_late_two_hours_after_its_cycle_hour_in_the_sellers_zone() -> None:
    world = _world()
    assert late_runs(world.store, SIX_IN_BERLIN - timedelta(minutes=1), CYCLE) == []
    assert late_runs(world.store, SIX_IN_BERLIN, CYCLE) == [ENTITY.id]


def test_a_run_that_closed_is_not_late() -> None:
    world = _world()
    world.run(date(2026, 1, 5))
    assert late_runs(world.store, SIX_IN_BERLIN, CYCLE) == []


def test_a_seller_put_on_record_after_the_hour_has_its_first_run_tomorrow() -> None:
    world = _world(on_record_at=datetime(2026, 1, 5, 4, 30, tzinfo=UTC))
    assert late_runs(world.store, SIX_IN_BERLIN, CYCLE) == []
    assert late_runs(world.store, SIX_IN_BERLIN + timedelta(days=1), CYCLE) == [ENTITY.id]


def test_an_attempt_still_open_after_an_hour_is_taken_up_again() -> None:
    world = _world()
    attempt = open_run(world.store, world.clock, ENTITY.id, "2026-01-01")
    assert stale_attempts(world.store, world.now + timedelta(minutes=59), CYCLE) == []
    (stale,) = stale_attempts(world.store, world.now + timedelta(minutes=61), CYCLE)
    assert stale.run_id == attempt.run_id
    world.run(date(2026, 1, 1))
    assert stale_attempts(world.store, world.now + timedelta(minutes=61), CYCLE) == []
