"""When changes take hold, and what of a subscription is looked at next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from saldo.catalog.model import ChargeKind, DayCount, Flat, PerUnit, PlanVersion
from saldo.kernel.errors import Refusal
from saldo.kernel.periods import Unit
from saldo.subscriptions.model import Change, ChangeKind, CreditRule, Subscription, SubscriptionStatus
from saldo.subscriptions.rules import cancel
from saldo.subscriptions.rules_changes import charges_due, moved_on, with_change
from tests.unit.invoicing.scenes import ARREARS, component, plan, sold

FEE = component("fee", Flat(Decimal(30)))
SMALL = replace(plan(FEE), id="small")
LARGE = replace(plan(component("fee", Flat(Decimal(60)))), id="large")
YEARLY = replace(plan(component("fee", Flat(Decimal(300))), unit=Unit.YEAR), id="yearly")
BY_SECOND = replace(SMALL, id="second", day_count=DayCount.SECOND)
VERSIONS = {version.id: version for version in (SMALL, LARGE, YEARLY, BY_SECOND)}
START = date(2025, 6, 1)
NONE = CreditRule.NONE


def changed(version: PlanVersion, *changes: Change, **more: object) -> Subscription:
    subscription = sold(version, START, **more)
    for change in changes:
        subscription = with_change(subscription, change)
    return subscription


def lines(subscription: Subscription, as_of: date) -> Sequence[tuple[date, str, int, date, date]]:
    """What falls due, when: the plan, charge or credit, the days."""
    known = {**VERSIONS, "plv_1": SMALL}
    return [
        (c.period.boundary, c.plan_version_id, c.sign, c.period.period.start, c.period.period.end)
        for c in charges_due(subscription, known, as_of)
    ]


def on(day: int, month: int = 6) -> date:
    return date(2025, month, day)


def moved_to(version: PlanVersion, day: date, change_id: str = "a", **more: object) -> Change:
    return Change(change_id, ChangeKind.PLAN, day, plan_version_id=version.id, **more)  # type: ignore[arg-type]


def test_a_change_without_credit_waits_although_another_holds_on_its_day() -> None:
    pause = Change("b", ChangeKind.PAUSE, on(16), credit=NONE)
    found = lines(changed(SMALL, moved_to(LARGE, on(16)), pause), on(30))
    assert found == [
        (on(1), "small", 1, on(1), on(1, 7)),
        (on(16), "small", -1, on(16), on(1, 7)),
        (on(16), "large", 1, on(16), on(1, 7)),
    ]
    assert lines(changed(SMALL, moved_to(LARGE, on(16)), pause), on(1, 8)) == found  # paused from July on


def test_a_change_that_waits_takes_hold_when_another_begins_a_period() -> None:
    pause = Change("b", ChangeKind.PAUSE, on(10), credit=NONE)
    found = lines(changed(SMALL, pause, moved_to(YEARLY, on(16))), on(1, 8))
    assert found == [(on(1), "small", 1, on(1), on(1, 7)), (on(16), "small", -1, on(16), on(1, 7))]


def test_a_change_without_credit_need_not_wait_on_the_first_day_of_a_period() -> None:
    resume = Change("b", ChangeKind.RESUME, on(1, 7), credit=NONE)
    found = lines(changed(SMALL, moved_to(YEARLY, on(1, 7)), resume), on(1, 7))
    assert found[-1] == (on(1, 7), "yearly", 1, on(1, 7), date(2026, 7, 1))


def test_a_change_at_a_moment_of_the_trial_holds_from_the_first_second_that_costs_something() -> None:
    at = datetime(2025, 6, 3, 12, tzinfo=UTC)
    early = Change("a", ChangeKind.RESUME, on(3), effective_at=at)
    (charge,) = charges_due(changed(BY_SECOND, early, trial_days=7), VERSIONS, on(8))
    assert charge.share == (30 * 86400, 30 * 86400)


def test_what_is_paused_until_its_known_end_may_still_be_resumed() -> None:
    paused = with_change(cancel(sold(SMALL, START), SMALL, on(20, 9)), Change("a", ChangeKind.PAUSE, on(10)))
    paused = moved_on(paused, VERSIONS, on(1, 7))
    assert (paused.status, paused.next_bill_on) == (SubscriptionStatus.PAUSED, on(20, 9))
    resumed = with_change(paused, Change("b", ChangeKind.RESUME, on(5, 7)))
    assert lines(resumed, on(5, 7)) == [(on(5, 7), "small", 1, on(5, 7), on(1, 8))]
    assert moved_on(paused, VERSIONS, on(20, 9)).status is SubscriptionStatus.ENDED


def test_the_hours_before_a_pause_on_the_first_day_of_a_period_are_charged_when_it_ends() -> None:
    late = replace(plan(component("fee", Flat(Decimal(30)), timing=ARREARS)), id="late", day_count=DayCount.SECOND)
    pause = Change("a", ChangeKind.PAUSE, on(1, 7), effective_at=datetime(2025, 7, 1, 6, tzinfo=UTC))
    versions = {"late": late}
    paused = moved_on(changed(late, pause), versions, on(1, 7))
    assert paused.next_bill_on == on(1, 8)
    (charge,) = charges_due(paused, versions, on(1, 8))
    assert charge.share == (6 * 3600, 31 * 86400)


def test_what_is_never_prorated_is_charged_once_though_it_grows_hours_after_its_period_begins() -> None:
    seats = replace(component("seats", PerUnit(Decimal(10))), prorate=False)
    whole = replace(plan(seats), id="whole", day_count=DayCount.SECOND)
    at = datetime(2025, 7, 1, 10, tzinfo=UTC)
    more = Change("a", ChangeKind.QUANTITY, on(1, 7), effective_at=at, quantities={"seats": Decimal(3)})
    charges = charges_due(changed(whole, more, quantities={"seats": Decimal(2)}), {"whole": whole}, on(1, 7))
    assert [(c.quantity, c.sign) for c in charges if c.period.boundary == on(1, 7)] == [(2, -1), (2, 1), (3, 1)]


def test_what_is_never_prorated_is_supplied_until_its_terms_end() -> None:
    seats = replace(component("seats", PerUnit(Decimal(10)), timing=ARREARS), prorate=False)
    whole, other = replace(plan(seats), id="whole"), replace(plan(FEE), id="other")
    more = Change("a", ChangeKind.QUANTITY, on(10), quantities={"seats": Decimal(3)})
    move = moved_to(other, on(20), "b")
    charges = charges_due(changed(whole, more, move), {"whole": whole, "other": other}, on(1, 7))
    (charge,) = [c for c in charges if c.component_id == "seats"]
    assert (charge.quantity, charge.period.period.end, charge.period.boundary) == (3, on(20), on(1, 7))


def test_usage_of_a_day_with_several_changes_belongs_to_the_terms_that_end_it() -> None:
    metered = component("calls", PerUnit(Decimal(1)), ChargeKind.USAGE, ARREARS, "calls")
    one = replace(plan(metered), id="one", day_count=DayCount.SECOND)
    two = replace(plan(replace(metered, price=PerUnit(Decimal(2)))), id="two", day_count=DayCount.SECOND)
    moves = [
        moved_to(two, on(16), "a", effective_at=datetime(2025, 6, 16, 6, tzinfo=UTC)),
        moved_to(one, on(16), "b", effective_at=datetime(2025, 6, 16, 9, tzinfo=UTC)),
    ]
    found = charges_due(changed(one, *moves), {"one": one, "two": two}, on(1, 7))
    assert [(c.plan_version_id, c.period.period.start, c.period.period.end) for c in found] == [
        ("one", on(1), on(16)),
        ("one", on(16), on(1, 7)),
    ]


def cancelled(day: date, change_id: str = "a", credit: CreditRule = NONE) -> Change:
    return Change(change_id, ChangeKind.CANCEL, day, credit=credit)


def renewed(day: date, change_id: str = "b") -> Change:
    return Change(change_id, ChangeKind.RENEW, day)


def test_what_was_cancelled_for_the_end_of_the_period_goes_on_when_it_is_renewed_before() -> None:
    ending = changed(SMALL, cancelled(on(10)))
    assert len(lines(ending, on(1, 7))) == 1
    assert lines(with_change(ending, renewed(on(20))), on(1, 7)) == lines(changed(SMALL), on(1, 7))
    assert lines(with_change(ending, renewed(on(1, 7))), on(1, 7)) == lines(changed(SMALL), on(1, 7))
    assert lines(with_change(ending, renewed(on(2, 7))), on(2, 7)) == lines(ending, on(2, 7)), "it had ended"


def test_a_renewal_withdraws_what_was_cancelled_for_its_day_and_nothing_that_is_cancelled_later() -> None:
    today = changed(SMALL, cancelled(on(10), credit=CreditRule.UNUSED), renewed(on(10)))
    assert lines(today, on(30)) == lines(changed(SMALL), on(30))
    later = changed(SMALL, cancelled(on(10)), renewed(on(12)), cancelled(on(15), "c"))
    assert lines(later, on(1, 7)) == lines(changed(SMALL, cancelled(on(15))), on(1, 7))
    assert lines(changed(SMALL, cancelled(on(15), "c"), renewed(on(12)), cancelled(on(10))), on(1, 7)) == lines(
        later, on(1, 7)
    )


def test_a_run_between_the_cancellation_and_its_renewal_changes_nothing() -> None:
    known = {**VERSIONS, "plv_1": SMALL}
    ending = moved_on(changed(SMALL, cancelled(on(10))), known, on(15))
    assert ending.status is SubscriptionStatus.CANCELLING
    going = with_change(ending, renewed(on(20)))
    after = moved_on(going, known, on(20))
    assert after.status is SubscriptionStatus.ACTIVE and after.next_bill_on == on(1, 7)
    assert lines(after, on(1, 7))[-1] == (on(1, 7), "small", 1, on(1, 7), on(1, 8))


def test_what_has_ended_or_was_sold_until_a_day_is_not_renewed() -> None:
    until = cancel(changed(SMALL), SMALL, on(1, 9))
    with pytest.raises(Refusal, match="ends_as_agreed"):
        with_change(until, renewed(on(20)))
    gone = moved_on(changed(SMALL, cancelled(on(10))), {**VERSIONS, "plv_1": SMALL}, on(1, 7))
    with pytest.raises(Refusal, match="already_ended"):
        with_change(gone, renewed(on(2, 7)))
