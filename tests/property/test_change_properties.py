"""What holds of subscriptions that change, whatever changes and whenever."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from saldo.catalog.model import BY_MONTHS, ChargeKind, DayCount, Flat, Graduated, PerUnit, Timing
from saldo.invoicing.model import BelowZero, BillingCase, BillingOptions, Draft
from saldo.invoicing.rules import bill, due_of, usage_needed
from saldo.invoicing.rules_soundness import problems_of
from saldo.kernel.periods import Cycle, Period, Unit, local_date
from saldo.rating.model import Ask
from saldo.rating.rules.registry import price, price_more
from saldo.subscriptions.codec import subscription_from_json, subscription_to_json
from saldo.subscriptions.model import Change, ChangeKind, CreditRule, Subscription
from saldo.subscriptions.rules import billed, billing_due
from saldo.subscriptions.rules_changes import charges_due, moved_on, with_change
from tests.property.test_engine_properties import quantities, tiers
from tests.unit.invoicing.scenes import ADVANCE, ARREARS, BUYER, SELLER, TAX, component, plan, sold

START = date(2025, 1, 10)
OPTIONS = BillingOptions(below_zero=BelowZero.CREDIT_NOTE)
SMALL = replace(
    plan(
        component("fee", Flat(Decimal("29.99"))),
        component("seats", PerUnit(Decimal("7.01"))),
        component("support", Flat(Decimal("11.37")), timing=ARREARS),
        component("calls", PerUnit(Decimal("0.01")), ChargeKind.USAGE, ARREARS, "calls"),
    ),
    id="small",
)
LARGE = replace(
    plan(
        component("fee", Flat(Decimal("99.50"))),
        component("seats", PerUnit(Decimal("6.49"))),
        component("calls", PerUnit(Decimal("0.02")), ChargeKind.USAGE, ARREARS, "calls"),
    ),
    id="large",
)
YEARLY = replace(plan(component("fee", Flat(Decimal(600))), unit=SMALL.cycle_unit.YEAR), id="yearly")
VERSIONS = {version.id: version for version in (SMALL, LARGE, YEARLY)}
LAST = START + timedelta(days=200)


@st.composite
def changes(draw: st.DrawFn) -> list[Change]:
    """Up to five changes, some of them of one day; a pause is followed by whatever comes."""
    found = []
    for n in range(draw(st.integers(0, 5))):
        kind = draw(st.sampled_from([k for k in ChangeKind if k is not ChangeKind.CANCEL or n > 2]))
        found.append(
            Change(
                id=f"c{n}",
                kind=kind,
                effective_on=START + timedelta(days=draw(st.integers(0, 120))),
                plan_version_id=draw(st.sampled_from(sorted(VERSIONS))) if kind is ChangeKind.PLAN else "",
                quantities={"seats": Decimal(draw(st.integers(0, 9)))} if kind is ChangeKind.QUANTITY else {},
                credit=draw(st.sampled_from([CreditRule.UNUSED, CreditRule.NONE])),
            )
        )
    return found


def changed(found: Sequence[Change], subscription: Subscription | None = None) -> Subscription:
    """With one change more that changes nothing, so that every bill goes the way of changes."""
    subscription = subscription or with_change(sold(SMALL, START), Change("none", ChangeKind.RESUME, START))
    for change in found:
        subscription = with_change(subscription, change)
    return subscription


def run(subscription: Subscription, as_of: date) -> tuple[Subscription, int, Counter[tuple[str, date]]]:
    """Bill everything due through a day: the net, and how often each day of each component is charged."""
    due = due_of(subscription, VERSIONS[subscription.plan_version_id], as_of, VERSIONS)
    case = BillingCase(BUYER, SELLER, (due,), dict.fromkeys(usage_needed([due]), Decimal(100)), as_of, options=OPTIONS)
    outcome = bill(case, TAX)
    days: Counter[tuple[str, date]] = Counter()
    for charge in due.charges or ():
        for n in range(charge.period.period.days):
            days[charge.component_id, charge.period.period.start + timedelta(days=n)] += charge.sign
    (moved,) = outcome.subscriptions
    if isinstance(outcome, Draft):
        assert not problems_of(outcome.body)
        return moved, outcome.body.net_minor, days
    return moved, 0, days


@settings(max_examples=50, deadline=None)
@given(changes(), st.randoms(use_true_random=False))
def test_changes_in_any_order_make_one_subscription_and_one_bill(found: list[Change], chance: Random) -> None:
    shuffled = list(found)
    chance.shuffle(shuffled)
    assert changed(found) == changed(shuffled)
    assert subscription_from_json(subscription_to_json(changed(found))) == changed(found)
    assert charges_due(changed(found), VERSIONS, LAST) == charges_due(changed(shuffled), VERSIONS, LAST)


@settings(max_examples=50, deadline=None)
@given(changes(), st.data())
def test_changes_that_come_late_cost_what_they_would_have_cost_in_time(
    found: list[Change], data: st.DataObject
) -> None:
    """Some are known only after runs that they would have changed: to the cent the sum is the same."""
    found = [replace(c, quantities=c.quantities) for c in found if c.kind is not ChangeKind.CANCEL]
    in_time, once, days_once = run(changed(found), LAST)
    subscription, total, days = changed([]), 0, Counter[tuple[str, date]]()
    waiting = list(found)
    for n in range(0, 201, 25):
        late = data.draw(st.integers(0, len(waiting))) if waiting else 0
        subscription = changed(waiting[:late], subscription)
        waiting = waiting[late:]
        subscription, net, counted = run(subscription, START + timedelta(days=n))
        total += net
        days.update(counted)
    subscription, net, counted = run(changed(waiting, subscription), LAST)
    days.update(counted)
    assert total + net == once
    assert {day: times for day, times in days.items() if times} == {d: t for d, t in days_once.items() if t}
    assert subscription.next_bill_on == in_time.next_bill_on


@settings(max_examples=50, deadline=None)
@given(changes())
def test_any_sequence_of_changes_bills_each_day_of_service_once(found: list[Change]) -> None:
    _, _, days = run(changed(found), LAST)
    assert set(days.values()) <= {0, 1}
    if not any(c.kind in (ChangeKind.PAUSE, ChangeKind.CANCEL) for c in found):
        assert all(days["fee", START + timedelta(days=n)] == 1 for n in range(200))


def test_a_change_on_a_day_that_is_billed_is_credited_with_the_next_run() -> None:
    subscription, _, _ = run(changed([]), START + timedelta(days=40))
    late = Change("late", ChangeKind.PLAN, START + timedelta(days=10), plan_version_id="large")
    _, net, _ = run(changed([late], subscription), START + timedelta(days=40))
    _, wanted, _ = run(changed([late]), START + timedelta(days=40))
    _, before, _ = run(changed([]), START + timedelta(days=40))
    assert net == wanted - before


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 200), st.sampled_from([ADVANCE, ARREARS]))
def test_a_change_that_changes_nothing_bills_as_if_it_were_not_there(days: int, timing: Timing) -> None:
    same = Change("same", ChangeKind.PLAN, START + timedelta(days=days % 120), plan_version_id="small")
    plain = sold(SMALL, START)
    charges = charges_due(changed([same], plain), VERSIONS, START + timedelta(days=days))
    periods = {(p.period, p.timing) for p in billing_due(plain, SMALL, START + timedelta(days=days))}
    assert {(c.period.period, c.period.timing) for c in charges} == {p for p in periods if p[0].days > 0}
    as_of = START + timedelta(days=days)
    assert moved_on(changed([same], plain), VERSIONS, as_of).next_bill_on in (
        billed(plain, SMALL, as_of).next_bill_on,
        same.effective_on,
    )


@settings(max_examples=50, deadline=None)
@given(
    st.integers(1, 30),
    st.sampled_from([DayCount.ACTUAL, DayCount.FIXED_30, DayCount.SECOND, *BY_MONTHS]),
    st.decimals("0.01", 10**5, places=2),
)
def test_the_parts_of_a_split_period_add_up_to_the_whole(day: int, day_count: DayCount, amount: Decimal) -> None:
    """Moved on a day to a plan of the same price, a period costs what it costs whole."""
    one = replace(plan(component("one", Flat(amount))), id="one", day_count=day_count)
    other = replace(plan(component("other", Flat(amount))), id="other", day_count=day_count)
    move = Change("move", ChangeKind.PLAN, START + timedelta(days=day), plan_version_id="other")
    subscription, versions = with_change(sold(one, START), move), {"one": one, "other": other}
    due = due_of(subscription, one, START + timedelta(days=30), versions)
    outcome = bill(BillingCase(BUYER, SELLER, (due,), {}, START + timedelta(days=30)), TAX)
    assert isinstance(outcome, Draft)
    assert outcome.body.net_minor == int(amount * 100)
    shares = [line.share for line in outcome.body.lines if line.share.of > 1]
    assert len({(share.days, share.of) for share in shares}) <= 1


@settings(max_examples=80, deadline=None)
@given(
    st.dates(date(2023, 1, 1), date(2026, 12, 31)),
    st.sampled_from([Unit.MONTH, Unit.QUARTER, Unit.YEAR]),
    st.sampled_from(BY_MONTHS),
    st.lists(st.integers(1, 700), max_size=4),
    st.integers(1, 720),
    st.booleans(),
)
def test_however_terms_change_each_month_counts_once_and_whole(
    start: date, unit: Unit, day_count: DayCount, days: list[int], end: int, ends: bool
) -> None:
    """Those in which the subscription begins and ends are among them."""
    parts = component("ahead", Flat(Decimal(50))), component("behind", Flat(Decimal(7)), timing=ARREARS)
    one = replace(plan(*parts, unit=unit), id="one", day_count=day_count)
    other = replace(
        plan(*(replace(p, price=Flat(Decimal(9))) for p in parts), unit=unit), id="other", day_count=day_count
    )
    subscription, versions = sold(one, start), {"one": one, "other": other}
    for n, day in enumerate(days):
        to = "other" if n % 2 else "one"
        move = Change(f"c{n}", ChangeKind.PLAN, start + timedelta(days=day), plan_version_id=to)
        subscription = with_change(subscription, move)
    last = start + timedelta(days=end)
    if ends:
        subscription = with_change(subscription, Change("end", ChangeKind.CANCEL, last))
    months: Counter[tuple[str, Period]] = Counter()
    every = charges_due(subscription, versions, start + timedelta(days=800)) if days or ends else []
    for charge in every:
        assert charge.share is not None and 0 <= charge.share[0] <= charge.share[1]
        months[charge.component_id, charge.period.full] += charge.sign * charge.share[0]
    begun = Cycle(Unit.MONTH, 1, start)
    for (_, full), counted in months.items():
        over = last if ends and last < full.end else full.end
        assert counted == sum(1 for day in _months(begun, full) if day < over)


def _months(cycle: Cycle, full: Period) -> list[date]:
    """The days on which those of a period begin."""
    n = cycle.index_at(full.start)
    return [day for k in range(13) if (day := cycle.boundary(n + k)) < full.end]


@given(tiers(), quantities, quantities)
def test_graduated_over_a_split_is_graduated_over_the_sum(
    found: tuple[object, ...], before: Decimal, now: Decimal
) -> None:
    model = Graduated(found)  # type: ignore[arg-type]  # the strategy makes tiers
    parts = price(model, before).amount + price_more(model, Ask(now), before).amount
    assert parts == price(model, before + now).amount


@st.composite
def moments(draw: st.DrawFn) -> list[Change]:
    """Up to six changes of plan or quantity to the second, some of them of one day or one moment."""
    found = []
    for n in range(draw(st.integers(1, 6))):
        at = datetime(2025, 3, 10, tzinfo=UTC) + timedelta(seconds=draw(st.integers(0, 40 * 86400)))
        at = at.replace(hour=draw(st.sampled_from([0, 6, 22, 23, at.hour])))
        plan_id = draw(st.sampled_from(["", "first", "second"]))
        kind = ChangeKind.PLAN if plan_id else ChangeKind.QUANTITY
        quantities = {} if plan_id else {"seats": Decimal(draw(st.integers(1, 9)))}
        found.append(Change(f"c{n}", kind, local_date(at, ZONE), at, plan_id, quantities))
    return found


ZONE = "Europe/Berlin"


@settings(max_examples=60, deadline=None)
@given(moments())
def test_any_sequence_of_changes_bills_each_second_of_service_once(found: list[Change]) -> None:
    """Over the month in which an hour is missing, and the next."""
    parts = (
        component("fee", Flat(Decimal(50))),
        component("seats", PerUnit(Decimal(3))),
        component("late", Flat(Decimal(7)), timing=ARREARS),
    )
    first = replace(plan(*parts), id="first", day_count=DayCount.SECOND)
    second = replace(plan(*(replace(p, price=Flat(Decimal(9))) for p in parts)), id="second", day_count=DayCount.SECOND)
    subscription = sold(first, date(2025, 3, 10))
    for change in found:
        subscription = with_change(subscription, change)
    billed_seconds: Counter[tuple[str, date]] = Counter()
    whole: dict[date, int] = {}
    for charge in charges_due(subscription, {"first": first, "second": second}, date(2025, 5, 10), ZONE):
        assert charge.share is not None
        part, of = charge.share
        billed_seconds[charge.component_id, charge.period.full.start] += charge.sign * part
        whole[charge.period.full.start] = of
    months = [date(2025, 3, 10), date(2025, 4, 10)]
    assert whole[months[0]] == 31 * 86400 - 3600
    for name in ("fee", "seats", "late"):
        assert [billed_seconds[name, month] for month in months] == [whole[month] for month in months]
