"""What is due on a subscription, component by component. No clock, no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from saldo.accounts.model import Account
from saldo.catalog.model import ChargeKind, PercentOf, PlanVersion, Timing
from saldo.invoicing.model import Charged, DueSubscription
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
        charged = tuple(one for period in due for one in _charged(plan_version, period))
        return DueSubscription(subscription, plan_version, due, charged, member=member)
    known = {**(versions or {}), plan_version.id: plan_version}
    charges = tuple(charges_due(subscription, known, as_of, zone))
    due = tuple(dict.fromkeys(charge.period for charge in charges))
    charged = tuple(one for charge in charges for one in _charged_by(known[charge.plan_version_id], charge))
    return DueSubscription(subscription, plan_version, due, charged, charges, known, member)


def usage_needed(due: Iterable[DueSubscription]) -> list[UsageKey]:
    """The totals that are charged (0 where nothing was used), in the order of the lines."""
    return [one.usage_key for item in due for one in item.metered]


def _charged(version: PlanVersion, due: ChargePeriod) -> Iterator[Charged]:
    for component in version.components:
        if component.timing is not due.timing or isinstance(component.price, PercentOf):
            continue
        if due.first or component.kind is not ChargeKind.ONE_TIME:
            yield Charged(due, component, version)


def _charged_by(version: PlanVersion, charge: Charge) -> Iterator[Charged]:
    """The component that a change charges or gives back; none where that is a tally."""
    if not version.is_tally(charge.component_id):
        component = next(c for c in version.components if c.id == charge.component_id)
        yield Charged(charge.period, component, version, charge)


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
