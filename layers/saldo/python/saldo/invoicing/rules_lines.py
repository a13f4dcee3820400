"""From what is due on an account to the lines of its invoice, before tax. No clock, no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal

from saldo.catalog.model import ChargeKind, Component, PlanVersion, Timing
from saldo.invoicing.model import BillingCase, DueSubscription, Item, Line, LineKind
from saldo.kernel.errors import Refusal
from saldo.kernel.exact import ONE, minor_of_share, times
from saldo.kernel.periods import Period
from saldo.kernel.rounding import Rounding
from saldo.rating.model import Share, Step
from saldo.rating.rules.proration import WHOLE, share_of
from saldo.rating.rules.registry import NESTED_RULES, rate
from saldo.subscriptions.model import ChargePeriod, Subscription
from saldo.subscriptions.rules import billing_due, cycle_number
from saldo.usage.model import UsageKey

_DAY = timedelta(days=1)


def due_of(subscription: Subscription, plan_version: PlanVersion | None, as_of: date) -> DueSubscription:
    """A subscription with everything due on it; `bill` refuses one whose plan version is None."""
    due = billing_due(subscription, plan_version, as_of) if plan_version else []
    return DueSubscription(subscription, plan_version, tuple(due))


def usage_needed(due: Iterable[DueSubscription]) -> list[UsageKey]:
    """The totals that a BillingCase of these must hold (0 where nothing was used), in the order of the lines."""
    return [
        UsageKey(item.subscription.id, component.meter_id, period.period)
        for item in due
        for period, component in _charged(item)
        if component.kind is ChargeKind.USAGE
    ]


def _charged(item: DueSubscription) -> Iterator[tuple[ChargePeriod, Component]]:
    """What is due, component by component."""
    if item.plan_version is None:
        return
    for due in item.due:
        for component in item.plan_version.components:
            once = component.kind is ChargeKind.ONE_TIME
            if component.timing is due.timing and (due.first or not once):
                yield due, component


def charge_lines(case: BillingCase) -> list[Line]:
    """Every due charge rated, before tax, in the order of subscriptions, periods and components."""
    lines: list[Line] = []
    for item in case.due:
        for due, component in _charged(item):
            lines.append(_line(str(len(lines) + 1), case, item, due, component))
    lines.extend(_item_line(str(len(lines) + n), case, sold) for n, sold in enumerate(case.items, 1))
    return lines


def _item_line(line_id: str, case: BillingCase, item: Item) -> Line:
    amount = times(item.quantity, item.unit_price)
    return Line(
        line_id,
        "",
        "",
        item.id,
        Timing.ARREARS,
        Period(case.as_of, case.as_of + _DAY),
        item.names,
        {},
        item.quantity,
        amount,
        Share(),
        Rounding.HALF_UP,
        minor_of_share(amount, (1, 1), case.account.currency),
        (Step("per_unit", item.quantity, item.unit_price, amount),),
        item.tax_category,
        item.revenue_tag,
        (),
        LineKind.ITEM,
        inclusive=item.inclusive,
    )


def _line(line_id: str, case: BillingCase, item: DueSubscription, due: ChargePeriod, component: Component) -> Line:
    plan_version = item.plan_version
    assert plan_version is not None, "checked before anything is rated"
    quantity = _quantity(case, item.subscription, due, component)
    short = component.kind is ChargeKind.FIXED and component.prorate
    share = share_of(due.period, due.full, plan_version.day_count) if short else WHOLE
    aged = type(component.price) in NESTED_RULES  # only these can hold a ramp
    cycle = cycle_number(item.subscription, plan_version, due) if aged else 0
    rated = rate(component.price, quantity, plan_version.currency, share, plan_version.rounding, cycle)
    return Line(
        line_id,
        item.subscription.id,
        plan_version.id,
        component.id,
        due.timing,
        due.period,
        component.names,
        component.unit_names,
        quantity,
        rated.exact,
        share,
        rated.rounding,
        rated.net_minor,
        rated.steps,
        component.tax_category,
        component.revenue_tag,
        (),
    )


def _quantity(case: BillingCase, subscription: Subscription, due: ChargePeriod, component: Component) -> Decimal:
    if component.kind is not ChargeKind.USAGE:
        return subscription.quantities.get(component.id, ONE)
    used = case.usage.get(UsageKey(subscription.id, component.meter_id, due.period))
    if used is None:
        raise Refusal("usage_total_missing", f"no total of {component.meter_id} for {due.period.as_text()}")
    if used < 0:
        raise Refusal("negative_usage", f"{component.meter_id} counted {used} in {due.period.as_text()}")
    return used
