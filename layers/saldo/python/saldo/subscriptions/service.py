"""Use cases of subscriptions: start one, change it, read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from saldo.accounts.model import Account, AccountStatus
from saldo.accounts.records import account_from
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.catalog.model import PlanVersion
from saldo.catalog.records import plan_version_from, plan_version_key
from saldo.catalog.rules import version_in_force
from saldo.catalog.service import Catalog
from saldo.exchange.service import ExchangeRates
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Problem, Problems, Refusal, Unavailable
from saldo.kernel.periods import local_date
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.subscriptions import records
from saldo.subscriptions.claims import MeterClaims
from saldo.subscriptions.model import Change, ChangeKind, Subscription
from saldo.subscriptions.records import move_on
from saldo.subscriptions.records_terms import renewing_item
from saldo.subscriptions.rules_changes import with_change
from saldo.subscriptions.rules_checks import (
    problems_of_change,
    problems_of_day,
    problems_of_days,
    problems_of_quantities,
)
from saldo.subscriptions.rules_meters import changed_so, plans_of
from saldo.subscriptions.rules_terms import Renewing, problems_of_term

_MOST_TRIES = 8


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
        version = self._plan_version(subscription)
        price = self._price_problem(account, version, subscription.started_on)
        claims = MeterClaims(self._store, account.id, account.entity_id)
        new = start_in(unit, subscription, account, version, actor, self._clock(), claims, price)
        if self._store.write_one(unit) is None:
            return True
        if not _same_terms(self.get(new.account_id, new.id), new):
            raise Refusal("subscription_exists", f"{new.id} is already there with other terms")
        return False

    def change(self, account_id: str, subscription_id: str, change: Change, actor: Actor) -> Subscription:
        """Put a change on record, to be billed by the first run on or after its day; the subscription as it then is.

        What it costs follows from the set of changes, so changes may come in any order, late, twice, or from several
        people at once. Refusals as `change_in`.
        """
        for _ in range(_MOST_TRIES):
            before = self.get(account_id, subscription_id)
            unit = Unit(f"change {subscription_id} {change.id}")
            versions, claims = self._versions(before, change), self._claims(before)
            after = change_in(unit, before, change, versions, actor, self._clock(), claims)
            if after == before or self._store.write_one(unit) is None:
                return after
        raise Unavailable("this subscription is being changed by many at once; try again")

    def changed(self, account_id: str, subscription_id: str, change: Change) -> Subscription:
        """What `change` would make of it; nothing is written."""
        before = self.get(account_id, subscription_id)
        return changed_by(before, change, self._versions(before, change), self._claims(before))

    def _claims(self, subscription: Subscription) -> MeterClaims:
        return MeterClaims(self._store, subscription.account_id, subscription.entity_id)

    def _versions(self, subscription: Subscription, change: Change) -> dict[str, PlanVersion]:
        """The plan versions it was sold and is moved to by changes, as far as they exist."""
        entity_id = subscription.entity_id
        wanted = {c.plan_version_id for c in (*subscription.changes, change)} | {subscription.plan_version_id}
        wanted -= {""}
        found = self._store.get_many([plan_version_key(entity_id, version_id) for version_id in sorted(wanted)])
        return {version.id: version for version in map(plan_version_from, found.values())}

    def get(self, account_id: str, subscription_id: str) -> Subscription:
        item = self._store.get(*records.subscription_key(account_id, subscription_id))
        if item is None:
            raise NotFound("no such subscription")
        return records.subscription_from(item)

    def of_account(self, account_id: str) -> list[Subscription]:
        """Every subscription of an account, in id order, those that ended too."""
        items = self._store.query_all(account_id, prefix=records.PREFIX, consistent=True)
        return [records.subscription_from(item) for item in items]

    def country_of(self, subscription: Subscription) -> str:
        """The country whose prices it has."""
        return self._account(subscription.account_id).country

    def _price_problem(self, account: Account, version: PlanVersion, on: date) -> Problem | None:
        """A price in another currency than the account's is billed where the account agreed on a rate or its seller
        converts prices, and where the plan has no price in the account's own."""
        found = other_currency(account, version)
        if found is None:
            return None
        seller = account.entity_id
        if account.price_rate(version.currency) is None and ExchangeRates(self._store).prices_on(seller) is None:
            return replace(found, message=f"{found.message}: no rate is agreed, and {seller} converts no prices")
        known = Catalog(self._store, self._clock).versions_of(seller)
        own = version_in_force(known, version.plan_id, account.currency, account.country, on)
        if own is None:
            return None
        message = f"{version.plan_id} has a price in {account.currency}: {own.id}"
        return Problem("plan_version_id", "priced_in_own_currency", message)

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
    unit: Unit,
    subscription: Subscription,
    account: Account,
    version: PlanVersion,
    actor: Actor,
    at: datetime,
    claims: MeterClaims,
    price: Problem | None = None,
) -> Subscription:
    """Begin a subscription in this unit, which does not hold when its id is there already; the subscription as begun.

    claims: the account's, for no other subscription may bill its meters. price: what is wrong with a price that is in
    another currency than the account's; None where nobody found a fault, or it is the account's own. Raises Refusal
    `invalid_subscription` naming every fault.
    """
    new = replace(subscription, next_bill_on=subscription.billed_from, billed_through=None)
    versions = {version.id: version}
    _check(
        new,
        account,
        version,
        local_date(at, account.time_zone),
        (*([price] if price else ()), *claims.problems(new, versions)),
    )
    claims.add(new, versions)
    unit.insert(records.subscription_item(new))
    records.claims_counted(unit, new.account_id)
    if new.term is not None:
        unit.insert(renewing_item(Renewing.begun(new, version)))
    unit.put(audit_item(AuditRecord(new.account_id, at, actor, "subscription.started", new.id)))
    return new


