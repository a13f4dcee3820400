"""What a customer changes of its own subscriptions: what may be chosen, what it would cost, and doing it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from saldo.audit.model import Actor
from saldo.catalog.model import NEGOTIATED, ChargeKind, Component, Flat, Plan, PlanVersion
from saldo.catalog.rules import version_in_force
from saldo.catalog.service import Catalog, PlanVersions
from saldo.invoicing.forecast import Forecasts
from saldo.invoicing.model_forecast import NextInvoice
from saldo.invoicing.model_tally import Tally, TallyKey
from saldo.invoicing.rules_tallies import least_minor
from saldo.invoicing.tally_records import read_tallies
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound
from saldo.kernel.periods import Period
from saldo.orders.rules_prices import is_recurring
from saldo.storage.items import Key
from saldo.storage.kept import KeptAWhile
from saldo.storage.store import Store
from saldo.subscriptions.claimed import claims_of_account
from saldo.subscriptions.model import Change, ChangeKind, Subscription, SubscriptionStatus
from saldo.subscriptions.rules_changes import minimum_around
from saldo.subscriptions.rules_meters import changed_so, claims_more, clashes_with
from saldo.subscriptions.rules_terms import cancelled_from, term_end
from saldo.subscriptions.rules_timeline import Terms, timeline
from saldo.subscriptions.service import Subscriptions


@dataclass(frozen=True, slots=True)
class Standing:
    """A subscription with its terms one after the other. `versions`: what the seller published, and what was negotiated
    for it; `plans`: the seller's, by id."""

    subscription: Subscription
    terms: tuple[Terms, ...]
    versions: Mapping[str, PlanVersion]
    plans: Mapping[str, Plan]

    def plan_of(self, version_id: str) -> Plan | None:
        version = self.versions.get(version_id)
        return self.plans.get(version.plan_id) if version else None

    def at(self, day: date) -> Terms:
        """What holds on a day; before the first day that costs something, what holds then."""
        return next((t for t in reversed(self.terms) if t.start <= day), self.terms[0])

    def ahead(self, day: date) -> tuple[Terms, ...]:
        """What is agreed for later."""
        return tuple(t for t in self.terms if t.start > day)

    def period_end(self, day: date) -> date:
        """The day after the period that a day lies in, by the terms of that day."""
        return self.at(day).cycle.period_at(max(day, self.subscription.billed_from)).end

    def days_of_change(self, day: date) -> tuple[date, date]:
        """From when a change of a day may hold: at once, once it has begun, or when the period ends."""
        return max(day, self.subscription.started_on), self.period_end(day)

    @property
    def sold(self) -> PlanVersion:
        """What it was sold, whatever it was moved to since."""
        return self.versions[self.subscription.plan_version_id]

    def term_end(self, day: date) -> date | None:
        """The day after the term that a day is in; None where it is not sold for a term."""
        return None if self.subscription.term is None else term_end(self.subscription, self.sold, day)

    def cancelled_from(self, day: date) -> date:
        """From when a cancellation holds that comes on a day, of what is sold for a term."""
        return cancelled_from(self.subscription, self.sold, day)

    @property
    def offered(self) -> list[PlanVersion]:
        """What is sold to everybody: prices that were negotiated with one customer are left out."""
        return [v for v in self.versions.values() if not v.id.startswith(NEGOTIATED)]

    @property
    def is_over(self) -> bool:
        """Nothing can be chosen any more: it has ended, or its end is agreed."""
        return self.subscription.status is SubscriptionStatus.ENDED or self.terms[-1].ended

    @property
    def counted(self) -> tuple[Component, ...]:
        """What of the present plan is bought by quantity."""
        return tuple(c for c in self.terms[-1].version.components if by_quantity(c))


@dataclass(frozen=True, slots=True)
class CommitmentStands:
    """How a minimum with a period of its own stands: what is due for the period at least, as it is agreed now, and what
    invoices have charged towards it so far."""

    period: Period
    least_minor: int
    counted_minor: int


@dataclass(frozen=True, slots=True)
class Choice:
    """A plan that a subscription may be moved to. `free_from`: the first of the days that were asked about on which it
    counts nothing that another subscription of the account counts; None where it does on each."""

    plan: Plan
    version: PlanVersion
    free_from: date | None


def by_quantity(component: Component) -> bool:
    return component.kind is ChargeKind.FIXED and component.is_bought and not isinstance(component.price, Flat)


