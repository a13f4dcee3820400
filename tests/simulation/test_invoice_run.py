"""A run bills each account once: retried, crashed at any call, started twice, or with some accounts failing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from unittest.mock import patch

import pytest

from saldo.insight.invariants import check_all
from saldo.invoicing.codec import body_from_bytes
from saldo.invoicing.run import account_parts
from saldo.invoicing.run.bill import bill_accounts
from saldo.invoicing.run.close import MOST_DIFFERENCES, close_run, fail_run, reconcile_run
from saldo.invoicing.run.issue import issue_invoices
from saldo.invoicing.run.model import RunState, run_id_of
from saldo.invoicing.run.number import attempt_with_aside, number_invoices, set_aside_of
from saldo.invoicing.run.open import latest_attempt, open_run
from saldo.kernel.errors import NotFound, Refusal
from saldo.storage.items import Item
from saldo.storage.units import Unit
from tests.simulation.world import ENTITY, World

JAN, FEB, MAR = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)


def _invoices(world: World) -> list[Item]:
    return sorted((i for i in world.store.scan() if i["kind"] == "invoice"), key=lambda i: i["number"])


def _essence(world: World) -> list[tuple[object, ...]]:
    """What must come out the same however often the work was interrupted (ids of plans and lists are chance)."""
    kinds = ("invoice", "body", "entry", "balance", "subscription", "wallet", "item", "series")
    names = ("number", "status", "open_minor", "total_minor", "body", "postings", "next_bill_on", "invoice_id", "next")
    rows = [
        (i["pk"], i["sk"], *(repr(i.get(n)) for n in names), repr(i.get("EUR receivables")))
        for i in world.store.scan()
        if i["kind"] in kinds
    ]
    return sorted(rows)


def test_a_run_issues_one_numbered_invoice_per_account_and_books_it() -> None:
    world = World()
    world.found(120, started_on=JAN)
    closed = world.run(JAN)
    invoices = _invoices(world)
    assert [i["number"] for i in invoices] == [f"RW-2026-{n:06d}" for n in range(1, 121)]
    assert closed.invoices == 120 and closed.set_aside == 0
    assert closed.totals == {"EUR": sum(i["total_minor"] for i in invoices)}
    assert (closed.first_number, closed.last_number) == ("RW-2026-000001", "RW-2026-000120")
    assert check_all(world.store).violations == []


def test_usage_of_the_ended_month_and_the_fee_of_the_new_one_come_on_one_invoice() -> None:
    world = World()
    (account,) = world.found(1, started_on=JAN)
    world.run(JAN)
    world.use(account, date(2026, 1, 20), 1500, "e1")
    world.now = world.now.replace(month=2)
    world.run(FEB)
    last = _invoices(world)[-1]
    # 49.00 + 7.50 in advance, 1000 × 0.02 + 500 × 0.015 = 27.50 in arrears, 19 % VAT
    assert (last["net_minor"], last["tax_minor"], last["total_minor"]) == (8400, 1596, 9996)


def test_a_run_started_again_after_it_closed_changes_nothing() -> None:
    world = World()
    world.found(3, started_on=JAN)
    world.run(JAN)
    before = _essence(world)
    again = world.run(JAN)
    assert again.invoices == 3
    assert _essence(world) == before


def test_two_executions_of_the_same_run_join_the_same_attempt() -> None:
    world = World()
    world.found(60, started_on=JAN)
    first = open_run(world.store, world.clock, ENTITY.id, "2026-01-01")
    second = open_run(world.store, world.clock, ENTITY.id, "2026-01-01T03:00:00Z")
    assert (second.run_id, second.number, second.plan_id) == (first.run_id, first.number, first.plan_id)
    for batch in first.batches:
        bill_accounts(world.billing(), first.run_id, first.number, batch)
    for batch in second.batches:
        assert bill_accounts(world.billing(), first.run_id, first.number, batch).set_aside == ()
    assert len(number_invoices(world.store, world.clock, first.run_id, 1)) == 1
    assert world.run(JAN).invoices == 60
    assert check_all(world.store).violations == []


def _break(world: World, account: str) -> Item:
    """Let the account's subscription point at a plan version that is not there."""
    item = world.store.query(account, prefix="subscription#").items[0]
    world.store.write_one(Unit("break").put(item | {"plan_version_id": "nowhere_v9"}))
    return item


