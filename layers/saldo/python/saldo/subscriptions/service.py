"""Use cases of subscriptions: start one, read."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from saldo.accounts.model import Account, AccountStatus
from saldo.accounts.records import account_from
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.catalog.model import ChargeKind, PlanVersion
from saldo.catalog.records import plan_version_from, plan_version_key
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Problems, Refusal
from saldo.kernel.exact import fits
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.subscriptions import records
from saldo.subscriptions.model import Subscription


class Subscriptions:
    """Subscriptions of one region's accounts."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def start(self, subscription: Subscription, actor: Actor) -> bool:
        """Begin a subscription; its first boundary to bill is its first billed day.

        False when it was started before on the same terms (nothing is changed). Raises Refusal
        `invalid_subscription` naming every fault, `subscription_exists` when the id stands for other terms.
        """
        unit, account = Unit(f"start {subscription.id}"), self._account(subscription.account_id)
        new = start_in(unit, subscription, account, self._plan_version(subscription), actor, self._clock())
        if self._store.write_one(unit) is None:
            return True
        if not _same_terms(self.get(new.account_id, new.id), new):
            raise Refusal("subscription_exists", f"{new.id} is already there with other terms")
        return False

    def get(self, account_id: str, subscription_id: str) -> Subscription:
        item = self._store.get(*records.subscription_key(account_id, subscription_id))
        if item is None:
            raise NotFound("no such subscription")
        return records.subscription_from(item)

    def of_account(self, account_id: str) -> list[Subscription]:
        """Every subscription of an account, in id order, those that ended too."""
        items = self._store.query_all(account_id, prefix=records.PREFIX, consistent=True)
        return [records.subscription_from(item) for item in items]

    def _account(self, account_id: str) -> Account:
        item = self._store.get(account_id, "account")
        if item is None:
            raise NotFound("no such account")
        return account_from(item)

    def _plan_version(self, subscription: Subscription) -> PlanVersion:
        item = self._store.get(*plan_version_key(subscription.entity_id, subscription.plan_version_id))
        if item is None:
            raise NotFound(f"no such plan version: {subscription.plan_version_id}")
        return plan_version_from(item)


def start_in(
    unit: Unit, subscription: Subscription, account: Account, version: PlanVersion, actor: Actor, at: datetime
) -> Subscription:
    """Begin a subscription in this unit, which does not hold when its id is there already; the subscription as begun.

    Raises Refusal `invalid_subscription` naming every fault.
    """
    new = replace(subscription, next_bill_on=subscription.billed_from, billed_through=None)
    _check(new, account, version)
    unit.insert(records.subscription_item(new))
    unit.put(audit_item(AuditRecord(new.account_id, at, actor, "subscription.started", new.id)))
    return new


def _same_terms(there: Subscription, asked: Subscription) -> bool:
    """Whether two differ only in how far they are billed."""
    moved = replace(asked, next_bill_on=there.next_bill_on, billed_through=there.billed_through, status=there.status)
    return there == moved


def _check(new: Subscription, account: Account, version: PlanVersion) -> None:
    problems = Problems()
    if account.status is not AccountStatus.ACTIVE:
        problems.add("account_id", "account_not_active", f"{account.id} is {account.status}")
    if account.entity_id != new.entity_id:
        problems.add("entity_id", "other_seller", f"{account.id} buys from another legal entity")
    if account.currency != version.currency:
        message = f"{account.id} is billed in {account.currency}, {version.id} is priced in {version.currency}"
        problems.add("plan_version_id", "other_currency", message)
    if new.trial_end_on is not None and new.trial_end_on < new.started_on:
        problems.add("trial_end_on", "before_start", "a trial ends on or after the day it starts")
    if new.cancelled_on is not None and new.cancelled_on < new.started_on:
        problems.add("cancelled_on", "before_start", "a subscription ends on or after the day it starts")
    _check_quantities(new, version, problems)
    problems.refuse_if_any("the subscription cannot start", "invalid_subscription")


def _check_quantities(new: Subscription, version: PlanVersion, problems: Problems) -> None:
    counted = {c.id for c in version.components if c.kind is not ChargeKind.USAGE}
    for component, quantity in new.quantities.items():
        field = f"quantities.{component}"
        if component not in counted:
            problems.add(field, "unknown_component", f"{version.id} has no quantity called {component}")
        elif not fits(quantity) or quantity < 0:
            problems.add(field, "invalid_quantity", "a quantity is a number from zero up")
