"""Terms that renew themselves: when they end, and from when a cancellation holds. No clock, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from saldo.catalog.model import PlanVersion
from saldo.kernel.errors import Problem, Problems
from saldo.kernel.exact import ZERO
from saldo.kernel.numbers import fits
from saldo.kernel.periods import Cycle, Length
from saldo.subscriptions.model import Subscription, Term
from saldo.subscriptions.rules import cycle_of

MOST_DAYS, MOST_PERCENT = 366, 1000


@dataclass(frozen=True, slots=True)
class Renewing:
    """How far the renewals of a subscription are: the day on which its present term ends, and the end of which the
    customer was told last. `looked_at_on`: when it is to be looked at next; None once it has ended.
    """

    account_id: str
    subscription_id: str
    entity_id: str
    ends_on: date
    looked_at_on: date | None
    told_of: date | None = None
    revision: int = 1

    @classmethod
    def begun(cls, subscription: Subscription, sold: PlanVersion) -> Renewing:
        term = subscription.term
        assert term is not None
        ends_on = term_end(subscription, sold, subscription.billed_from)
        ids = subscription.account_id, subscription.id, subscription.entity_id
        return cls(*ids, ends_on, announced_from(term, ends_on))

    def moved_on(self, **more: Any) -> Renewing:
        return replace(self, revision=self.revision + 1, **more)


def cycle_of_terms(subscription: Subscription, sold: PlanVersion) -> Cycle:
    """The terms of a subscription that has some, one after the other: so many cycles of the plan that it was `sold`,
    counted from the first that is billed, whatever it is moved to."""
    assert subscription.term is not None
    times = subscription.term.length.holds(Length(sold.cycle_unit, sold.cycle_count))
    return cycle_of(subscription, sold).times(times, subscription.billed_from)


def term_end(subscription: Subscription, sold: PlanVersion, day: date) -> date:
    """The day after the term that a day is in."""
    return cycle_of_terms(subscription, sold).period_at(max(day, subscription.billed_from)).end


def last_day_to_cancel(term: Term, end: date) -> date:
    """Through which day a cancellation for the end of a term must have come."""
    return end - timedelta(days=max(term.notice_days, 1))


def cancelled_from(subscription: Subscription, sold: PlanVersion, on: date) -> date:
    """From when a cancellation holds that comes on a day: the end of the term, or the next that it is in time for."""
    terms, term = cycle_of_terms(subscription, sold), subscription.term
    assert term is not None
    end = terms.period_at(max(on, subscription.billed_from)).end
    while on > last_day_to_cancel(term, end):
        end = terms.period_at(end).end
    return end


def announced_from(term: Term, end: date) -> date:
    """From which day on the customer is told that a term will renew."""
    return end - timedelta(days=term.announce_days)


def problems_of_term(term: Term, sold: PlanVersion) -> tuple[Problem, ...]:
    """Everything wrong with the term of a subscription that is sold this version."""
    problems, cycle = Problems(), Length(sold.cycle_unit, sold.cycle_count)
    if not term.length.holds(cycle):
        problems.add(
            "term.count", "not_whole_cycles", f"must be a whole number of cycles of {cycle.count} {cycle.unit}"
        )
    for name, days in (("notice_days", term.notice_days), ("announce_days", term.announce_days)):
        if not 0 <= days <= MOST_DAYS:
            problems.add(f"term.{name}", "not_in_a_year", f"must be from 0 to {MOST_DAYS}")
    if term.announce_days <= term.notice_days:
        why = "must be more than `notice_days`: who is told too late could not cancel"
        problems.add("term.announce_days", "told_too_late", why)
    if not fits(term.uplift_percent) or not ZERO <= term.uplift_percent <= MOST_PERCENT:
        problems.add("term.uplift_percent", "not_a_percentage", f"must be from 0 to {MOST_PERCENT}")
    if term.uplift_percent and term.newest_price:
        problems.add("term.newest_price", "uplift_or_newest", "prices rise by a percentage or become the plan's newest")
    return problems.found
