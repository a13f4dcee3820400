"""What is due on a subscription, component by component. No clock, no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import NamedTuple

from saldo.accounts.model import Account
from saldo.catalog.model import ChargeKind, Component, PercentOf, PlanVersion, Timing
from saldo.invoicing.model import DueSubscription
from saldo.subscriptions.model import Charge, ChargePeriod, Subscription
from saldo.subscriptions.rules import billing_due
from saldo.subscriptions.rules_changes import charges_due
from saldo.usage.model import UsageKey


def due_of(
    subscription: Subscription,
    plan_version: PlanVersion | None,
    as_of: date,
    versions: Mapping[str, PlanVersion] | None = None,
    zone: str = "UTC",
    member: Account | None = None,
) -> DueSubscription:
    """A subscription with everything due on it; `bill` refuses one whose plan version is None.

    versions: by id, those that its changes name. zone: the account's, for plans that count seconds. member: the account
    that uses it, where the invoice is addressed to another.
    """
    if plan_version is None:
        return DueSubscription(subscription, None, (), member=member)
    if not subscription.changes and not plan_version.minimum_spans:
        due = tuple(billing_due(subscription, plan_version, as_of))
        return DueSubscription(subscription, plan_version, due, member=member)
    known = {**(versions or {}), plan_version.id: plan_version}
    charges = tuple(charges_due(subscription, known, as_of, zone))
    due = tuple(dict.fromkeys(charge.period for charge in charges))
    return DueSubscription(subscription, plan_version, due, charges, known, member)


def usage_needed(due: Iterable[DueSubscription]) -> list[UsageKey]:
    """The totals that are charged (0 where nothing was used), in the order of the lines."""
    return [
        charged.usage_key for item in due for charged in charged_of(item) if charged.component.kind is ChargeKind.USAGE
    ]


class Charged(NamedTuple):
    """A component of a plan version that is due for a period; the charge of a change, where it is one."""

    period: ChargePeriod
    component: Component
    version: PlanVersion
    change: Charge | None = None

    @property
    def usage_key(self) -> UsageKey:
        """Of a usage charge: which total is charged."""
        return UsageKey(self.period.subscription_id, self.component.meter_id, self.period.period)

    @property
    def taken_back(self) -> bool:
        return self.change is not None and self.change.sign < 0

    @property
    def part(self) -> str:
        """From when the plan's minimum holds that it may count towards; "" without one."""
        if self.change is not None:
            return self.change.part
        return self.period.period.start.isoformat() if self.version.minimum else ""

    @property
    def since(self) -> str:
        """The same of the tallies that are for a cycle."""
        if self.change is not None:
            return self.change.since
        return self.period.period.start.isoformat() if self.version.by_cycle else ""


def charged_of(item: DueSubscription) -> Iterator[Charged]:
    """What is due, component by component."""
    if item.plan_version is None:
        return
    for charge in item.charges or ():
        version = item.versions[charge.plan_version_id]
        if version.is_tally(charge.component_id):
            continue
        component = next(c for c in version.components if c.id == charge.component_id)
        yield Charged(charge.period, component, version, charge)
    for due in item.due if item.charges is None else ():
        for component in item.plan_version.components:
            if component.timing is not due.timing or isinstance(component.price, PercentOf):
                continue
            if due.first or component.kind is not ChargeKind.ONE_TIME:
                yield Charged(due, component, item.plan_version)


def tallies_due(item: DueSubscription) -> list[Charged]:
    """The tallies that are over, for their days; what is taken back comes first."""
    if item.plan_version is None:
        return []
    if item.charges is None:
        over = [due for due in item.due if due.timing is Timing.ARREARS] if item.plan_version.tallies else []
        return [Charged(due, tally, item.plan_version) for due in over for tally in item.plan_version.tallies]
    found = []
    for charge in item.charges:
        version = item.versions[charge.plan_version_id]
        tally = next((tally for tally in version.tallies if tally.id == charge.component_id), None)
        if tally is not None:
            found.append(Charged(charge.period, tally, version, charge))
    return sorted(found, key=lambda one: not one.taken_back)