def change_in(
    unit: Unit,
    before: Subscription,
    change: Change,
    versions: Mapping[str, PlanVersion],
    actor: Actor,
    at: datetime,
    claims: MeterClaims,
) -> Subscription:
    """Put a change on record in this unit, which holds only while the subscription is as it was read; as it then is.

    Nothing is added to the unit when the change was on record before. versions: by id, those that it was on and is
    moved to. claims: the account's. Raises Refusal `invalid_change` naming every fault, `being_billed` while a run
    holds the subscription, and those of `rules_changes.with_change`.
    """
    after = changed_by(before, change, versions, claims)
    if after == before:
        return before
    claims.add(after, versions)
    if before.is_being_billed:
        raise Refusal("being_billed", f"{before.id} is being billed at this moment; try again in a minute")
    move_on(unit, before, after)
    records.claims_counted(unit, before.account_id)
    what = {"kind": change.kind.value, "effective_on": change.effective_on.isoformat()}
    subject = f"{before.id} {change.id}"
    unit.put(audit_item(AuditRecord(before.account_id, at, actor, "subscription.changed", subject, after=what)))
    return replace(after, version=before.version + 1)


def changed_by(
    before: Subscription, change: Change, versions: Mapping[str, PlanVersion], claims: MeterClaims
) -> Subscription:
    """The subscription with the change. Refusals as `change_in`."""
    _check_change(change, before, versions, claims)
    return with_change(before, change)


def _check_change(
    change: Change, subscription: Subscription, versions: Mapping[str, PlanVersion], claims: MeterClaims
) -> None:
    problems = Problems()
    problems.extend(problems_of_change(change, versions))
    problems.extend(problems_of_day(change.effective_on, "effective_on"))
    after, cannot_be = changed_so(subscription, change), {"plan", "effective_on"} & {p.field for p in problems.found}
    if not cannot_be and plans_of(after) <= versions.keys():
        field = "plan" if change.kind is ChangeKind.PLAN else "kind"
        problems.extend(claims.problems(after, versions, subscription, field))
    sold, wanted = versions.get(subscription.plan_version_id), versions.get(change.plan_version_id)
    if sold and wanted and sold.currency != wanted.currency:
        message = f"{subscription.id} is billed in {sold.currency}, {wanted.id} is priced in {wanted.currency}"
        problems.add("plan", "other_currency", message)
    problems.refuse_if_any("the subscription cannot be changed so", "invalid_change")


def _same_terms(there: Subscription, asked: Subscription) -> bool:
    """Whether two differ only in how far they are billed."""
    moved = replace(
        asked,
        next_bill_on=there.next_bill_on,
        billed_through=there.billed_through,
        status=there.status,
        changes=there.changes,
        version=there.version,
        is_being_billed=there.is_being_billed,
    )
    return there == moved


def other_currency(account: Account, version: PlanVersion) -> Problem | None:
    """That a plan is priced in another currency than the account is billed in."""
    if account.currency == version.currency:
        return None
    message = f"{account.id} is billed in {account.currency}, {version.id} is priced in {version.currency}"
    return Problem("plan_version_id", "other_currency", message)


def _check(new: Subscription, account: Account, version: PlanVersion, today: date, found: Sequence[Problem]) -> None:
    problems = Problems()
    problems.extend(found)
    if account.status is not AccountStatus.ACTIVE:
        problems.add("account_id", "account_not_active", f"{account.id} is {account.status}")
    if account.entity_id != new.entity_id:
        problems.add("entity_id", "other_seller", f"{account.id} buys from another legal entity")
    if not version.is_sold_in(account.country):
        message = f"{version.id} is sold in {', '.join(version.countries)}, {account.id} is in {account.country}"
        problems.add("plan_version_id", "not_sold_there", message)
    problems.extend(problems_of_days(new, today))
    problems.extend(problems_of_quantities(new.quantities, version))
    if new.term is not None:
        problems.extend(problems_of_term(new.term, version))
        if new.cancelled_on is not None:
            problems.add("term", "ends_as_agreed", "it either ends on an agreed day or renews itself")
    problems.refuse_if_any("the subscription cannot start", "invalid_subscription")