class SelfService:
    """Subscriptions of one account, which is all that the store reaches besides its seller."""

    def __init__(
        self,
        store: Store,
        forecasts: Forecasts,
        versions: PlanVersions,
        clock: Clock,
        plans: KeptAWhile[Key, Plan] | None = None,
    ) -> None:
        """plans: those whose names this process read a while ago."""
        self._subscriptions, self._catalog = Subscriptions(store, clock), Catalog(store, clock)
        self._store, self._plans = store, plans or KeptAWhile(clock)
        self._forecasts, self._versions = forecasts, versions

    def listed(self, account_id: str, entity_id: str) -> list[Standing]:
        """Every subscription of the account with what it names of the catalog, and no more; those that ended last."""
        found = self._subscriptions.of_account(account_id)
        named = self._versions.get_many((entity_id, version_id) for s in found for version_id in _named_by(s))
        versions = {version.id: version for version in named.values()}
        plans = self._named(entity_id, {v.plan_id for v in versions.values()})
        return _in_order(self._stand(s, versions, plans) for s in found)

    def _named(self, entity_id: str, plan_ids: Iterable[str]) -> dict[str, Plan]:
        def read(unknown: list[Key]) -> dict[Key, Plan]:
            return {(entity_id, p.id): p for p in self._catalog.plans_named(entity_id, (i for _, i in unknown))}

        kept = self._plans.of({(entity_id, plan_id) for plan_id in plan_ids}, read)
        return {plan.id: plan for plan in kept.values()}

    def standing(self, account_id: str, subscription_id: str) -> Standing:
        """One of the account's with all that the seller sells, to choose from: two reads. NotFound."""
        subscription = self._subscriptions.get(account_id, subscription_id)
        plans, versions = self._catalog.sold_by(subscription.entity_id)
        return self._stand(subscription, {v.id: v for v in versions}, {p.id: p for p in plans})

    def commitment(self, standing: Standing, day: date, zone: str) -> CommitmentStands | None:
        """How the commitment stands that holds on a day; None without one. Reads its record where there is one.

        zone: the account's, of its days.
        """
        if not standing.at(day).version.pools_minimum:
            return None
        found = minimum_around(standing.subscription, standing.versions, day, zone)
        if not found:
            return None
        key = TallyKey(standing.subscription.account_id, standing.subscription.id, found[0].part)
        known = read_tallies(self._store, [key]).get(key) or Tally(key)
        least = sum(least_minor(charge, standing.versions, zone) for charge in found)
        return CommitmentStands(Period(key.since(zone), found[-1].period.full.end), least, known.counted_minor)

    def choices(self, standing: Standing, day: date, days: Sequence[date]) -> list[Choice]:
        """The plans of the same product that are sold to the account on a day, the present terms left out.

        days: those from which a change may hold, the earlier before the later. What other subscriptions count is read
        where a plan counts more than the present one.
        """
        subscription, offered = standing.subscription, self.sold_to(standing, day)
        moves = {v.id: [_moved(subscription, v, on) for on in days] for _, v in offered}
        if any(claims_more(after, subscription, standing.versions) for move in moves.values() for after in move):
            billed = claims_of_account(self._store, subscription.account_id, subscription.entity_id)
        else:
            billed = []

        def free_from(version: PlanVersion) -> date | None:
            afters = zip(days, moves[version.id], strict=True)
            return next((d for d, a in afters if not clashes_with(a, subscription, billed, standing.versions)), None)

        return [Choice(plan, version, free_from(version)) for plan, version in offered]

    def sold_to(self, standing: Standing, day: date) -> list[tuple[Plan, PlanVersion]]:
        """The plans of the same product that are sold to the account on a day, the present terms left out."""
        now = standing.terms[-1].version
        mine = standing.plans.get(now.plan_id)
        if mine is None:
            return []
        country, versions = self._subscriptions.country_of(standing.subscription), standing.offered
        sold = ((p, version_in_force(versions, p.id, now.currency, country, day)) for p in standing.plans.values())
        return [
            (plan, version)
            for plan, version in sold
            if version is not None
            and version.id != now.id
            and plan.product_id == mine.product_id
            and is_recurring(version)
        ]

    def preview(self, account_id: str, subscription_id: str, change: Change) -> NextInvoice:
        """What of the subscription is on its next invoice if it is changed so. Refusals as `change`."""
        changed = self._subscriptions.changed(account_id, subscription_id, change)
        return self._forecasts.after_change(account_id, changed)

    def change(self, account_id: str, subscription_id: str, change: Change, actor: Actor) -> Subscription:
        """As `Subscriptions.change`."""
        return self._subscriptions.change(account_id, subscription_id, change, actor)

    def _stand(
        self, subscription: Subscription, versions: Mapping[str, PlanVersion], plans: Mapping[str, Plan]
    ) -> Standing:
        known = {**versions, **self._negotiated(subscription, versions)}
        terms = tuple(timeline(subscription, known, subscription.changes))
        return Standing(subscription, terms, known, plans)

    def _negotiated(self, subscription: Subscription, versions: Mapping[str, PlanVersion]) -> dict[str, PlanVersion]:
        """Versions with prices of its own, which the catalog does not list."""
        own = {(subscription.entity_id, v) for v in _named_by(subscription) if v not in versions}
        found = self._versions.get_many(own)
        if missing := own - found.keys():
            raise NotFound(f"no such plan version: {sorted(missing)}")
        return {version.id: version for version in found.values()}


def _in_order(found: Iterable[Standing]) -> list[Standing]:
    return sorted(found, key=lambda s: (s.subscription.status is SubscriptionStatus.ENDED, s.subscription.id))


def _moved(subscription: Subscription, version: PlanVersion, on: date) -> Subscription:
    return changed_so(subscription, Change("", ChangeKind.PLAN, on, plan_version_id=version.id))


def _named_by(subscription: Subscription) -> Sequence[str]:
    return [v for v in (subscription.plan_version_id, *(c.plan_version_id for c in subscription.changes)) if v]
