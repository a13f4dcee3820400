"""What a day does with the terms of a seller's subscriptions: told, prices agreed on put on record, terms passed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from saldo.accounts.records import account_from
from saldo.audit.model import AuditRecord, job
from saldo.audit.records import audit_item
from saldo.catalog.model import PlanVersion
from saldo.catalog.records import plan_version_item, plan_version_key
from saldo.catalog.rules import version_in_force
from saldo.catalog.service import Catalog, PlanVersions
from saldo.invoicing.run.open import seller_day
from saldo.kernel.clock import Clock
from saldo.kernel.errors import Refusal
from saldo.kernel.exact import plain
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.subscriptions.claims import MeterClaims
from saldo.subscriptions.model import Subscription, Term
from saldo.subscriptions.records import subscription_from, subscription_key
from saldo.subscriptions.records_terms import PREFIX, renewals_agenda, renewing_from, renewing_key, rewrite
from saldo.subscriptions.rules_meters import CLAIMED_TWICE
from saldo.subscriptions.rules_renewals import Renewal, eve_of, renewal
from saldo.subscriptions.rules_terms import Renewing, announced_from, last_day_to_cancel, term_end
from saldo.subscriptions.service import change_in

_JOB = "renewals"


@dataclass(slots=True)
class RenewalReport:
    """Customers told, changes of price put on record, terms that passed, subscriptions that ended with theirs; and
    those that somebody changed at that moment, which the next day makes up for."""

    told: int = 0
    priced: int = 0
    renewed: int = 0
    ended: int = 0
    unanswered: list[str] = field(default_factory=list)


class Tells(Protocol):
    """Tells payers that a subscription will renew, in the unit that puts on record that it did."""

    def coming(self, unit: Unit, subscription: Subscription, term: Term, end: date) -> None: ...


@dataclass(frozen=True, slots=True)
class _Sold:
    """A subscription with its term, how far its renewals are, and the plan versions that it names."""

    renewing: Renewing
    subscription: Subscription
    term: Term
    versions: Mapping[str, PlanVersion]

    @property
    def sold(self) -> PlanVersion:
        return self.versions[self.subscription.plan_version_id]


@dataclass(frozen=True, slots=True)
class Renewals:
    """Of one region's subscriptions."""

    store: Store
    clock: Clock
    telling: Tells
    plan_versions: PlanVersions

    def due(self, entity_id: str, on: date) -> list[Key]:
        """What a day is about: subscriptions whose renewal is near, or whose term is over."""
        agenda = self.store.query_all(renewals_agenda(entity_id), last=on.isoformat(), agenda=True)
        return sorted((item["pk"], item["sk"]) for item in agenda)

    def run(self, entity_id: str, as_of: str = "", keys: Iterable[Key] | None = None) -> RenewalReport:
        """One day of a seller; safe to repeat, and makes up for days that were missed.

        as_of: a date or the scheduled instant, "" for today. keys: a part of what is `due`; None for all.
        """
        on, report = seller_day(self.store, self.clock, entity_id, as_of), RenewalReport()
        for account_id, sk in self.due(entity_id, on) if keys is None else keys:
            self._look_at(account_id, sk.removeprefix(PREFIX), on, report)
        return report

    def _look_at(self, account_id: str, subscription_id: str, on: date, report: RenewalReport) -> None:
        """Pass the terms that are over, then prepare the renewal that is near."""
        found = self._read(account_id, subscription_id)
        while found is not None and found.renewing.looked_at_on is not None and found.renewing.looked_at_on <= on:
            ends = eve_of(found.subscription, found.versions, found.renewing.ends_on) is None
            if on < found.renewing.ends_on:
                if not ends:
                    self._prepare(found, on, report)
                return
            if not self._pass(found, ends, report):
                return
            found = self._read(account_id, subscription_id)

    def _read(self, account_id: str, subscription_id: str) -> _Sold | None:
        keys = renewing_key(account_id, subscription_id), subscription_key(account_id, subscription_id)
        records = self.store.get_many(keys, consistent=True)
        if len(records) < len(keys):
            return None
        sold = subscription_from(records[keys[1]])
        assert sold.term is not None
        named = (sold.plan_version_id, *(c.plan_version_id for c in sold.changes if c.plan_version_id))
        known = self.plan_versions.get_many((sold.entity_id, version_id) for version_id in named)
        versions = {version_id: version for (_, version_id), version in known.items()}
        return _Sold(renewing_from(records[keys[0]]), sold, sold.term, versions)

    def _pass(self, found: _Sold, ends: bool, report: RenewalReport) -> bool:
        """A term is over: the next begins, or the subscription has ended with it."""
        old = found.renewing
        if ends:
            new = old.moved_on(looked_at_on=None)
        else:
            end = term_end(found.subscription, found.sold, old.ends_on)
            new = old.moved_on(ends_on=end, looked_at_on=announced_from(found.term, end))
        unit = rewrite(Unit(f"term of {old.subscription_id} until {old.ends_on}"), old, new)
        if self.store.write_one(unit) is not None:
            report.unanswered.append(old.subscription_id)
            return False
        report.ended += ends
        report.renewed += not ends
        return True

    def _prepare(self, found: _Sold, on: date, report: RenewalReport) -> None:
        """Put on record what the renewal changes, and tell of it; each once. Whoever moves to another plan meanwhile
        has that one's price raised instead, and is not told twice."""
        old, unit = found.renewing, Unit(f"renewal of {found.renewing.subscription_id} on {found.renewing.ends_on}")
        coming = self._coming(found)
        changes = coming is not None and all(c.id != coming.change.id for c in found.subscription.changes)
        tells = old.told_of != old.ends_on
        if not changes and not tells:
            return
        try:
            if coming is not None and changes:
                self._put_on_record(unit, found, coming)
        except Refusal as refusal:
            claimed = any(problem.code == CLAIMED_TWICE for problem in refusal.problems)
            if not claimed and refusal.code not in ("being_billed", "too_many_changes", "already_ended"):
                raise
            report.unanswered.append(old.subscription_id)
            if not claimed or not tells:
                return
            changes = False
        if tells:
            self.telling.coming(unit, found.subscription, found.term, old.ends_on)
            unit.put(audit_item(self._announced(found)))
        rewrite(unit, old, old.moved_on(told_of=old.ends_on))
        if self.store.write_one(unit) is not None:
            report.unanswered.append(old.subscription_id)
            return
        report.told += tells
        report.priced += changes

    def _coming(self, found: _Sold) -> Renewal | None:
        eve = eve_of(found.subscription, found.versions, found.renewing.ends_on)
        if eve is None:
            return None
        return renewal(found.term, eve.version, self._newest(found, eve.version), found.renewing.ends_on)

    def _newest(self, found: _Sold, version: PlanVersion) -> PlanVersion | None:
        """What the plan is sold by on the day of the renewal; asked for only where that is what was agreed."""
        if not found.term.newest_price:
            return None
        account = self.store.get(found.subscription.account_id, "account")
        offered = Catalog(self.store, self.clock).versions_of(found.subscription.entity_id)
        country = account_from(account).country if account else ""
        return version_in_force(offered, version.plan_id, version.currency, country, found.renewing.ends_on)

    def _put_on_record(self, unit: Unit, found: _Sold, coming: Renewal) -> None:
        subscription, version = found.subscription, coming.version
        if self.store.get(*plan_version_key(subscription.entity_id, version.id)) is None:
            unit.insert(plan_version_item(subscription.entity_id, version))
        versions = {**found.versions, version.id: version}
        claims = MeterClaims(self.store, subscription.account_id, subscription.entity_id)
        change_in(unit, subscription, coming.change, versions, job(_JOB), self.clock(), claims)

    def _announced(self, found: _Sold) -> AuditRecord:
        end = found.renewing.ends_on
        after: Item = {"renews_on": end.isoformat(), "cancel_by": last_day_to_cancel(found.term, end).isoformat()}
        if found.term.uplift_percent:
            after["uplift_percent"] = plain(found.term.uplift_percent)
        ids = found.subscription.account_id, found.subscription.id
        return AuditRecord(ids[0], self.clock(), job(_JOB), "subscription.renewal_announced", ids[1], after=after)
