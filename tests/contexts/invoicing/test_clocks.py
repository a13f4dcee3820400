"""A customer's double on a clock of its own: billed as the customer would be, and never among real books."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from saldo.collections.doubles import DoublesReminders
from saldo.collections.model import DunningStep, ReminderPolicy
from saldo.collections.service import Reminders
from saldo.invoicing.clocks import Clocks, Doubles, clock_of, clocks_of
from saldo.invoicing.codec import body_from_bytes, body_to_json
from saldo.invoicing.model_clock import AccountClock, ClockStep
from saldo.invoicing.recording import record_tax
from saldo.invoicing.records_clock import COPIED, LEFT
from saldo.invoicing.run import whole
from saldo.invoicing.run.open import due_accounts
from saldo.kernel.errors import NotFound, Refusal
from saldo.kernel.ids import is_double
from saldo.kernel.periods import Length
from saldo.kernel.periods import Unit as PeriodUnit
from saldo.renewals.doubles import DoublesRenewals
from saldo.storage.units import Unit
from saldo.subscriptions.model import Change, ChangeKind, CreditRule, Term
from saldo.subscriptions.records import subscription_from, subscription_item
from saldo.subscriptions.rules import subscribe
from saldo.subscriptions.service import Subscriptions
from saldo.usage.ingest_rows import UsageRow
from saldo.usage.service import Usage
from tests.contexts.conftest import Region
from tests.contexts.sellers import CLERK
from tests.simulation.world import ENTITY, METER, VERSION, World, account_id_of

START = date(2026, 1, 1)
REAL = account_id_of(0)


@pytest.fixture
def world() -> World:
    made = World()  # in memory: moto is slow where there are many steps
    made.found(2, started_on=START)
    made.now = datetime(2026, 1, 1, 3, tzinfo=UTC)
    return made


@pytest.fixture
def doubles(region: Region, world: World) -> Doubles:
    return Doubles(world.store, region.sealer, world.clock)


def _clocks(world: World) -> Clocks:
    billing = world.billing()
    return Clocks(billing, DoublesReminders(world.store), DoublesRenewals(world.store, billing.plan_versions))


def moved(world: World, clock: AccountClock, to: date) -> list[ClockStep]:
    """Every step up to that day, each in a process of its own."""
    steps: list[ClockStep] = []
    for _ in range(60):
        steps.append(_clocks(world).step(clock.account_id, to))
        if steps[-1].is_done or steps[-1].set_aside:
            return steps
    raise AssertionError("the clock does not arrive")


def bodies(world: World, account_id: str) -> list[dict[str, Any]]:
    """The frozen invoices of an account with every id of its own taken out."""
    items = world.store.query_all(account_id, prefix="body#", consistent=True)
    found = [body_to_json(body_from_bytes(item["body"])) for item in items]
    return [_without_ids(body) for body in sorted(found, key=lambda b: b["issued_on"])]


def _without_ids(body: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps(
        {**body, "id": "", "seller_facts": ""}
    )  # a double's seller is called TEST-…, without a bank account
    text = re.sub(r"(acct|org|ent)_eu_[a-z0-9_]+", r"\1", text)
    text = re.sub(r"inv_[0-9a-z]+/", "inv/", text)  # the line that a credit gives back
    return dict(json.loads(re.sub(r"sub_000000(_test)?", "sub", text)))


def test_a_double_is_billed_exactly_as_the_customer_is_in_real_life(world: World, doubles: Doubles) -> None:
    clock = doubles.create(REAL, START, CLERK)
    steps = moved(world, clock, date(2026, 6, 30))
    for month in range(1, 7):
        world.run(date(2026, month, 1))
    assert bodies(world, clock.account_id) == bodies(world, REAL)
    billed_on = [s.clock.today for s in steps if s.run_id or s.is_done]
    assert billed_on == [*(date(2026, m, 1) for m in range(1, 7)), date(2026, 6, 30)]
    issued = [one for step in steps for one in step.issued]
    assert [one.number for one in issued] == [f"TEST-RW-2026-00000{n}" for n in range(1, 7)]


def test_changes_of_a_double_are_settled_as_the_customers_would_be(world: World, doubles: Doubles) -> None:
    clock = doubles.create(REAL, START, CLERK)
    moved(world, clock, date(2026, 1, 15))
    world.run(START)
    change = Change("c1", ChangeKind.QUANTITY, date(2026, 1, 15), quantities={"seats": Decimal(7)})
    subscriptions = Subscriptions(world.store, world.clock)
    subscriptions.change(clock.account_id, "sub_000000_test", change, CLERK)
    subscriptions.change(REAL, "sub_000000", change, CLERK)
    moved(world, clock, date(2026, 3, 1))
    for on in (date(2026, 1, 15), date(2026, 2, 1), date(2026, 3, 1)):
        world.run(on)
    assert bodies(world, clock.account_id) == bodies(world, REAL)
    assert len(bodies(world, REAL)) == 4


def test_the_sellers_own_books_and_numbers_know_nothing_of_a_double(world: World, doubles: Doubles) -> None:
    clock = doubles.create(REAL, START, CLERK)
    moved(world, clock, date(2026, 3, 31))
    assert [a.account_id for a in due_accounts(world.store, ENTITY.id, date(2026, 3, 31))] == [REAL, account_id_of(1)]
    run = world.run(date(2026, 1, 1))
    assert (run.invoices, run.first_number, run.last_number) == (2, "RW-2026-000001", "RW-2026-000002")
    entries = [i for i in world.store.scan() if i["kind"] == "entry"]
    assert {i["entity_id"] for i in entries if i["pk"] == clock.account_id} == {clock.seller_id}
    assert {i["entity_id"] for i in entries if i["pk"] != clock.account_id} == {ENTITY.id}
    customers = [i["account_id"] for i in world.store.query_all(ENTITY.id, prefix="customer#")]
    assert clock.account_id not in customers


def test_usage_of_a_double_is_billed_like_any(world: World, doubles: Doubles) -> None:
    clock = doubles.create(REAL, START, CLERK)
    world.now = datetime(2026, 2, 10, tzinfo=UTC)
    fields = {"source": "t", "id": "1", "account_id": clock.account_id, "meter": METER.id}
    row = UsageRow(1, "", {**fields, "at": "2026-01-20T10:00:00Z", "value": "100"})
    assert not Usage(world.store, world.clock).ingest(clock.seller_id, [row], origin="t").rejected
    moved(world, clock, date(2026, 2, 1))
    (_, february) = bodies(world, clock.account_id)
    assert [(line["quantity"], line["net_minor"]) for line in february["lines"] if line["component"] == "tokens"] == [
        ("100", 200)
    ]


def test_a_trial_is_had_again_and_what_ended_or_pauses_is_left_out(world: World, doubles: Doubles) -> None:
    subscriptions = Subscriptions(world.store, world.clock)
    pause = Change("c1", ChangeKind.PAUSE, date(2026, 1, 5))
    subscriptions.change(REAL, "sub_000000", pause, CLERK)
    with pytest.raises(Refusal, match="nothing_sold"):
        doubles.create(REAL, START, CLERK)
    terms = {"account_id": REAL, "entity_id": ENTITY.id, "plan_version": VERSION, "started_on": START}
    trial = subscribe("sub_trial", **terms, trial_days=14)  # type: ignore[arg-type]  # names are subscribe's
    world.lay([subscription_item(trial)])
    steps = moved(world, doubles.create(REAL, date(2027, 3, 1), CLERK), date(2027, 3, 31))
    assert [s.clock.today for s in steps] == [date(2027, 3, 15), date(2027, 3, 31)]


def test_a_step_that_died_half_way_is_finished_before_the_next(
    world: World, doubles: Doubles, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = doubles.create(REAL, START, CLERK)
    with monkeypatch.context() as patch:
        patch.setattr(whole, "issue_invoices", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            _clocks(world).step(clock.account_id, date(2026, 3, 31))
    steps = moved(world, clock, date(2026, 3, 31))
    assert [one.number for s in steps for one in s.issued] == [f"TEST-RW-2026-00000{n}" for n in (1, 2, 3)]
    assert steps[0].clock.today == START


def test_a_double_that_cannot_be_billed_says_why_and_stays_on_that_day(world: World, doubles: Doubles) -> None:
    clock = doubles.create(REAL, START, CLERK)
    key = (clock.account_id, "subscription#sub_000000_test")
    world.store.write_one(Unit("break").update(key, set={"plan_version_id": "gone"}))
    (step,) = moved(world, clock, date(2026, 3, 31))
    assert step.set_aside and step.set_aside[0] == "plan_version_missing"
    assert clock_of(world.store, clock.account_id).today == START
    world.store.write_one(Unit("mend").update(key, set={"plan_version_id": VERSION.id}))
    assert moved(world, clock, date(2026, 3, 31))[-1].is_done


def test_only_doubles_are_on_a_clock_and_clocks_run_forward(world: World, doubles: Doubles) -> None:
    clock = doubles.create(REAL, START, CLERK)
    clocks = _clocks(world)
    with pytest.raises(Refusal, match="not_on_a_clock"):
        clocks.step(REAL, START)
    with pytest.raises(Refusal, match="is_a_double"):
        doubles.create(clock.account_id, START, CLERK)
    with pytest.raises(Refusal, match="clock_runs_forward"):
        clocks.step(clock.account_id, date(2025, 12, 31))
    with pytest.raises(Refusal, match="too_far"):
        clocks.step(clock.account_id, date(2099, 1, 1))
    with pytest.raises(NotFound):
        clock_of(world.store, "acct_eu_test_gone")
    with pytest.raises(NotFound):
        doubles.create("acct_eu_gone", START, CLERK)
    assert clocks_of(world.store, ENTITY.id) == [clock]


def test_a_double_that_nobody_pays_for_is_reminded_as_the_schedule_says_and_by_the_sellers_own(
    world: World, doubles: Doubles
) -> None:
    Reminders(world.store, world.clock).set_policy(ENTITY.id, ReminderPolicy((DunningStep("late", 3),)), CLERK)
    clock = doubles.create(REAL, START, CLERK)
    steps = moved(world, clock, date(2026, 3, 31))
    told = [(f"{one.on}", one.number[-1], one.step) for step in steps for one in step.reminded]
    # due on 31 January and 3 March: three days later; the invoice of March is due on the 31st
    assert told == [("2026-02-03", "1", "late"), ("2026-03-06", "2", "late")]
    assert [s.clock.today for s in steps if s.reminded] == [date(2026, 2, 3), date(2026, 3, 6)]
    letters = Reminders(world.store, world.clock).of_account(clock.account_id)
    assert {letter.entity_id for letter in letters} == {clock.seller_id}
    assert [i["kind"] for i in world.store.scan() if i["kind"] in ("reminder", "delivery")] == ["reminder"] * 2


def _sold_for_a_quarter(world: World) -> None:
    (item,) = world.store.query_all(REAL, prefix="subscription#", consistent=True)
    term = Term(Length(PeriodUnit.MONTH, 3), notice_days=14, announce_days=25, uplift_percent=Decimal(10))
    world.lay([subscription_item(replace(subscription_from(item), term=term))])


def _fees(world: World, clock: AccountClock) -> dict[str, str]:
    items = world.store.query_all(clock.account_id, prefix="body#", consistent=True)
    found = [body_from_bytes(item["body"]) for item in items]
    return {f"{b.issued_on}": str(line.exact) for b in found for line in b.lines if line.component_id == "base"}


def test_a_doubles_terms_are_announced_renewed_at_their_new_price_and_told_to_nobody(
    world: World, doubles: Doubles
) -> None:
    _sold_for_a_quarter(world)
    clock = doubles.create(REAL, START, CLERK)
    steps = moved(world, clock, date(2026, 7, 1))
    happened = [(f"{one.on}", one.what.value, f"{one.term_ends_on}") for step in steps for one in step.renewals]
    assert happened == [
        ("2026-03-07", "announced", "2026-04-01"),  # a Saturday: nothing else happens then
        ("2026-04-01", "renewed", "2026-04-01"),
        ("2026-06-06", "announced", "2026-07-01"),
        ("2026-07-01", "renewed", "2026-07-01"),
    ]
    fees = _fees(world, clock)
    assert [fees[f"2026-0{month}-01"] for month in (3, 4, 6, 7)] == ["49", "53.9", "53.9", "59.29"]
    assert [i for i in world.store.scan() if i["kind"] == "note"] == []


def test_a_doubles_term_that_was_cancelled_ends_with_it(world: World, doubles: Doubles) -> None:
    _sold_for_a_quarter(world)
    clock = doubles.create(REAL, START, CLERK)
    moved(world, clock, date(2026, 1, 15))
    subscriptions = Subscriptions(world.store, world.clock)
    (sold,) = subscriptions.of_account(clock.account_id)
    stop = Change("chg_stop", ChangeKind.CANCEL, date(2026, 2, 20), credit=CreditRule.NONE)
    subscriptions.change(clock.account_id, sold.id, stop, CLERK)
    steps = moved(world, clock, date(2026, 6, 1))
    assert [(f"{one.on}", one.what.value) for step in steps for one in step.renewals] == [("2026-04-01", "ended")]
    assert max(_fees(world, clock)) == "2026-03-01"


def test_nothing_personal_is_copied_and_nothing_is_mailed(world: World, doubles: Doubles) -> None:
    clock = doubles.create(REAL, START, CLERK)
    moved(world, clock, date(2026, 2, 1))
    own = [i for i in world.store.scan() if i["pk"] in (clock.account_id, clock.seller_id)]
    (account,) = [i for i in own if i["kind"] == "account"]
    (seller,) = [i for i in own if i["kind"] == "entity"]
    assert account["deliver_by_email"] is False and account["name"].startswith("TEST-")
    assert seller["iban"] == "" and seller["name"].startswith("TEST-")


def test_the_tax_service_is_never_told_of_a_doubles_invoice(world: World, doubles: Doubles) -> None:
    clock = doubles.create(REAL, START, CLERK)
    step, *_ = moved(world, clock, date(2026, 1, 31))

    class Service:
        def record(self, document: object) -> None:
            raise AssertionError("a return would have it")

    assert record_tax(world.store, cast(Any, Service()), clock.account_id, step.issued[0].invoice_id) is False
    assert is_double(clock.account_id) and is_double(clock.seller_id)
    assert not any(map(is_double, (REAL, ENTITY.id, "acct_eu_test", "run_eu_x_20260101", "acct_eu_tested_1")))


def test_every_kind_of_record_that_a_seller_owns_is_either_copied_or_left_on_purpose() -> None:
    page = (Path(__file__).parents[3] / "docs" / "data-model.md").read_text()
    rows = re.findall(r"^\| entity \| (.*?) \|", page, re.MULTILINE)
    kinds = {kind for row in rows for kind in re.findall(r"`([a-z_]+)", row)}
    assert kinds and kinds <= {*COPIED, *LEFT}, "say in records_clock whether a double has these too"
