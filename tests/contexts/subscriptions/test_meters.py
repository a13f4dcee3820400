"""No meter of an account is billed by two subscriptions for the same days: whoever would sell that is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from saldo.audit.model import Actor
from saldo.catalog.records import plan_version_item
from saldo.kernel.errors import Problem, Refusal
from saldo.subscriptions.claimed import claims_of_account
from saldo.subscriptions.claims import MeterClaims
from saldo.subscriptions.model import Alignment, Change, ChangeKind, CreditRule, Subscription
from saldo.subscriptions.records import subscription_item
from saldo.subscriptions.rules import subscribe
from saldo.subscriptions.rules_changes import with_change
from saldo.subscriptions.rules_meters import Claim
from saldo.subscriptions.service import Subscriptions
from saldo.usage.records import meter_item
from tests.simulation.world import ENTITY, METER, VERSION, World, account_id_of

CLERK = Actor("clerk", "staff")
ACCOUNT, FIRST = account_id_of(0), "sub_000000"
JAN, MARCH = date(2026, 1, 1), date(2026, 3, 1)
BASE = replace(VERSION, id="base_v1", plan_id="plan_base", components=VERSION.components[:2])
PAGES = replace(METER, id="pages")
_TOKENS = VERSION.components[2]
BOTH = replace(
    VERSION,
    id="both_v1",
    plan_id="plan_both",
    components=(*VERSION.components, replace(_TOKENS, id="pages", meter_id=PAGES.id)),
)


@pytest.fixture
def world() -> World:
    """A customer with a subscription that counts tokens, from January on."""
    found = World()
    found.found(1, started_on=JAN)
    found.store.put_many([plan_version_item(ENTITY.id, version) for version in (BASE, BOTH)])
    found.store.put_many([meter_item(PAGES)])
    return found


def sell(world: World, on: date, version: Any = VERSION, name: str = "sub_2", **more: Any) -> Subscription:
    sold = subscribe(
        name,
        account_id=ACCOUNT,
        entity_id=ENTITY.id,
        plan_version=version,
        started_on=on,
        alignment=Alignment.CALENDAR,
    )
    Subscriptions(world.store, world.clock).start(replace(sold, **more), CLERK)
    return sold


def change(world: World, kind: ChangeKind, on: date, plan: str = "", of: str = FIRST, name: str = "") -> None:
    made = Change(name or f"{kind} {on}", kind, on, plan_version_id=plan)
    Subscriptions(world.store, world.clock).change(ACCOUNT, of, made, CLERK)


def refused(*asked: Any, by: Any = sell, **more: Any) -> tuple[str, tuple[Problem, ...]]:
    with pytest.raises(Refusal) as refusal:
        by(*asked, **more)
    return refusal.value.code, refusal.value.problems


def named(problems: tuple[Problem, ...]) -> list[tuple[str, str, str]]:
    return [(p.field, p.code, p.message.partition(":")[0]) for p in problems]


def test_what_a_unit_changes_counts_before_it_is_written_whenever_others_are_read(world: World) -> None:
    first = Subscriptions(world.store, world.clock).get(ACCOUNT, FIRST)
    ended = with_change(first, Change("stop", ChangeKind.CANCEL, MARCH))
    second, versions = replace(first, id="sub_2", started_on=MARCH, anchor_on=MARCH), {VERSION.id: VERSION}
    for read_before in (False, True):
        claims = MeterClaims(world.store, ACCOUNT, ENTITY.id)
        if read_before:
            assert named(claims.problems(second, versions))
        claims.add(ended, versions)
        assert claims.problems(second, versions) == ()


def test_a_change_that_cannot_be_is_told_what_is_wrong_with_it_and_not_what_it_would_bill(world: World) -> None:
    code, problems = refused(world, ChangeKind.PLAN, MARCH, by=change)
    assert (code, named(problems)) == ("invalid_change", [("plan", "unknown_plan", "'' is not among the plans")])

    def leave(on: date) -> None:
        leaving = Change("leave", ChangeKind.CANCEL, on, credit=CreditRule.NONE)  # when the period of that day is over
        Subscriptions(world.store, world.clock).change(ACCOUNT, FIRST, leaving, CLERK)

    code, problems = refused(date.max, by=leave)
    said = "must be from 1900-01-01 to 2199-12-31"
    assert (code, named(problems)) == ("invalid_change", [("effective_on", "not_in_our_time", said)])
    leave(date(2199, 12, 31))


def test_a_second_subscription_that_counts_the_same_meter_is_refused_and_the_first_one_named(world: World) -> None:
    code, problems = refused(world, MARCH)
    assert code == "invalid_subscription"
    said = "tokens is billed by sub_000000 from 2026-03-01 on"
    assert named(problems) == [("plan_version_id", "meter_claimed_twice", said)]
    assert len(Subscriptions(world.store, world.clock).of_account(ACCOUNT)) == 1


def test_every_meter_and_every_subscription_is_named_at_once(world: World) -> None:
    change(world, ChangeKind.CANCEL, date(2026, 6, 1))
    sell(world, date(2026, 6, 1), BOTH)
    _, problems = refused(world, MARCH, BOTH, "sub_3", quantities={"desks": Decimal(1)})
    assert sorted(said for _, code, said in named(problems) if code == "meter_claimed_twice") == [
        "pages is billed by sub_2 from 2026-06-01 on",
        "tokens is billed by sub_000000 from 2026-03-01 until 2026-06-01",
        "tokens is billed by sub_2 from 2026-06-01 on",
    ]
    assert [p.field for p in problems if p.code == "unknown_component"] == ["quantities.desks"]


def test_one_may_begin_on_the_day_on_which_the_other_ends_or_while_it_is_paused_for_good(world: World) -> None:
    change(world, ChangeKind.CANCEL, MARCH)
    sell(world, MARCH)
    change(world, ChangeKind.PAUSE, date(2026, 5, 1), of="sub_2")
    sell(world, date(2026, 5, 1), name="sub_3")


def test_an_end_that_was_agreed_from_the_start_frees_the_meter(world: World) -> None:
    change(world, ChangeKind.CANCEL, MARCH)
    sell(world, MARCH, cancelled_on=date(2026, 7, 1))
    sell(world, date(2026, 7, 1), name="sub_3")


def test_a_meter_that_counts_by_subscription_is_everybodys(world: World) -> None:
    world.store.put_many([meter_item(replace(METER, by_subscription=True))])
    sell(world, MARCH)


def test_a_plan_that_counts_it_is_not_moved_to(world: World) -> None:
    sell(world, MARCH, BASE)
    code, problems = refused(world, ChangeKind.PLAN, MARCH, VERSION.id, "sub_2", by=change)
    said = "tokens is billed by sub_000000 from 2026-03-01 on"
    assert (code, named(problems)) == ("invalid_change", [("plan", "meter_claimed_twice", said)])
    change(world, ChangeKind.CANCEL, MARCH)
    change(world, ChangeKind.PLAN, MARCH, VERSION.id, "sub_2")


def test_what_is_paused_is_not_resumed_while_another_counts_its_meter(world: World) -> None:
    change(world, ChangeKind.PAUSE, MARCH)
    sell(world, MARCH)
    code, problems = refused(world, ChangeKind.RESUME, date(2026, 4, 1), by=change)
    said = "tokens is billed by sub_2 from 2026-04-01 on"
    assert (code, named(problems)) == ("invalid_change", [("kind", "meter_claimed_twice", said)])
    change(world, ChangeKind.CANCEL, date(2026, 4, 1), of="sub_2")
    change(world, ChangeKind.RESUME, date(2026, 4, 1))


def test_selling_it_again_changes_nothing_whatever_was_sold_since(world: World) -> None:
    change(world, ChangeKind.CANCEL, MARCH)
    sell(world, MARCH)
    change(world, ChangeKind.CANCEL, date(2026, 4, 1), of="sub_2")
    sell(world, date(2026, 4, 1), name="sub_3")
    sell(world, MARCH)


def test_what_clashed_before_the_rule_may_still_be_changed_and_ended(world: World) -> None:
    first = Subscriptions(world.store, world.clock).get(ACCOUNT, FIRST)
    world.lay([subscription_item(replace(first, id="sub_2"))])
    change(world, ChangeKind.PAUSE, MARCH)
    change(world, ChangeKind.CANCEL, MARCH, of="sub_2")
    change(world, ChangeKind.RESUME, MARCH, name="later")


def test_only_who_counts_more_than_before_looks_at_the_others(world: World) -> None:
    def calls(act: Any) -> int:
        before = world.client.calls
        act()
        return world.client.calls - before

    plain = calls(lambda: sell(world, JAN, BASE, "sub_2"))
    change(world, ChangeKind.CANCEL, MARCH)
    assert calls(lambda: sell(world, MARCH, VERSION, "sub_3")) == plain + 2, "its subscriptions, and their plans"
    seats = Change("seats", ChangeKind.QUANTITY, MARCH, quantities={"seats": Decimal(4)})
    use = Subscriptions(world.store, world.clock)
    assert calls(lambda: use.change(ACCOUNT, "sub_3", seats, CLERK)) == 3


def test_what_is_kept_of_claims_is_what_the_subscriptions_say_whatever_was_sold_or_changed_since(world: World) -> None:
    def look() -> list[tuple[str, Claim]]:
        return claims_of_account(world.store, ACCOUNT, ENTITY.id)

    tokens = METER.id
    assert look() == look() == [(FIRST, Claim(tokens, JAN, None))]
    change(world, ChangeKind.CANCEL, MARCH)
    assert look() == look() == [(FIRST, Claim(tokens, JAN, MARCH))]
    sell(world, MARCH, BOTH)
    world.store.put_many([meter_item(replace(PAGES, by_subscription=True))])
    assert look() == [(FIRST, Claim(tokens, JAN, MARCH)), ("sub_2", Claim(tokens, MARCH, None))]
    before = world.client.calls
    assert len(look()) == 2 and world.client.calls == before + 1


def test_claims_that_were_read_while_something_was_sold_are_not_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = MeterClaims.all

    def slowly(claims: MeterClaims) -> list[tuple[str, Claim]]:
        found = read(claims)
        change(world, ChangeKind.CANCEL, MARCH)
        return found

    with monkeypatch.context() as slow:
        slow.setattr(MeterClaims, "all", slowly)
        assert claims_of_account(world.store, ACCOUNT, ENTITY.id)[0][1].until is None
    assert claims_of_account(world.store, ACCOUNT, ENTITY.id)[0][1].until == MARCH
