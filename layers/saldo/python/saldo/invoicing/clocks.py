"""Use cases of simulated time: make a customer's double, and move it through days that bill it as real ones would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from saldo.accounts.agenda import due_agenda
from saldo.accounts.model import Account, LegalEntity
from saldo.accounts.records import (
    account_from,
    account_item,
    customer_item,
    entity_from,
    entity_item,
    organisation_item,
)
from saldo.accounts.records_profiles import profile_items
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.catalog.model import PlanVersion
from saldo.catalog.records import PLAN_PREFIX, VERSIONS_FROM, plan_version_from
from saldo.invoicing import records
from saldo.invoicing.model_clock import AccountClock, ClockStep, IssuedThen
from saldo.invoicing.ports import DoublesReminded, DoublesRenewed
from saldo.invoicing.records_clock import COPIED, clock_from, clock_item, clock_key, clocks_agenda
from saldo.invoicing.rules_clock import (
    begun_anew,
    double_of_account,
    double_of_organisation,
    double_of_seller,
    made_up_profile,
)
from saldo.invoicing.run.bill import Billing
from saldo.invoicing.run.model import Attempt, RunState
from saldo.invoicing.run.number import drafts_of, set_aside_of
from saldo.invoicing.run.whole import run_whole
from saldo.invoicing.wallet_records import expiring_agenda
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Refusal
from saldo.kernel.ids import check_id, double_id, is_double, new_id
from saldo.kernel.periods import zone_named
from saldo.kernel.regions import region_of
from saldo.storage.items import Item
from saldo.storage.sealing import Sealer
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.subscriptions.model import Subscription
from saldo.subscriptions.records import PREFIX as SUBSCRIPTION_PREFIX
from saldo.subscriptions.records import claims_counted, subscription_from, subscription_item
from saldo.subscriptions.records_terms import renewing_item
from saldo.subscriptions.rules_terms import Renewing

# Real runs start in the small hours; so do a double's. Real terms and reminders are looked at later in the morning
# (infra/cdk/runs.py); so are a double's.
SMALL_HOURS, MORNING = time(4), time(9)
_MOST_YEARS = 10
_MOST_SUBSCRIPTIONS = 80


class Doubles:
    """Makes doubles of one region's customers. Needs the sealer: a double has an organisation of its own."""

    def __init__(self, store: Store, sealer: Sealer, clock: Clock) -> None:
        self._store, self._sealer, self._clock = store, sealer, clock

    def create(self, account_id: str, at: date, actor: Actor) -> AccountClock:
        """A double whose subscriptions begin anew on `at`, which is its clock's first day. The customer stays as it is.

        NotFound; Refusal `is_a_double`, `nothing_sold` where no subscription runs, `too_many_subscriptions`.
        """
        if is_double(check_id(account_id, "acct")):
            raise Refusal("is_a_double", f"{account_id} is on a clock already; make a double of the real customer")
        account = _account(self._store, account_id)
        seller = _seller(self._store, account.entity_id)
        part = new_id("x", self._clock()).removeprefix("x_")
        ids = [double_id(prefix, region_of(account_id), part) for prefix in ("acct", "org", "ent")]
        double = double_of_account(account, ids[0], ids[1], ids[2])
        versions = self._versions(account.entity_id)
        sold = self._begun_anew(account, double, at, versions)
        terms = [Renewing.begun(one, versions[one.plan_version_id]) for one in sold if one.term]
        clock = AccountClock(double.entity_id, double.id, account.entity_id, account.id, at, at)
        self._copy_catalog(seller.id, double.entity_id)
        unit = self._unit(clock, double, seller, sold, actor)
        for term in terms:
            unit.insert(renewing_item(term))
        self._store.write_one(unit)
        return clock

    def _versions(self, seller_id: str) -> dict[str, PlanVersion]:
        plans = self._store.query_all(seller_id, first=VERSIONS_FROM, last=PLAN_PREFIX + "~~")
        return {version.id: version for version in map(plan_version_from, plans)}

    def _begun_anew(
        self, account: Account, double: Account, on: date, versions: Mapping[str, PlanVersion]
    ) -> list[Subscription]:
        items = self._store.query_all(account.id, prefix=SUBSCRIPTION_PREFIX, consistent=True)
        found = [
            begun_anew(subscription_from(item), versions, f"{item['subscription_id']}_test", double, on)
            for item in items
        ]
        sold = [one for one in found if one is not None]
        if not sold:
            raise Refusal("nothing_sold", f"{account.id} has no subscription that runs: there is nothing to watch")
        if len(sold) > _MOST_SUBSCRIPTIONS:
            raise Refusal("too_many_subscriptions", f"a double has at most {_MOST_SUBSCRIPTIONS}")
        return sold

    def _copy_catalog(self, seller_id: str, double_id_: str) -> None:
        """What is sold, as it is now. Copied first: without its clock a double's seller is nobody's."""
        for kind in COPIED:
            items = self._store.query_all(seller_id, prefix=kind)
            self._store.put_many([{**i, "pk": double_id_} for i in items if i["sk"].partition("#")[0] == kind])

    def _unit(
        self, clock: AccountClock, double: Account, seller: LegalEntity, sold: list[Subscription], actor: Actor
    ) -> Unit:
        unit = Unit(f"double {double.id}").insert(clock_item(clock)).insert(account_item(double))
        unit.insert(entity_item(double_of_seller(seller, double.entity_id))).insert(customer_item(double))
        unit.insert(organisation_item(double_of_organisation(double.organisation_id, double)))
        for item in profile_items(made_up_profile(double, seller), double.organisation_id, self._sealer):
            unit.insert(item)
        for subscription in sold:
            unit.insert(subscription_item(subscription))
        claims_counted(unit, double.id)
        made = AuditRecord(clock.of_account, self._clock(), actor, "double.created", double.id)
        return unit.put(audit_item(made))