def test_an_account_that_cannot_be_billed_is_set_aside_and_the_rest_goes_through() -> None:
    world = World()
    accounts = world.found(5, started_on=JAN)
    sound = _break(world, accounts[2])
    closed = world.run(JAN)
    assert (closed.invoices, closed.set_aside) == (4, 1)
    (aside,) = set_aside_of(world.store, closed)
    assert (aside.account_id, aside.code) == (accounts[2], "plan_version_missing")

    world.store.write_one(Unit("mend").put(sound))
    retried = world.run(JAN)
    assert (retried.number, retried.invoices, retried.set_aside) == (2, 1, 0)
    assert [i["number"] for i in _invoices(world)] == [f"RW-2026-{n:06d}" for n in range(1, 6)]
    assert check_all(world.store).violations == []


def test_each_attempt_of_a_day_says_whom_it_set_aside_itself() -> None:
    world = World()
    accounts = world.found(5, started_on=JAN)
    sound = [_break(world, account) for account in accounts[1:3]]
    first = world.run(JAN)
    world.store.write_one(Unit("mend").put(sound[0]))
    second = world.run(JAN)
    for attempt, wanted in ((first, accounts[1:3]), (second, accounts[2:3])):
        same, aside = attempt_with_aside(world.store, attempt.run_id, attempt.number)
        assert same == attempt and aside == set_aside_of(world.store, attempt)
        assert [one.account_id for one in aside] == wanted
    with pytest.raises(NotFound):
        attempt_with_aside(world.store, first.run_id, 3)


def test_whom_an_earlier_try_of_a_batch_set_aside_is_so_no_more_once_billed() -> None:
    world = World()
    (account,) = world.found(1, started_on=JAN)
    sound = _break(world, account)
    attempt = open_run(world.store, world.clock, ENTITY.id, JAN.isoformat())
    (batch,) = attempt.batches
    for mend, aside in ((False, [account]), (True, [])):
        if mend:
            world.store.write_one(Unit("mend").put(sound))
        bill_accounts(world.billing(), attempt.run_id, attempt.number, batch)
        assert [one.account_id for one in set_aside_of(world.store, attempt)] == aside


def test_an_account_with_a_damaged_record_is_set_aside_alone() -> None:
    world = World()
    accounts = world.found(60, started_on=JAN)
    world.run(JAN)
    for i, account in enumerate(accounts[:3]):
        world.use(account, date(2026, 1, 5), 10, f"e{i}")
    chunk = world.store.query(accounts[1], prefix="usage#").items[0]
    world.store.write_one(Unit("damage").put(chunk | {"events": b"not what was written"}))
    world.now = world.now.replace(month=2)
    closed = world.run(FEB)
    assert (closed.invoices, closed.set_aside) == (59, 1)
    (aside,) = set_aside_of(world.store, closed)
    assert (aside.account_id, aside.code) == (accounts[1], "unreadable_records")


def test_a_failed_run_goes_on_where_it_stopped() -> None:
    world = World()
    world.found(5, started_on=JAN)
    attempt = open_run(world.store, world.clock, ENTITY.id, "2026-01-01")
    bill_accounts(world.billing(), attempt.run_id, 1, "00000")
    fail_run(world.store, attempt.run_id, 1, "a lambda fell over")
    failed = latest_attempt(world.store, attempt.run_id)
    assert failed is not None and (failed.state, failed.error) == (RunState.FAILED, "a lambda fell over")
    closed = world.run(JAN)
    assert (closed.number, closed.invoices) == (1, 5)
    assert check_all(world.store).violations == []


def test_a_draft_that_a_straggler_froze_after_numbering_gets_a_further_block() -> None:
    world = World()
    accounts = world.found(51, started_on=JAN)
    attempt = open_run(world.store, world.clock, ENTITY.id, "2026-01-01")
    bill_accounts(world.billing(), attempt.run_id, 1, "00000")
    number_invoices(world.store, world.clock, attempt.run_id, 1)
    bill_accounts(world.billing(), attempt.run_id, 1, "00001")
    closed = world.run(JAN)
    assert closed.invoices == len(accounts)
    assert check_all(world.store).violations == []


def _issued(world: World, on: date) -> tuple[str, int]:
    """A run up to its reconciliation."""
    world.now = max(world.now, datetime(on.year, on.month, on.day, 4, tzinfo=UTC))
    attempt = open_run(world.store, world.clock, ENTITY.id, on.isoformat())
    for batch in attempt.batches:
        bill_accounts(world.billing(), attempt.run_id, attempt.number, batch)
    for batch in number_invoices(world.store, world.clock, attempt.run_id, attempt.number):
        issue_invoices(world.store, world.clock, attempt.run_id, attempt.number, batch)
    return attempt.run_id, attempt.number


