"""Two subscriptions of one account use one meter: in the real run each pays for its own, in time and late."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from saldo.accounts.records import account_from
from saldo.audit.model import Actor
from saldo.insight.invariants import check_all
from saldo.invoicing.codec import body_from_bytes
from saldo.invoicing.forecast import Forecasts
from saldo.invoicing.rules_thresholds import measured_by
from saldo.invoicing.run.number import set_aside_of
from saldo.kernel.periods import Period
from saldo.subscriptions.model import Alignment, Change, ChangeKind
from saldo.subscriptions.records import subscription_item
from saldo.subscriptions.rules import subscribe
from saldo.subscriptions.service import Subscriptions
from saldo.usage.ingest_rows import UsageRow
from saldo.usage.live import LiveUsage
from saldo.usage.model import LatePolicy, Meter, Repeats, UsageKey
from saldo.usage.model_thresholds import Measure, Threshold
from saldo.usage.quarantine import Quarantine
from saldo.usage.reconciliation import Reconciliation
from saldo.usage.records import meter_item
from saldo.usage.records_windows import windows_of
from saldo.usage.service import Usage
from tests.simulation.world import ENTITY, METER, VERSION, World, account_id_of

JAN, FEB, MAR, APR = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 1)
ACCOUNT, ONE, OTHER = account_id_of(0), "sub_000000", "sub_other"
APART = replace(METER, by_subscription=True)
CLERK = Actor("clerk", "staff")


def two_subscriptions(meter: Meter = APART) -> World:
    world = World()
    world.found(1, started_on=JAN)
    quantities = {"seats": Decimal(1)}
    other = subscribe(
        OTHER,
        account_id=ACCOUNT,
        entity_id=ENTITY.id,
        plan_version=VERSION,
        started_on=JAN,
        alignment=Alignment.CALENDAR,
        quantities=quantities,
    )
    world.lay([meter_item(meter), subscription_item(other)])
    return world


def use(world: World, event_id: str, on: date, value: int, sold: str) -> list[str]:
    """Problems of what is used now, or was used on that day."""
    fields = {"source": "s", "id": event_id, "account_id": ACCOUNT, "meter": METER.id, "value": str(value)}
    fields |= {"at": f"{on.isoformat()}T12:00:00Z"} | ({"property.subscription": sold} if sold else {})
    world.now = max(world.now, datetime(on.year, on.month, on.day, 13, tzinfo=UTC))
    origin = f"{event_id}-{value}-{sold}"
    report = Usage(world.store, world.clock).ingest(ENTITY.id, [UsageRow(1, "", fields)], origin=origin)
    return [p.code for r in report.rejected for p in r.problems]


def usage_lines(world: World) -> list[tuple[str, str, str, int]]:
    bodies = [body_from_bytes(item["body"]) for item in world.store.scan() if item["kind"] == "body"]
    lines = [line for body in bodies for line in body.lines if line.component_id == "tokens" and line.net_minor]
    return sorted((line.subscription_id, line.kind, line.period.start.isoformat(), line.net_minor) for line in lines)


def balanced(world: World) -> bool:
    reports = list(Reconciliation(world.store).of_account(ACCOUNT))
    return all(r.balanced for r in reports) and not check_all(world.store).violations


def test_each_subscription_is_billed_for_what_its_events_say_in_time_and_late() -> None:
    world = two_subscriptions()
    assert use(world, "1", date(2026, 1, 5), 100, ONE) == []
    assert use(world, "2", date(2026, 1, 6), 30, OTHER) == []
    world.run(FEB)
    assert usage_lines(world) == [(ONE, "charge", "2026-01-01", 200), (OTHER, "charge", "2026-01-01", 60)]
    assert use(world, "3", date(2026, 1, 7), 5, OTHER) == []
    assert use(world, "4", date(2026, 2, 7), 10, ONE) == []
    reports = {r.meter_id: r for r in Reconciliation(world.store).of_account(ACCOUNT)}
    assert {(m, w.waiting) for m, r in reports.items() for w in r.windows} == {
        (f"tokens/{ONE}", 0),
        (f"tokens/{OTHER}", 1),
    }
    assert balanced(world)
    world.run(MAR)
    assert usage_lines(world)[1:] == [
        (ONE, "charge", "2026-02-01", 20),
        (OTHER, "charge", "2026-01-01", 60),
        (OTHER, "late", "2026-01-01", 10),
    ]
    assert {(w.meter_id, w.subscription_id) for w in windows_of(world.store, ACCOUNT)} == {
        (f"tokens/{ONE}", ONE),
        (f"tokens/{OTHER}", OTHER),
    }
    assert balanced(world)


def test_a_plan_that_changes_within_the_month_takes_back_its_own_subscriptions_charge_alone() -> None:
    world = two_subscriptions()
    use(world, "1", date(2026, 1, 5), 100, ONE)
    use(world, "2", date(2026, 1, 20), 30, ONE)
    use(world, "3", date(2026, 1, 6), 40, OTHER)
    world.run(FEB)
    stop = Change("stop", ChangeKind.CANCEL, date(2026, 1, 15))
    Subscriptions(world.store, world.clock).change(ACCOUNT, ONE, stop, CLERK)
    world.run(MAR)
    sums = {sold: sum(net for s, _, _, net in usage_lines(world) if s == sold) for sold in (ONE, OTHER)}
    assert sums == {ONE: 200, OTHER: 80}
    assert balanced(world)


def test_a_meter_that_does_not_tell_them_apart_is_refused_and_the_reason_says_what_to_do() -> None:
    world = two_subscriptions(METER)
    (aside,) = set_aside_of(world.store, world.run(FEB))
    assert aside.code == "meter_claimed_twice" and "by subscription" in aside.reason


def test_an_event_without_its_subscription_waits_in_the_quarantine_until_it_is_repaired() -> None:
    world = two_subscriptions()
    assert use(world, "1", date(2026, 1, 5), 100, "") == ["missing_subscription"]
    assert use(world, "2", date(2026, 1, 5), 10, "sub_nobodys") == ["unknown_subscription"]
    held = Quarantine(world.store, world.clock)
    for origin in ("1-100-", "2-10-sub_nobodys"):
        held.repair(ENTITY.id, origin, 1, {"property.subscription": OTHER}, CLERK)
    assert held.replay(ENTITY.id).accepted == 2
    world.run(FEB)
    assert usage_lines(world) == [(OTHER, "charge", "2026-01-01", 220)]
    assert balanced(world)


def test_late_events_are_refused_for_the_subscription_whose_days_are_billed_alone() -> None:
    world = two_subscriptions(replace(APART, late=LatePolicy.REJECT))
    use(world, "1", date(2026, 1, 5), 100, ONE)
    stop = Change("stop", ChangeKind.CANCEL, date(2026, 1, 11))
    Subscriptions(world.store, world.clock).change(ACCOUNT, OTHER, stop, CLERK)
    world.run(date(2026, 1, 11))
    assert use(world, "2", date(2026, 1, 8), 10, OTHER) == ["late"]
    assert use(world, "3", date(2026, 1, 8), 10, ONE) == []
    world.run(FEB)
    assert usage_lines(world) == [(ONE, "charge", "2026-01-01", 220)]
    assert balanced(world)


def test_a_correction_that_names_another_subscription_moves_what_was_used_also_when_it_was_billed() -> None:
    world = two_subscriptions(replace(APART, repeats=Repeats.LAST))
    use(world, "1", date(2026, 1, 5), 100, ONE)
    for month in (FEB, MAR):
        world.run(month)
    assert use(world, "1", date(2026, 1, 5), 100, OTHER) == []
    world.run(APR)
    sums = {sold: sum(net for s, _, _, net in usage_lines(world) if s == sold) for sold in (ONE, OTHER)}
    assert sums == {ONE: 0, OTHER: 200}
    assert balanced(world)


def test_open_periods_are_told_apart_and_a_limit_is_on_all_of_them() -> None:
    world = two_subscriptions()
    use(world, "1", date(2026, 1, 5), 100, ONE)
    use(world, "2", date(2026, 1, 6), 30, OTHER)
    item = world.store.get(ACCOUNT, "account")
    assert item
    keys = [UsageKey(sold, METER.id, Period(JAN, FEB)) for sold in (ONE, OTHER)]
    live = LiveUsage(world.store).of(account_from(item), keys, world.now)
    assert [(m.key.subscription_id, m.meter.id, m.so_far) for m in live] == [
        (ONE, "tokens", 100),
        (OTHER, "tokens", 30),
    ]
    world.run(JAN)
    ahead = Forecasts(world.billing(), world.clock).next_invoice(ACCOUNT)
    limit = Threshold("t", Measure.QUANTITY, Decimal(120), METER.id)
    assert [measured for _, measured in measured_by(ahead, limit)] == [130]
