"""When a subscription is billed and for what: boundaries, the periods due at them, and the cursor past them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from saldo.catalog.model import ChargeKind, Component, PlanVersion, Timing
from saldo.kernel.errors import Refusal
from saldo.kernel.periods import Cycle, Period, Unit
from saldo.kernel.states import moved
from saldo.subscriptions.model import (
    MOVES,
    Alignment,
    ChargePeriod,
    EarlierCycle,
    Subscription,
    SubscriptionStatus,
    Term,
)

_DAY = timedelta(days=1)
_FIRST_OF_A_YEAR = date(2000, 1, 1)
_A_MONDAY = date(2000, 1, 3)


def subscribe(
    subscription_id: str,
    *,
    account_id: str,
    entity_id: str,
    plan_version: PlanVersion,
    started_on: date,
    alignment: Alignment = Alignment.ANNIVERSARY,
    trial_days: int = 0,
    anchor_on: date | None = None,
    quantities: Mapping[str, Decimal] | None = None,
    term: Term | None = None,
) -> Subscription:
    """A new subscription whose first boundary is the first day that costs something.

    started_on: a day in the account's time zone. anchor_on: counts anniversary cycles from another day than that
    first one. Refusal `negative_trial`, `unknown_component` or `negative_quantity`.
    """
    if trial_days < 0:
        raise Refusal("negative_trial", "a trial has zero days or more")
    wanted = dict(quantities or {})
    _check_quantities(wanted, plan_version)
    trial_end_on = started_on + timedelta(days=trial_days) if trial_days else None
    billed_from = trial_end_on or started_on
    return Subscription(
        subscription_id,
        account_id,
        entity_id,
        plan_version.id,
        started_on,
        anchor_on or billed_from,
        alignment,
        trial_end_on,
        quantities=wanted,
        next_bill_on=billed_from,
        status=SubscriptionStatus.TRIALING if trial_end_on else SubscriptionStatus.ACTIVE,
        term=term,
    )


def _check_quantities(quantities: Mapping[str, Decimal], plan_version: PlanVersion) -> None:
    known = {c.id for c in plan_version.components if c.is_bought}
    for component_id, quantity in quantities.items():
        if component_id not in known:
            raise Refusal("unknown_component", f"{plan_version.id} has no quantity of {component_id!r}")
        if quantity < 0:
            raise Refusal("negative_quantity", f"the quantity of {component_id!r} is below zero")


def cancel(subscription: Subscription, plan_version: PlanVersion, on: date) -> Subscription:
    """The same subscription ending before `on`; the period that `on` cuts short is charged in part.

    Refusal `already_billed` when days from `on` are on an invoice: those need a credit note.
    """
    paid_to = _billed_to(subscription, plan_version)
    if on < subscription.started_on or (paid_to is not None and on < paid_to):
        raise Refusal("already_billed", f"{subscription.id} is billed beyond {on}")
    status = moved(MOVES, subscription.status, SubscriptionStatus.CANCELLING)
    cursor = subscription.next_bill_on
    last = max(on, subscription.billed_from)
    return replace(
        subscription, status=status, cancelled_on=on, next_bill_on=min(cursor, last) if cursor is not None else None
    )


def _billed_to(subscription: Subscription, plan_version: PlanVersion) -> date | None:
    """The day up to which something is on an invoice; None when nothing is."""
    if subscription.billed_through is None:
        return None
    ahead = any(c.kind is ChargeKind.FIXED and c.timing is Timing.ADVANCE for c in plan_version.components)
    return subscription.next_bill_on if ahead else subscription.billed_through


def cycle_of(subscription: Subscription, plan_version: PlanVersion) -> Cycle:
    """The billing cycle, counted from the subscription's anchor or from the calendar."""
    unit, count = plan_version.cycle_unit, plan_version.cycle_count
    if subscription.alignment is Alignment.ANNIVERSARY or unit is Unit.DAY:
        return Cycle(unit, count, subscription.anchor_on)
    return Cycle(unit, count, _A_MONDAY if unit is Unit.WEEK else _FIRST_OF_A_YEAR)