def clock_of(store: Store, account_id: str) -> AccountClock:
    """A double's clock; Refusal `not_on_a_clock` for a real customer, NotFound for nobody."""
    if not is_double(check_id(account_id, "acct")):
        raise Refusal("not_on_a_clock", f"{account_id} lives in real time; make a double: saldo clock create")
    item = store.get(*clock_key(_account(store, account_id).entity_id))
    if item is None:
        raise NotFound(f"no such clock: {account_id}")
    return clock_from(item)


def clocks_of(store: Store, seller_id: str) -> list[AccountClock]:
    """The clocks of the doubles of a seller's customers, the one that began last at first."""
    rows = store.query_all(clocks_agenda(seller_id), agenda=True)
    found = store.get_many([(row["pk"], row["sk"]) for row in rows], consistent=True)
    return sorted(map(clock_from, found.values()), key=lambda c: (c.began_on, c.seller_id), reverse=True)


def clock_at(store: Store, clock: AccountClock, day: date, hour: time) -> Clock:
    """What a double's day goes by: that hour of it, where its seller keeps its books. NotFound."""
    zone = _seller(store, clock.seller_id).time_zone
    instant = datetime.combine(day, hour, zone_named(zone)).astimezone(UTC)
    return lambda: instant


class Clocks:
    """Moves doubles through time. Needs no personal data, like every run."""

    def __init__(self, billing: Billing, reminders: DoublesReminded, renewals: DoublesRenewed) -> None:
        self._billing, self._store, self._reminders, self._renewals = billing, billing.store, reminders, renewals

    def step(self, account_id: str, to: date) -> ClockStep:
        """Go to the next day on which something is due, and do it: a run, then terms, then reminders. With nothing due
        up to `to`, go there.

        Safe to repeat: a day that a crash cut short is finished first. Refusal `clock_runs_forward`, `too_far`.
        """
        clock = clock_of(self._store, account_id)
        _check(clock, to)
        run_on = self._next_run(clock, to)
        others = self._reminders.next_on(clock, run_on or to), self._renewals.next_on(clock, run_on or to)
        then = min((day for day in others if day is not None), default=None)
        if run_on is not None and (then is None or run_on <= then):
            return self._run(clock, run_on)
        day = then or to
        renewals = self._renewals.renew(clock, day)
        reminded = self._reminders.remind(clock, day) if then else ()
        return ClockStep(self._moved(clock, day), is_done=then is None, reminded=reminded, renewals=renewals)

    def _run(self, clock: AccountClock, day: date) -> ClockStep:
        """Bill that day, look at the terms, and remind of what is due after it."""
        there = clock_at(self._store, clock, day, SMALL_HOURS)
        attempt = run_whole(self._billing, there, clock.seller_id, day.isoformat())
        aside = [(one.code, one.reason) for one in set_aside_of(self._store, attempt)]
        issued, renewals = self._issued(attempt), self._renewals.renew(clock, day)
        reminded = self._reminders.remind(clock, day)
        moved = self._moved(clock, day)
        return ClockStep(moved, False, attempt.run_id, issued, aside[0] if aside else None, reminded, renewals)

    def _next_run(self, clock: AccountClock, to: date) -> date | None:
        """The day of a run that was cut short; else the first with something due or expiring, not before today."""
        last = self._store.query(clock.seller_id, prefix="run#", newest_first=True, limit=1, consistent=True).items
        if last and last[0]["status"] != RunState.CLOSED.value:
            return date.fromisoformat(last[0]["as_of"])
        asked = (due_agenda(clock.seller_id, clock.account_id), expiring_agenda(clock.seller_id))
        days = [
            item["agenda_on"]
            for partition in asked
            for item in self._store.query(partition, last=to.isoformat(), limit=1, agenda=True).items
        ]
        return max(date.fromisoformat(min(days)), clock.today) if days else None

    def _issued(self, attempt: Attempt) -> list[IssuedThen]:
        keys = [records.header_key(d.account_id, d.invoice_id) for d in drafts_of(self._store, attempt)]
        items = self._store.get_many(keys, consistent=True)
        return [_issued_then(items[key]) for key in keys]

    def _moved(self, clock: AccountClock, to: date) -> AccountClock:
        moved = replace(clock, today=max(to, clock.today))
        then, now = {"today": clock.today.isoformat()}, {"today": moved.today.isoformat()}
        unit = Unit("move clock").update(clock_key(clock.seller_id), set=now, when=then)
        if self._store.write_one(unit):
            return clock_of(self._store, clock.account_id)
        return moved


def _issued_then(item: Item) -> IssuedThen:
    header = records.header_from(item)
    return IssuedThen(
        invoice_id=header.invoice_id,
        number=header.number,
        kind=header.document.value,
        issued_on=header.issued_on,
        currency=header.currency,
        total_minor=header.total_minor,
        open_minor=header.open_minor,
    )


def _check(clock: AccountClock, to: date) -> None:
    if to < clock.today:
        raise Refusal("clock_runs_forward", f"it is {clock.today} there already; make another double to begin earlier")
    if to - clock.today > timedelta(days=366 * _MOST_YEARS):
        raise Refusal("too_far", f"a clock moves at most {_MOST_YEARS} years at a time")


def _account(store: Store, account_id: str) -> Account:
    item = store.get(account_id, "account")
    if item is None:
        raise NotFound(f"no such account: {account_id}")
    return account_from(item)


def _seller(store: Store, seller_id: str) -> LegalEntity:
    item = store.get(seller_id, "entity")
    if item is None:
        raise NotFound(f"no such legal entity: {seller_id}")
    return entity_from(item)
