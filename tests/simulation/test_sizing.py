"""The sizing model against what a run really does."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from infra.cdk import capacity
from infra.cdk.functions import CLOSE_RUN, SWEEP_PAYMENTS
from local.place import ROOT
from saldo.invoicing.run.account_parts import HELD_AT_ONCE
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
    assert sizing.in_batches(one, EACH) == 1_000_000 / (40_000 / EACH.write_units)
    assert sizing.dollars(MonthEnd(100_000_000), EACH) == 1000
    assert any("**met**" in line for line in sizing.told(MonthEnd(5_000_000), EACH))
    assert not any("**met**" in line for line in sizing.told(one, EACH))


def test_a_step_that_goes_through_a_whole_run_has_time_for_a_million_invoices_and_memory_for_what_it_holds() -> None:
    for step in sizing.WHOLE_STEPS:
        assert step.quota.allows >= 3_000_000, step.spec.name
        smaller = replace(step, spec=replace(step.spec, memory=512))
        assert smaller.seconds(1_000_000) > step.seconds(1_000_000), "CPU comes with memory"
    closing = sizing.WHOLE_STEPS[-1]
    assert closing.spec is CLOSE_RUN and CLOSE_RUN.memory * 1024 * 1024 / 2 > HELD_AT_ONCE * 300
    assert closing.seconds(4_000_000) > 4 * closing.seconds(1_000_000), "both months are read for each part"


def test_sellers_go_side_by_side_and_what_a_run_goes_through_alone_counts() -> None:
    alone, shared = MonthEnd(1_000_000), MonthEnd(1_000_000, sellers=10)
    assert sizing.through_runs(alone) > 5 * sizing.through_runs(shared)
    assert sizing.seconds(alone, EACH) == sizing.in_batches(alone, EACH) + sizing.through_runs(alone)


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


def test_the_tables_of_the_doc_are_what_the_model_says() -> None:
    doc = (ROOT / "docs" / "scaling.md").read_text()
    for end in sizing.SHOWN:
        assert "\n".join(sizing.told(end, last())) in doc, "python -m tests.bench.sizing prints them"


def test_what_the_doc_says_of_sweeps_is_what_they_do_and_they_end_in_time() -> None:
    doc = (ROOT / "docs" / "scaling.md").read_text()
    assert sizing.sweeps_told() in " ".join(doc.split())
    a_call_s = 0.3  # to a gateway that is slow that day
    assert sizing.MOST_PAYMENTS * (a_call_s + 2 * sizing.CALL_S) < SWEEP_PAYMENTS.timeout_s