def billing_due(subscription: Subscription, plan_version: PlanVersion, as_of: date) -> list[ChargePeriod]:
    """Every period to charge at boundaries from the cursor up to and including `as_of`, oldest first.

    At a boundary, first the period that ended there (arrears), then the one that starts there (advance); each only
    if the plan has components of that timing. A late run so catches up; a run before the cursor finds nothing.
    as_of: a day in the account's time zone.
    """
    cycle = cycle_of(subscription, plan_version)
    due: list[ChargePeriod] = []
    for boundary in boundaries(subscription, cycle, as_of):
        due.extend(p for p in _periods_at(subscription, cycle, boundary) if _has_charges(plan_version, p))
    return due


def boundaries(subscription: Subscription, cycle: Cycle, as_of: date) -> Iterator[date]:
    """Boundaries not billed yet, from the cursor up to and including `as_of`."""
    boundary = subscription.next_bill_on
    while boundary is not None and boundary <= as_of:
        yield boundary
        boundary = _boundary_after(subscription, cycle, boundary)


def _boundary_after(subscription: Subscription, cycle: Cycle, boundary: date) -> date | None:
    end = subscription.cancelled_on
    if end is not None and boundary >= end:
        return None
    following = cycle.boundary(cycle.index_at(boundary) + 1)
    return following if end is None else min(following, end)


def _periods_at(subscription: Subscription, cycle: Cycle, boundary: date) -> Iterator[ChargePeriod]:
    start, end = subscription.billed_from, subscription.cancelled_on
    if boundary > start:
        yield _charge_period(subscription, cycle.period_at(boundary - _DAY), boundary, Timing.ARREARS)
    if end is None or boundary < end:
        yield _charge_period(subscription, cycle.period_at(boundary), boundary, Timing.ADVANCE)


def cycle_number(subscription: Subscription, plan_version: PlanVersion, due: ChargePeriod) -> int:
    """How many cycles were before a period: 0 for the first that is billed, be it short or whole."""
    cycle = cycle_of(subscription, plan_version)
    return cycle.index_at(due.period.start) - cycle.index_at(subscription.billed_from)


def earlier_cycles(
    component: Component, version: PlanVersion, cycle: Cycle, since: date, full: Period
) -> tuple[EarlierCycle, ...]:
    """The cycles before one, whose use its price depends on.

    since: the first day on these terms.
    """
    if not component.looks_back:
        return ()
    first = since
    if component.cumulates is not None:
        pool = cycle.times(version.cycles_of(component.cumulates), since).period_at(full.start)
        first = max(pool.start, since)
    found: list[EarlierCycle] = []
    for one in cycle.periods_from(first):
        if one.start >= full.start:
            return tuple(found)
        found.append(EarlierCycle(Period(max(one.start, since), one.end), one))
    raise AssertionError("periods have no end")


def _charge_period(subscription: Subscription, full: Period, boundary: date, timing: Timing) -> ChargePeriod:
    start = max(full.start, subscription.billed_from)
    end = full.end if subscription.cancelled_on is None else min(full.end, subscription.cancelled_on)
    first = start == subscription.billed_from
    return ChargePeriod(subscription.id, boundary, timing, Period(start, end), full, first)


def _has_charges(plan_version: PlanVersion, due: ChargePeriod) -> bool:
    if plan_version.tallies and due.timing is Timing.ARREARS:
        return True
    return any(
        c.timing is due.timing and (due.first or c.kind is not ChargeKind.ONE_TIME) for c in plan_version.components
    )


def billed(subscription: Subscription, plan_version: PlanVersion, as_of: date) -> Subscription:
    """The subscription after everything due up to `as_of` was billed: cursor moved on, status with it.

    Doing it twice changes nothing.
    """
    cycle = cycle_of(subscription, plan_version)
    done = list(boundaries(subscription, cycle, as_of))
    if not done:
        return subscription
    following = _boundary_after(subscription, cycle, done[-1])
    status = subscription.status
    if following is None:
        status = moved(MOVES, status, SubscriptionStatus.ENDED)
    elif status is SubscriptionStatus.TRIALING:
        status = moved(MOVES, status, SubscriptionStatus.ACTIVE)
    return replace(subscription, next_bill_on=following, billed_through=done[-1], status=status)