@pytest.mark.parametrize("damage", ["lost", "changed"])
def test_a_run_whose_books_lack_an_entry_or_say_otherwise_does_not_reconcile(damage: str) -> None:
    world = World()
    accounts = world.found(3, started_on=JAN)
    run_id, number = _issued(world, JAN)
    (entry,) = world.store.query(accounts[1], prefix="entry#").items
    bent = [{**leg, "minor": leg["minor"] * 2} for leg in entry["postings"]]
    unit = Unit("damage")
    unit.delete((entry["pk"], entry["sk"])) if damage == "lost" else unit.put(entry | {"postings": bent})
    world.store.write_one(unit)
    with pytest.raises(Refusal, match="run_does_not_reconcile") as refused:
        reconcile_run(world.store, run_id, number)
    assert entry["source_id"] in str(refused.value)


def test_each_seller_has_a_run_of_its_own_on_a_day() -> None:
    assert run_id_of("ent_eu_seller", JAN) != run_id_of("ent_eu_lumen", JAN)
    assert run_id_of("ent_eu_seller", JAN) != run_id_of("ent_eu_seller", FEB)


def test_a_run_for_a_date_before_the_last_numbers_is_refused() -> None:
    world = World()
    world.found(1, started_on=JAN)
    world.run(FEB)
    with pytest.raises(Refusal) as refused:
        world.run(JAN)
    assert refused.value.problems[0].code == "numbers_would_go_back"


def test_a_run_for_a_day_that_has_not_begun_is_refused() -> None:
    world = World()
    world.found(1)
    with pytest.raises(Refusal) as refused:
        open_run(world.store, world.clock, ENTITY.id, "2026-01-02")
    assert refused.value.problems[0].code == "in_the_future"


@pytest.mark.parametrize("as_of", ["2026-13-01", "tomorrow", "2026-01-01T04:00:00", ""])
def test_a_run_as_of_no_date_is_refused(as_of: str) -> None:
    world = World()
    world.found(1)
    with pytest.raises(Refusal, match="invalid_as_of"):
        open_run(world.store, world.clock, ENTITY.id, as_of)


def test_a_dry_run_writes_no_draft_and_names_what_would_differ() -> None:
    world = World()
    accounts = world.found(2, started_on=JAN)
    world.run(JAN)
    world.use(accounts[1], date(2026, 1, 5), 100, "e1")
    world.now = world.now.replace(month=2)
    before = _essence(world)
    attempt = open_run(world.store, world.clock, ENTITY.id, "2026-02-01", dry_run=True)
    for batch in attempt.batches:
        bill_accounts(world.billing(), attempt.run_id, attempt.number, batch)
    closed = close_run(world.store, world.clock, attempt.run_id, attempt.number)
    assert _essence(world) == before
    assert closed.invoices == 2
    (difference,) = closed.differences
    assert difference["account_id"] == accounts[1]
    assert int(str(difference["now_minor"])) - int(str(difference["before_minor"])) == 238  # 100 × 0.02 + 19 %


def test_a_dry_run_names_the_largest_differences_however_many_accounts_are_held_at_once() -> None:
    world = World()
    accounts = world.found(MOST_DIFFERENCES + 10, started_on=JAN)
    world.run(JAN)
    for n, account_id in enumerate(accounts):
        world.use(account_id, date(2026, 1, 5), 1000 + 100 * n, "e1")
    world.now = world.now.replace(month=2)
    told = []
    for at_once in (account_parts.HELD_AT_ONCE, 7):
        attempt = open_run(world.store, world.clock, ENTITY.id, "2026-02-01", dry_run=True)
        for batch in attempt.batches:
            bill_accounts(world.billing(), attempt.run_id, attempt.number, batch)
        with patch.object(account_parts, "HELD_AT_ONCE", at_once):
            told.append(close_run(world.store, world.clock, attempt.run_id, attempt.number).differences)
    assert [d["account_id"] for d in told[0]] == list(reversed(accounts))[:MOST_DIFFERENCES]
    assert told[0] == told[1]


def test_a_late_run_bills_every_month_it_missed() -> None:
    world = World()
    world.found(1, started_on=JAN)
    closed = world.run(MAR)
    assert closed.invoices == 1
    (body,) = [body_from_bytes(i["body"]) for i in world.store.scan() if i["kind"] == "body"]
    assert [charge.split("@")[1] for charge in body.charges] == ["2026-01-01", "2026-02-01", "2026-03-01"]


def test_thousands_of_invoices_cost_few_calls() -> None:
    world = World()
    world.found(1000, started_on=JAN)
    world.client.calls = 0
    world.run(JAN)
    assert world.client.calls / 1000 < 0.5
