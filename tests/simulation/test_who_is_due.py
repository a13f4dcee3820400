"""Who is due is found on the agenda: nobody is missed, nobody moved for nothing, and never too many in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saldo.accounts.agenda import monthly_places
from saldo.accounts.model import Account
from saldo.accounts.records import account_from, account_item, consolidated_item
from saldo.audit.model import Actor
from saldo.catalog.records import plan_version_key
from saldo.insight.invariants import check_all
from saldo.invoicing.codec import body_from_bytes, body_to_bytes
from saldo.invoicing.frozen import named_by_content
from saldo.invoicing.records import body_item
from saldo.invoicing.run import due as who
from saldo.invoicing.run.bill import bill_accounts
from saldo.invoicing.run.due import due_accounts
from saldo.invoicing.run.now import Invoices, OneOff
from saldo.invoicing.run.open import open_run
from saldo.orders.model import Item as SoldItem
from saldo.orders.model import WaitingItem
from saldo.orders.records import add_item
from saldo.storage.items import Item
from saldo.storage.units import Unit
from saldo.subscriptions.model import Change, ChangeKind
from saldo.subscriptions.records import subscription_from
from saldo.subscriptions.service import Subscriptions
from tests.simulation.world import ENTITY, VERSION, World, account_id_of

JAN, FEB, MAR, APR = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 1)
DAY = timedelta(days=1)
CLERK = Actor("clerk", "staff")
ACCOUNT = account_id_of(0)


def a_world(accounts: int = 1, *, started_on: date = JAN) -> World:
    world = World()
    world.found(accounts, started_on=started_on)
    return world


def subscription(world: World, account: int = 0) -> Item:
    return world.store.get(account_id_of(account), f"subscription#sub_{account:06d}") or {}


def place(world: World, account: int = 0) -> str:
    return str(subscription(world, account)["agenda_on"])


def billed_days(world: World, account_id: str = ACCOUNT) -> list[str]:
    return sorted(item["issued_on"] for item in world.store.query_all(account_id, prefix="invoice#"))


def sound(world: World) -> bool:
    return check_all(world.store).violations == []


def test_what_is_billed_each_month_on_its_day_stays_where_it_is() -> None:
    world = a_world()
    assert place(world) == "2026-01-01"
    for on in (JAN, FEB, FEB + DAY, MAR, APR):
        world.run(on)
        assert place(world) == "monthly#01" and sound(world)
    assert billed_days(world) == [str(on) for on in (JAN, FEB, MAR, APR)]


@pytest.mark.parametrize("first", [date(2026, 2, 2), date(2026, 2, 20), date(2026, 5, 7)])
def test_a_day_without_a_run_is_made_up_for_by_the_next(first: date) -> None:
    world = a_world()
    world.run(JAN)
    world.run(first)
    assert billed_days(world) == ["2026-01-01", str(first)]
    assert place(world) == str(subscription(world)["next_bill_on"]), "not billed on its day, so it lies under the next"
    assert sound(world)


@pytest.mark.parametrize("day", [28, 29, 30, 31])
def test_days_that_not_each_month_has_are_found_all_the_same(day: int) -> None:
    world = a_world(started_on=date(2026, 1, day))
    for n in range(95):
        on = date(2026, 1, 28) + n * DAY
        if on.day > 27 or on.day == 1:  # on others there is nothing, and the next makes up for them
            world.run(on)
    assert sound(world)
    billed = [date.fromisoformat(on) for on in billed_days(world)]
    assert [(on.month, on.day) for on in billed] in (
        [(1, day), (2, min(day, 28)), (3, day), (4, min(day, 30))],
        [(1, day), (2, 1), (3, 1), (4, 1), (5, 1)],
    )


def without_plan(world: World) -> Item:
    key = plan_version_key(ENTITY.id, VERSION.id)
    found = world.store.get(*key)
    assert found is not None and world.store.write_one(Unit("lose").delete(key)) is None
    return found


def test_who_cannot_be_billed_on_the_day_is_billed_by_the_next_run() -> None:
    world = a_world(2)
    world.run(JAN)
    lost = without_plan(world)
    assert world.run(FEB).set_aside == 2
    assert [place(world, n) for n in (0, 1)] == ["2026-02-01", "2026-02-01"] and sound(world)
    world.store.put_many([lost])
    assert world.run(FEB + DAY).invoices == 2
    assert sound(world)


def test_one_whose_record_cannot_be_read_is_put_where_the_next_run_finds_it() -> None:
    world = a_world()
    world.run(JAN)
    whole = subscription(world)
    world.store.put_many([whole | {"quantities": {"seats": "?"}}])
    assert world.run(FEB).set_aside == 1
    world.store.put_many([subscription(world) | {"quantities": whole["quantities"]}])
    assert world.run(FEB + DAY).invoices == 1 and sound(world)


def test_a_change_puts_it_under_the_day_of_the_change() -> None:
    world = a_world()
    world.run(JAN)
    seats = Change("ch_1", ChangeKind.QUANTITY, date(2026, 1, 17), quantities={"seats": Decimal(3)})
    Subscriptions(world.store, world.clock).change(ACCOUNT, "sub_000000", seats, CLERK)
    assert place(world) == "2026-01-17"
    for on in (date(2026, 1, 17), FEB, MAR):
        world.run(on)
        assert sound(world)
    assert billed_days(world) == ["2026-01-01", "2026-01-17", "2026-02-01", "2026-03-01"]
    assert place(world) == "monthly#01"


def test_a_run_that_makes_up_for_long_ago_puts_nothing_where_the_agenda_may_lag() -> None:
    world = a_world()
    world.now = world.now.replace(month=3, day=5)
    world.run(JAN)
    assert place(world) == "2026-02-01"
    world.run(FEB)
    assert billed_days(world) == ["2026-01-01", "2026-02-01"] and sound(world)


def test_the_places_of_the_days_since_the_last_run_are_looked_at() -> None:
    assert monthly_places(None, FEB) == [("monthly#01", "monthly#31")]
    assert monthly_places(JAN, FEB) == [("monthly#01", "monthly#31")]
    assert monthly_places(JAN, JAN) == []
    assert monthly_places(JAN, JAN + DAY) == [("monthly#02", "monthly#02")]
    assert monthly_places(date(2026, 1, 30), FEB) == [("monthly#31", "monthly#31"), ("monthly#01", "monthly#01")]


@given(st.dates(date(2024, 1, 1), date(2027, 1, 1)), st.integers(0, 70))
def test_no_day_since_the_last_run_is_left_out(after: date, days: int) -> None:
    ranges = monthly_places(after, after + days * DAY)
    for n in range(1, days + 1):
        there = f"monthly#{(after + n * DAY).day:02d}"
        assert any(first <= there <= last for first, last in ranges)


def share(world: World, member: int, payer: int) -> None:
    one: Account = account_from(world.store.get(account_id_of(member), "account") or {})
    one = replace(one, invoiced_to=account_id_of(payer))
    world.store.put_many([account_item(one), consolidated_item(one, account_id_of(payer))])


@given(
    st.dictionaries(st.integers(0, 11), st.integers(0, 11), max_size=4),
    st.sets(st.integers(0, 11)),
    st.integers(1, 13),
)
@settings(max_examples=25, deadline=None)
def test_however_few_are_held_at_once_the_same_are_due(shared: dict[int, int], sold: set[int], held: int) -> None:
    world = a_world(12)
    for member, payer in shared.items():
        if member != payer and payer not in shared:
            share(world, member, payer)
    for n in sold:
        item = SoldItem(f"i{n}", {"en": "Item"}, Decimal(1), tax_category="digital_service")
        world.store.write_one(add_item(Unit("sell"), WaitingItem(account_id_of(n), ENTITY.id, item, JAN, "staff")))
    whole = list(due_accounts(world.store, ENTITY.id, JAN))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(who, "HELD_AT_ONCE", held)
        parts = list(due_accounts(world.store, ENTITY.id, JAN))
    assert sorted(parts, key=lambda one: one.account_id) == whole
    assert [one.account_id for one in whole] == sorted({one.account_id for one in whole})
    assert sum(len(some.subscription_ids) for one in whole for some in one.all) == 12


def test_a_body_that_was_overtaken_is_on_no_invoice_and_takes_nothing_from_a_credit() -> None:
    world = a_world()
    world.run(JAN)
    (issued,) = world.store.query_all(ACCOUNT, prefix="body#")
    body = body_from_bytes(issued["body"])
    untaxed = replace(body, lines=tuple(line._replace(taxes=()) for line in body.lines))
    for n in range(8):  # some lie before the issued one, some after
        other = named_by_content(replace(untaxed, note=str(n)))
        world.store.put_many([body_item(ACCOUNT, other.id, body_to_bytes(other))])
    end = Change("end", ChangeKind.CANCEL, date(2026, 1, 20))
    Subscriptions(world.store, world.clock).change(ACCOUNT, "sub_000000", end, CLERK)
    assert world.run(date(2026, 1, 20)).invoices == 1
    credit = [item for item in world.store.query_all(ACCOUNT, prefix="invoice#") if item["total_minor"] < 0]
    alone = a_world()
    alone.run(JAN)
    Subscriptions(alone.store, alone.clock).change(ACCOUNT, "sub_000000", end, CLERK)
    alone.run(date(2026, 1, 20))
    (expected,) = [item for item in alone.store.query_all(ACCOUNT, prefix="invoice#") if item["total_minor"] < 0]
    assert [item["total_minor"] for item in credit] == [expected["total_minor"]] and sound(world)


def test_a_worker_that_wakes_up_late_changes_no_frozen_invoice() -> None:
    """It read before somebody changed the account, and puts its bodies after that was billed and issued."""
    world = a_world()
    attempt = open_run(world.store, world.clock, ENTITY.id, JAN.isoformat())
    frozen: list[dict[tuple[str, str], bytes]] = []

    def others_first(_number: int, operation: str, when: str) -> None:
        if operation == "BatchWriteItem" and when == "before":
            world.client.fault = None
            seats = Change("ch_1", ChangeKind.QUANTITY, JAN, quantities={"seats": Decimal(9)})
            Subscriptions(world.store, world.clock).change(ACCOUNT, "sub_000000", seats, CLERK)
            world.run(JAN)
            frozen.append(bodies(world))

    world.client.fault = others_first
    bill_accounts(world.billing(), attempt.run_id, attempt.number, attempt.batches[0])
    assert frozen and all(bodies(world)[key] == body for key, body in frozen[0].items())
    assert len(billed_days(world)) == 1 and sound(world)


def bodies(world: World) -> dict[tuple[str, str], bytes]:
    return {(i["pk"], i["sk"]): bytes(i["body"]) for i in world.store.query_all(ACCOUNT, prefix="body#")}


def test_a_double_is_always_under_the_day_that_its_clock_asks_for() -> None:
    world = a_world()
    attempt = open_run(world.store, world.clock, ENTITY.id, JAN.isoformat())
    before = subscription_from(subscription(world))
    after = replace(before, next_bill_on=FEB)
    assert who.place_after(attempt, before, after) == "monthly#01"
    double = replace(before, account_id="acct_eu_test_x")
    assert who.place_after(attempt, double, replace(after, account_id=double.account_id)) == ""


def test_an_invoice_that_staff_asked_for_is_no_run_of_all_accounts() -> None:
    world = a_world(2)
    world.run(JAN)
    world.now = world.now.replace(month=2)
    visit = SoldItem("", {"en": "Visit on site"}, Decimal(250), tax_category="digital_service")
    Invoices(world.billing(), world.clock).issue_now(OneOff(ACCOUNT, "r1", (visit,), CLERK))
    assert world.run(FEB).invoices == 1
    assert [billed_days(world, account_id_of(n)) for n in (0, 1)] == [["2026-01-01", "2026-02-01"]] * 2 and sound(world)
