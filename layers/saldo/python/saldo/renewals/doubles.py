"""Terms of a customer's double on its clock: renewed as the customer's would be, and told to nobody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from saldo.catalog.service import PlanVersions
from saldo.invoicing.clocks import MORNING, clock_at
from saldo.invoicing.model_clock import AccountClock, RenewalStep, RenewedThen
from saldo.renewals.service import Renewals
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.subscriptions.model import Subscription, Term
from saldo.subscriptions.records_terms import renewals_agenda, renewing_from
from saldo.subscriptions.rules_terms import Renewing


class _Nobody:
    """A double has no people."""

    def coming(self, unit: Unit, subscription: Subscription, term: Term, end: date) -> None:
        pass


@dataclass(frozen=True, slots=True)
class DoublesRenewals:
    """Implements `saldo.invoicing.ports.DoublesRenewed`.

    Real terms are looked at each day from their announcement on; a double's on the days on which something can come of
    it: of the announcement, the last day before the end (for what was changed meanwhile), and the end.
    """

    store: Store
    plan_versions: PlanVersions

    def next_on(self, clock: AccountClock, last: date) -> date | None:
        days = [day for one in self._terms(clock).values() for day in _days_of(one) if clock.today < day <= last]
        return min(days, default=None)

    def renew(self, clock: AccountClock, on: date) -> list[RenewedThen]:
        before = self._terms(clock)
        if not any(one.looked_at_on is not None and one.looked_at_on <= on for one in before.values()):
            return []
        there = clock_at(self.store, clock, on, MORNING)
        Renewals(self.store, there, _Nobody(), self.plan_versions).run(clock.seller_id)
        after = self._terms(clock)
        steps = ((one, _step(one, after.get(subscription_id))) for subscription_id, one in before.items())
        return [RenewedThen(on, one.subscription_id, what, one.ends_on) for one, what in steps if what]

    def _terms(self, clock: AccountClock) -> dict[str, Renewing]:
        """Those that have not ended, by subscription."""
        rows = self.store.query_all(renewals_agenda(clock.seller_id), agenda=True)
        found = self.store.get_many([(row["pk"], row["sk"]) for row in rows], consistent=True)
        return {one.subscription_id: one for one in map(renewing_from, found.values()) if one.looked_at_on}


def _days_of(one: Renewing) -> tuple[date, ...]:
    assert one.looked_at_on is not None, "what has ended is on no agenda"
    return one.looked_at_on, one.ends_on - timedelta(days=1), one.ends_on


def _step(before: Renewing, after: Renewing | None) -> RenewalStep | None:
    if after is None:
        return RenewalStep.ENDED
    if after.ends_on != before.ends_on:
        return RenewalStep.RENEWED
    return RenewalStep.ANNOUNCED if after.told_of != before.told_of else None
