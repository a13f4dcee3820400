"""Through the real run: usage that comes late is asked for once, whatever crashes, and every event has its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saldo.accounts.records import account_from, account_item, consolidated_item
from saldo.audit.model import Actor
from saldo.catalog.model import Minimum
from saldo.catalog.records import plan_version_item
from saldo.insight.invariants import check_all
from saldo.invoicing.codec import body_from_bytes
from saldo.invoicing.corrections import Corrections, CreditRequest
from saldo.invoicing.model import Coupon, CouponDuration
from saldo.invoicing.rules_corrections import Reason
from saldo.invoicing.run.bill import bill_accounts
from saldo.invoicing.run.number import set_aside_of
from saldo.invoicing.run.open import open_run
from saldo.invoicing.wallets import Wallets
from saldo.subscriptions.model import Change, ChangeKind
from saldo.subscriptions.service import Subscriptions
from saldo.usage.ingest_rows import UsageRow
from saldo.usage.model import LatePolicy, Repeats
from saldo.usage.reconciliation import Reconciliation
from saldo.usage.records import meter_item
from saldo.usage.service import Usage
from tests.simulation.dynamodb import Crash
from tests.simulation.world import ENTITY, METER, VERSION, World, account_id_of

JAN, FEB, MAR, APR = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 1)
ACCOUNT = account_id_of(0)


def use(world: World, event_id: str, at: str, value: int, account_id: str = ACCOUNT) -> None:
    fields = {"source": "s", "id": event_id, "account_id": account_id, "meter": METER.id, "at": at, "value": str(value)}
    world.now = max(world.now, datetime.fromisoformat(at))
    report = Usage(world.store, world.clock).ingest(ENTITY.id, [UsageRow(1, "", fields)], origin=event_id)
    assert not report.rejected, report


def usage_lines(world: World, account_id: str = "") -> list[tuple[str, str, int]]:
    """Lines for usage that come to something: kind, first day, net."""
    bodies = [body_from_bytes(i["body"]) for i in world.store.scan() if i["kind"] == "body"]
    lines = [
        (line.kind.value, line.period.start.isoformat(), line.net_minor)
        for body in bodies
        for line in body.lines
        if line.component_id == "tokens" and line.net_minor and account_id in ("", body.account_id)
    ]
    return sorted(lines)


def balanced(world: World) -> bool:
    reports = list(Reconciliation(world.store).of_entity(ENTITY.id))
    return all(r.balanced for r in reports) and not check_all(world.store).violations


def test_late_usage_is_billed_with_the_next_invoice_of_a_real_run() -> None:
    world = World()
    world.found(1, started_on=JAN)
    use(world, "e1", "2025-12-31T23:30:00Z", 900)
    world.run(FEB)
    world.now = datetime(2026, 2, 10, tzinfo=UTC)
    use(world, "e2", "2026-01-20T12:00:00Z", 200)
    world.run(MAR)
    # 900 at 2 cents; 1,100 are 1,000 at 2 cents and 100 at 1.5.
    assert usage_lines(world) == [("charge", "2026-01-01", 1800), ("late", "2026-01-01", 350)]
    assert balanced(world)


def test_late_usage_of_an_account_with_nothing_left_to_bill_is_billed_by_itself() -> None:
    world = World()
    world.found(2, started_on=JAN)
    world.run(JAN)
    stop = Change("stop", ChangeKind.CANCEL, FEB)
    Subscriptions(world.store, world.clock).change(ACCOUNT, "sub_000000", stop, Actor("clerk", "staff"))
    world.run(FEB)
    world.now = datetime(2026, 2, 10, tzinfo=UTC)
    use(world, "e1", "2026-01-20T12:00:00Z", 200)
    closed = world.run(date(2026, 2, 11))
    assert closed.invoices == 1
    assert usage_lines(world) == [("late", "2026-01-01", 400)]
    assert world.run(date(2026, 2, 12)).invoices == 0
    assert balanced(world)


def test_late_usage_alone_is_invoiced_though_its_batch_is_billed_again() -> None:
    world = World()
    world.found(1, started_on=JAN)
    world.run(JAN)
    stop = Change("stop", ChangeKind.CANCEL, FEB)
    Subscriptions(world.store, world.clock).change(ACCOUNT, "sub_000000", stop, Actor("clerk", "staff"))
    world.run(FEB)
    world.now = datetime(2026, 2, 11, tzinfo=UTC)
    use(world, "e1", "2026-01-20T12:00:00Z", 200)
    attempt = open_run(world.store, world.clock, ENTITY.id, "2026-02-11")
    for _ in range(2):
        made = bill_accounts(world.billing(), attempt.run_id, attempt.number, "00000")
        assert [draft.total_minor for draft in made.drafts] == [476]  # 200 × 0.02 + 19 %
    assert world.run(date(2026, 2, 11)).invoices == 1
    assert balanced(world)


def test_a_meter_with_a_time_of_grace_is_billed_when_it_has_passed() -> None:
    world = World()
    world.found(1, started_on=JAN)
    world.store.put_many([meter_item(replace(METER, grace_s=86_400))])
    use(world, "e1", "2026-01-01T12:00:00Z", 100)
    (aside,) = set_aside_of(world.store, world.run(FEB))
    assert aside.code == "usage_window_open"
    use(world, "e2", "2026-01-31T12:00:00Z", 100)
    world.run(date(2026, 2, 2))
    assert usage_lines(world) == [("charge", "2026-01-01", 400)]
    assert balanced(world)


def test_late_usage_of_an_account_whose_invoices_another_pays_is_on_that_invoice() -> None:
    world = World()
    member, payer = world.found(2, started_on=JAN)
    for account_id, fields in ((member, {"invoiced_to": payer}), (payer, {})):
        item = world.store.get(account_id, "account")
        assert item
        there = replace(account_from(item), organisation_id="org_eu_shared", **fields)
        world.store.put_many([account_item(there)])
        if fields:
            world.store.put_many([consolidated_item(there, payer)])
    use(world, "e1", "2025-12-31T23:30:00Z", 100, member)
    world.run(FEB)
    use(world, "e2", "2026-01-20T12:00:00Z", 100, member)
    world.run(MAR)
    assert usage_lines(world, payer) == [("charge", "2026-01-01", 200), ("late", "2026-01-01", 200)]
    assert balanced(world)


def test_a_charge_taken_back_gives_back_what_was_billed_although_more_came() -> None:
    world = World()
    world.found(1, started_on=JAN)
    dearer = replace(
        VERSION,
        id="core_v2",
        version=2,
        components=tuple(replace(c, names={"en": "Other"}) if c.id == "tokens" else c for c in VERSION.components),
    )
    world.lay([plan_version_item(ENTITY.id, dearer)])
    use(world, "e1", "2026-01-05T12:00:00Z", 100)
    use(world, "e2", "2026-01-25T12:00:00Z", 100)
    world.run(FEB)
    use(world, "e3", "2026-01-06T12:00:00Z", 50)
    change = Change("c1", ChangeKind.PLAN, date(2026, 1, 15), plan_version_id="core_v2")
    Subscriptions(world.store, world.clock).change(ACCOUNT, "sub_000000", change, Actor("clerk", "staff"))
    world.run(MAR)
    assert not set_aside_of(world.store, world.run(MAR))
    world.run(APR)
    lines = usage_lines(world)
    assert ("credit", "2026-01-01", -400) in lines
    assert sum(net for _, _, net in lines) == 500
    assert balanced(world)


def test_late_usage_is_billed_once_whatever_call_of_the_run_dies() -> None:
    def story(crash_at: int, side: str) -> tuple[bool, list[tuple[str, str, int]]]:
        world = World()
        world.found(1, started_on=JAN)
        use(world, "e1", "2026-01-05T12:00:00Z", 900)
        world.run(FEB)
        use(world, "e2", "2026-01-20T12:00:00Z", 200)
        first, crashed = world.client.calls, False

        def fault(number: int, _operation: str, when: str) -> None:
            if number - first == crash_at and when == side:
                raise Crash

        def repeat(act: Callable[[], object]) -> object:
            nonlocal crashed
            try:
                return act()
            except Crash:
                crashed, world.client.fault = True, None
                return act()

        world.client.fault = fault
        world.run(MAR, repeat)
        world.client.fault = None
        assert balanced(world)
        return crashed, usage_lines(world)

    expected = [("charge", "2026-01-01", 1800), ("late", "2026-01-01", 350)]
    for side in ("before", "after"):
        for call in range(1, 200):
            crashed, lines = story(call, side)
            assert lines == expected, (side, call)
            if not crashed:
                break
        else:
            raise AssertionError("the run never got through")


arrivals = st.lists(st.tuples(st.integers(0, 58), st.integers(1, 700), st.booleans()), min_size=1, max_size=12)


@settings(max_examples=40, deadline=None)
@given(arrivals, st.sampled_from([LatePolicy.CARRY, LatePolicy.CORRECT]))
def test_in_the_end_each_month_costs_what_all_its_usage_costs(
    some: list[tuple[int, int, bool]], policy: LatePolicy
) -> None:
    """Events of January and February, in time or late, and runs in between: all prices by tiers of the whole month."""
    world = World()
    world.found(1, started_on=JAN)
    world.store.put_many([meter_item(replace(METER, late=policy, repeats=Repeats.LAST))])
    late = [(n, e) for n, e in enumerate(some) if e[2]]
    world.now = datetime(2026, 2, 28, 13, tzinfo=UTC)
    months = {0: 0, 1: 0}

    def bring(number: int, event: tuple[int, int, bool]) -> None:
        day, pairs, _ = event
        value = 2 * pairs  # whole cents at 1.5 cents each
        at = datetime(2026, 1, 1, 12, tzinfo=UTC).replace(month=1 + day // 31, day=1 + day % 31)
        use(world, f"e{number}", at.isoformat(), value)
        months[day // 31] += value

    for n, event in enumerate(some):
        if not event[2]:
            bring(n, event)
    world.run(FEB)
    for n, event in late[::2]:
        bring(n, event)
    world.run(MAR)
    for n, event in late[1::2]:
        bring(n, event)
    assert balanced(world)
    world.run(APR)
    lines = usage_lines(world)
    for month, used in months.items():
        net = sum(n for _, day, n in lines if day == f"2026-0{month + 1}-01")
        assert net == _price(used), (lines, months)
    assert balanced(world)
    assert all(w.waiting == 0 for r in Reconciliation(world.store).of_account(ACCOUNT) for w in r.windows)


def _price(used: int) -> int:
    """By the plan: 1,000 at 2 cents, the rest at 1.5, in cents."""
    return min(used, 1000) * 2 + max(used - 1000, 0) * 3 // 2


def test_usage_that_comes_after_the_last_invoice_of_all_is_asked_for_by_the_next_run() -> None:
    world = World()
    world.found(2, started_on=JAN)
    stop = Change("stop", ChangeKind.CANCEL, date(2026, 1, 25))
    world.run(JAN)
    Subscriptions(world.store, world.clock).change(ACCOUNT, "sub_000000", stop, Actor("clerk", "staff"))
    world.run(FEB)
    use(world, "e1", "2026-01-20T12:00:00Z", 200)
    world.now = datetime(2026, 2, 20, 13, tzinfo=UTC)
    use(world, "e2", "2026-01-21T12:00:00Z", 100, account_id_of(1))
    assert world.run(date(2026, 2, 20)).invoices == 1  # the other has an invoice coming that will carry it
    assert usage_lines(world) == [("late", "2026-01-01", 400)]
    world.run(MAR)
    assert usage_lines(world) == [("late", "2026-01-01", 200), ("late", "2026-01-01", 400)]
    assert balanced(world)


def off_and_late(world: World) -> list[tuple[str, int]]:
    """What invoices have of usage, and of what was taken off it: kind and net, in their order."""
    bodies = [body_from_bytes(i["body"]) for i in world.store.query_all(ACCOUNT, prefix="body#")]
    return [
        (line.kind.value, line.net_minor)
        for body in sorted(bodies, key=lambda body: body.issued_on)
        for line in body.lines
        if line.component_id == "tokens" and line.net_minor
    ]


@pytest.mark.parametrize("policy", [LatePolicy.CARRY, LatePolicy.CORRECT])
def test_what_late_usage_gives_back_is_what_was_charged_for_it_though_the_coupon_is_used_up(policy: LatePolicy) -> None:
    world = World()
    world.found(1, started_on=JAN)
    world.store.put_many([meter_item(replace(METER, late=policy, repeats=Repeats.LAST))])
    half = Coupon("half", {"en": "Half"}, Decimal(50), duration=CouponDuration.ONCE, components=frozenset({"tokens"}))
    Wallets(world.store, world.clock).add_coupon(ACCOUNT, half, Actor("clerk", "staff"))
    use(world, "e1", "2026-01-20T12:00:00Z", 900)
    world.run(FEB)
    assert off_and_late(world) == [("charge", 1800), ("discount", -900)]
    for month, left in ((MAR, 500), (APR, 0)):
        use(world, "e1", "2026-01-20T12:00:00Z", left)
        world.now = datetime(2026, month.month - 1, 10, tzinfo=UTC)
        world.run(month)
        lines = off_and_late(world)
        assert sum(minor for kind, minor in lines if kind != "discount") == left * 2
        assert sum(minor for kind, minor in lines if kind == "discount") == -left, "half of what is left, to the cent"
    assert balanced(world)


def test_what_late_usage_gives_back_is_no_more_than_a_credit_note_has_left_of_it() -> None:
    world = World()
    world.found(1, started_on=JAN)
    world.store.put_many([meter_item(replace(METER, repeats=Repeats.LAST))])
    use(world, "e1", "2026-01-20T12:00:00Z", 900)
    world.run(FEB)
    (invoice,) = (
        i["invoice_id"] for i in world.store.query_all(ACCOUNT, prefix="invoice#") if i["issued_on"] == FEB.isoformat()
    )
    body = body_from_bytes(next(iter(world.store.query_all(ACCOUNT, prefix=f"body#{invoice}")))["body"])
    line_id = next(line.id for line in body.lines if line.component_id == "tokens")
    asked = CreditRequest(ACCOUNT, invoice, "r1", Reason.PRICE, Actor("clerk", "staff"), amounts={line_id: 1500})
    Corrections(world.store, world.clock, world.billing().tax).credit(asked)
    use(world, "e1", "2026-01-20T12:00:00Z", 500)
    world.run(MAR)
    assert ("late", -300) in off_and_late(world), "18.00 less 15.00 by credit note, of 8.00 that would come back"
    assert not check_all(world.store).violations


def test_late_usage_that_a_minimum_makes_up_for_changes_nothing_that_is_owed() -> None:
    world = World()
    world.found(1, started_on=JAN)
    world.store.put_many([meter_item(replace(METER, repeats=Repeats.LAST))])
    least = replace(VERSION, minimum=Minimum((Decimal(100_000),)))
    world.lay([plan_version_item(ENTITY.id, least)])
    half = Coupon("half", {"en": "Half"}, Decimal(50), duration=CouponDuration.ONCE)
    use(world, "e1", "2026-01-20T12:00:00Z", 900)
    world.run(JAN)
    Wallets(world.store, world.clock).add_coupon(ACCOUNT, half, Actor("clerk", "staff"))
    world.run(FEB)
    use(world, "e1", "2026-01-20T12:00:00Z", 500)
    world.run(MAR)
    january = [
        (line.kind.value, line.net_minor)
        for body in map(body_from_bytes, (i["body"] for i in world.store.query_all(ACCOUNT, prefix="body#")))
        for line in body.lines
        if body.issued_on == MAR and line.period.start == JAN
    ]
    assert sorted(january) == [("discount", -400), ("discount", 400), ("late", -800), ("true_up", 800)]
    assert balanced(world)
