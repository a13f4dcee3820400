"""Subscriptions: started once, on the agenda while something is left to bill."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from saldo.accounts.agenda import DUE_SHARDS, due_agenda_of, due_shard
from saldo.accounts.model import AccountStatus
from saldo.kernel.errors import NotFound, Refusal
from saldo.storage.units import Unit
from saldo.subscriptions.model import Alignment, Change, ChangeKind, Subscription, SubscriptionStatus
from saldo.subscriptions.records import move_on
from saldo.subscriptions.service import Subscriptions
from tests.contexts.conftest import Region
from tests.contexts.sellers import ACCOUNT, CLERK, ENTITY, account, offer, register

STARTED_ON = date(2026, 3, 31)


def subscription(**changes: object) -> Subscription:
    new = Subscription(
        id="sub_1",
        account_id=ACCOUNT,
        entity_id=ENTITY,
        plan_version_id="plan_team_v1",
        started_on=STARTED_ON,
        anchor_on=STARTED_ON,
        alignment=Alignment.ANNIVERSARY,
        quantities={"per_unit": Decimal("12.5")},
    )
    return replace(new, **changes)  # type: ignore[arg-type]  # fields of several types by name


@pytest.fixture
def subscriptions(region: Region) -> Subscriptions:
    register(region.store, region.sealer, region.clock)
    offer(region.store, region.clock)
    return Subscriptions(region.store, region.clock)


def due(region: Region, on: date) -> list[str]:
    return [
        item["subscription_id"]
        for shard in range(DUE_SHARDS)
        for item in region.store.query_all(due_agenda_of(ENTITY, shard), last=on.isoformat(), agenda=True)
    ]


def test_a_subscription_falls_due_on_its_first_billed_day(region: Region, subscriptions: Subscriptions) -> None:
    assert subscriptions.start(subscription(trial_end_on=date(2026, 4, 14)), CLERK) is True
    stored = subscriptions.get(ACCOUNT, "sub_1")
    assert stored == subscription(trial_end_on=date(2026, 4, 14), next_bill_on=date(2026, 4, 14))
    assert due(region, date(2026, 4, 13)) == []
    assert due(region, date(2026, 4, 14)) == ["sub_1"]


def test_starting_it_again_changes_nothing_even_when_it_was_billed_meanwhile(
    region: Region, subscriptions: Subscriptions
) -> None:
    subscriptions.start(subscription(), CLERK)
    before = subscriptions.get(ACCOUNT, "sub_1")
    after = replace(before, billed_through=STARTED_ON, next_bill_on=date(2026, 4, 30))
    assert region.store.write_one(move_on(Unit("bill"), before, after)) is None
    assert subscriptions.start(subscription(), CLERK) is False
    assert subscriptions.of_account(ACCOUNT) == [replace(after, version=2)]


def test_other_terms_under_its_id_are_refused(subscriptions: Subscriptions) -> None:
    subscriptions.start(subscription(), CLERK)
    with pytest.raises(Refusal, match="subscription_exists"):
        subscriptions.start(subscription(quantities={}), CLERK)


def test_the_cursor_moves_only_from_where_it_was_seen(region: Region, subscriptions: Subscriptions) -> None:
    subscriptions.start(subscription(), CLERK)
    before = subscriptions.get(ACCOUNT, "sub_1")
    after = replace(before, billed_through=STARTED_ON, next_bill_on=date(2026, 4, 30))
    assert region.store.write_one(move_on(Unit("bill"), before, after)) is None
    assert region.store.write_one(move_on(Unit("bill again"), before, after)) is not None
    assert due(region, STARTED_ON) == []
    assert due(region, date(2026, 4, 30)) == ["sub_1"]


def test_with_nothing_left_to_bill_it_leaves_the_agenda(region: Region, subscriptions: Subscriptions) -> None:
    subscriptions.start(subscription(cancelled_on=STARTED_ON, status=SubscriptionStatus.CANCELLING), CLERK)
    before = subscriptions.get(ACCOUNT, "sub_1")
    after = replace(before, billed_through=STARTED_ON, next_bill_on=None, status=SubscriptionStatus.ENDED)
    assert region.store.write_one(move_on(Unit("bill"), before, after)) is None
    assert subscriptions.get(ACCOUNT, "sub_1") == replace(after, version=2)
    assert due(region, date(2099, 1, 1)) == []


def test_every_fault_of_a_subscription_is_named_at_once(region: Region) -> None:
    register(region.store, region.sealer, region.clock, account(status=AccountStatus.CLOSED, currency="USD"))
    offer(region.store, region.clock)
    wrong = subscription(
        trial_end_on=date(2026, 1, 1),
        cancelled_on=date(2026, 1, 1),
        quantities={"calls": Decimal(1), "flat": Decimal(-1)},
    )
    with pytest.raises(Refusal) as refusal:
        Subscriptions(region.store, region.clock).start(wrong, CLERK)
    assert {p.code for p in refusal.value.problems} == {
        "account_not_active",
        "other_currency",
        "before_start",
        "unknown_component",
        "negative_quantity",
    }


@pytest.mark.parametrize("year", [1, 1900, 2015, 2037, 2400, 9999])
def test_a_start_more_than_ten_years_off_is_a_slip(subscriptions: Subscriptions, year: int) -> None:
    there = date(year, 3, 1)
    with pytest.raises(Refusal, match="cannot start") as refusal:
        subscriptions.start(subscription(started_on=there, anchor_on=there, cancelled_on=date(9999, 1, 1)), CLERK)
    found = {(p.field, p.code) for p in refusal.value.problems}
    assert {("started_on", "out_of_range"), ("cancelled_on", "not_in_our_time")} <= found
    assert subscriptions.of_account(ACCOUNT) == []


@pytest.mark.parametrize("year", [2016, 2036])
def test_a_start_within_ten_years_is_taken(subscriptions: Subscriptions, year: int) -> None:
    assert subscriptions.start(subscription(started_on=date(year, 3, 1)), CLERK)


def _seats(change_id: str, on: date, seats: int) -> Change:
    return Change(change_id, ChangeKind.QUANTITY, on, quantities={"per_unit": Decimal(seats)})


def test_a_change_is_stored_once_and_makes_the_subscription_due_on_its_day(
    region: Region, subscriptions: Subscriptions
) -> None:
    subscriptions.start(subscription(), CLERK)
    before = subscriptions.get(ACCOUNT, "sub_1")
    region.store.write_one(
        move_on(Unit("bill"), before, replace(before, billed_through=STARTED_ON, next_bill_on=date(2026, 4, 30)))
    )
    change = _seats("ch_1", date(2026, 4, 10), 3)
    changed = subscriptions.change(ACCOUNT, "sub_1", change, CLERK)
    assert subscriptions.change(ACCOUNT, "sub_1", change, CLERK) == changed == subscriptions.get(ACCOUNT, "sub_1")
    assert (changed.changes, changed.next_bill_on, changed.version) == ((change,), date(2026, 4, 10), 3)
    assert due(region, date(2026, 4, 9)) == [] and due(region, date(2026, 4, 10)) == ["sub_1"]


def test_changes_from_two_people_at_once_are_both_kept(
    region: Region, subscriptions: Subscriptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscriptions.start(subscription(), CLERK)
    mine, theirs = _seats("mine", date(2026, 4, 10), 3), _seats("theirs", date(2026, 4, 10), 5)
    get, waiting = Subscriptions.get, [theirs]

    def slow(self: Subscriptions, account_id: str, subscription_id: str) -> Subscription:
        seen = get(self, account_id, subscription_id)
        if waiting:
            subscriptions.change(ACCOUNT, "sub_1", waiting.pop(), CLERK)
        return seen

    monkeypatch.setattr(Subscriptions, "get", slow)
    changed = subscriptions.change(ACCOUNT, "sub_1", mine, CLERK)
    assert [c.id for c in changed.changes] == ["mine", "theirs"]
    assert subscriptions.get(ACCOUNT, "sub_1") == changed


def test_every_fault_of_a_change_is_named_at_once(subscriptions: Subscriptions) -> None:
    subscriptions.start(subscription(), CLERK)
    wrong = Change("ch_1", ChangeKind.PLAN, date(2026, 4, 10), plan_version_id="plan_gone")
    with pytest.raises(Refusal, match="plan_gone"):
        subscriptions.change(ACCOUNT, "sub_1", wrong, CLERK)
    with pytest.raises(Refusal) as refusal:
        quantities = {"per_unit": Decimal(-1), "calls": Decimal(2)}
        subscriptions.change(ACCOUNT, "sub_1", replace(_seats("c", STARTED_ON, 1), quantities=quantities), CLERK)
    assert [p.code for p in refusal.value.problems] == ["negative_quantity", "unknown_component"]


def test_an_unknown_account_or_plan_is_not_found(region: Region, subscriptions: Subscriptions) -> None:
    with pytest.raises(NotFound):
        subscriptions.start(subscription(account_id="acct_eu_gone"), CLERK)
    with pytest.raises(NotFound):
        subscriptions.start(subscription(plan_version_id="plan_gone"), CLERK)


def test_accounts_spread_over_the_eight_shards_of_the_agenda() -> None:
    shards = [due_shard(f"acct_eu_{i:04d}") for i in range(4000)]
    assert set(shards) == set(range(DUE_SHARDS))
    assert max(shards.count(s) for s in range(DUE_SHARDS)) < 600
    assert due_shard("acct_eu_0001") == due_shard("acct_eu_0001")
