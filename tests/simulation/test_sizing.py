"""The sizing model against what a run really does."""

from __future__ import annotations

from datetime import date

from infra.cdk import capacity
from saldo.invoicing.run.bill import bill_accounts
from saldo.invoicing.run.open import open_run
from tests.bench import sizing
from tests.bench.counted_run import PerInvoice, last
from tests.bench.sizing import MonthEnd
from tests.simulation.dynamodb import Bill
from tests.simulation.world import ENTITY, World

EACH = PerInvoice(calls=0.4, write_units=20, read_units=8, dollars_per_1000=0.01)


def test_what_the_model_assumes_of_the_agenda_is_so() -> None:
    world = World()
    world.found(200, started_on=date(2026, 1, 1))
    attempt = open_run(world.store, world.clock, ENTITY.id, "2026-01-01")
    before = _due_places(world)
    for batch in attempt.batches:
        bill_accounts(world.billing(), attempt.run_id, attempt.number, batch)
    assert len(before & _due_places(world)) == 0, "each leaves a place and takes one: two writes"


def _due_places(world: World) -> set[tuple[str, str, str]]:
    bill, world.client.bill = world.client.bill, Bill()
    found = {
        (item["agenda_pk"], item["agenda_on"], item["pk"])
        for item in world.store.scan()
        if item["kind"] == "subscription"
    }
    world.client.bill = bill
    return found


def test_the_first_quota_that_is_met_is_named_first() -> None:
    one = MonthEnd(1_000_000)
    assert sizing.speeds(one, EACH)[0].name.endswith("4,000 write units/s")
    assert sizing.speeds(MonthEnd(1_000_000, mail=True), EACH)[0].name == "SES: 14 mails/s"
    assert sizing.seconds(one, EACH) == 1_000_000 / (40_000 / EACH.write_units)
    assert sizing.dollars(MonthEnd(100_000_000), EACH) == 1000
    assert any("**met**" in line for line in sizing.told(MonthEnd(5_000_000), EACH))
    assert not any("**met**" in line for line in sizing.told(one, EACH))


def test_what_a_month_end_is_made_ready_for_covers_what_an_invoice_was_counted_to_ask() -> None:
    counted = last()
    assert counted.write_units <= capacity.WRITE_UNITS < 1.2 * counted.write_units
    assert counted.read_units <= capacity.READ_UNITS < 1.2 * counted.read_units


def test_making_ready_costs_nothing_where_nothing_is_made_ready_and_more_for_more() -> None:
    small, large = capacity.capacity_for(100_000), capacity.capacity_for(1_000_000)
    assert small is not None and large is not None
    (once, monthly), (more_once, more_monthly) = sizing.ready_dollars(small), sizing.ready_dollars(large)
    assert once == 0, "a table takes so much anyway"
    assert 0 < monthly < more_monthly < 100
    assert round(more_once, 2) == round(2 * (14_445 - 4_000) * 0.00065, 2)


def test_dearer_invoices_take_longer() -> None:
    heavy = PerInvoice(calls=4, write_units=40, read_units=8, dollars_per_1000=0.02)
    for end in (MonthEnd(1_000_000), MonthEnd(100_000_000, sellers=250)):
        assert sizing.seconds(end, heavy) > sizing.seconds(end, last())
