"""Which meters a subscription bills on which days, and where two of one account would bill the same.

No clock, no I/O.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple

from saldo.kernel.errors import Problem
from saldo.subscriptions.model import Change, Subscription
from saldo.subscriptions.rules_timeline import Versions, in_order, timeline

CLAIMED_TWICE = "meter_claimed_twice"


class Claim(NamedTuple):
    """A meter that a subscription bills from a day on, until another (not that day any more; None: for good)."""

    meter_id: str
    since: date
    until: date | None

    def shared(self, other: Claim) -> Claim | None:
        """The days of both; None where they are of different meters, or of no day in common."""
        since = max(self.since, other.since)
        until = min((one.until for one in (self, other) if one.until is not None), default=None)
        alike = self.meter_id == other.meter_id and (until is None or since < until)
        return Claim(self.meter_id, since, until) if alike else None

    def within(self, other: Claim) -> bool:
        return self.shared(other) == self


Billed = tuple[str, Claim]  # by which subscription


@dataclass(frozen=True, slots=True)
class Held:
    """What an account has bought: its subscriptions, the plans that they are on by id, and ids of the meters that count
    by subscription."""

    sold: tuple[Subscription, ...] = ()
    versions: Versions = field(default_factory=dict)
    apart: frozenset[str] = frozenset()


class Clash(NamedTuple):
    """Days of a meter that another subscription bills too."""

    claim: Claim
    other_id: str


def claims_of(subscription: Subscription, versions: Versions) -> list[Claim]:
    """What a subscription bills of which meters by its terms; usage is counted by days, so that of a day with changes
    belongs to the terms that end it. Refusal `plan_version_missing`."""
    return list(_claims(subscription, versions))


def _claims(subscription: Subscription, versions: Versions) -> Iterator[Claim]:
    last = subscription.cancelled_on
    for terms in timeline(subscription, versions, subscription.changes):
        until = min((day for day in (terms.end, last) if day is not None), default=None)
        if terms.running and (until is None or terms.start < until):
            yield from (Claim(c.meter_id, terms.start, until) for c in terms.version.components if c.meter_id)


def claims_more(after: Subscription, before: Subscription | None, versions: Versions) -> bool:
    """Whether it bills meters on days on which it did not before."""
    known = claims_of(before, versions) if before else []
    return any(not any(claim.within(one) for one in known) for claim in claims_of(after, versions))


def changed_so(subscription: Subscription, change: Change) -> Subscription:
    """With the change among the others, whether or not it may be made."""
    others = (one for one in subscription.changes if one.id != change.id)
    return replace(subscription, changes=in_order((*others, change)))


def clashes_of(
    after: Subscription, before: Subscription | None, others: Iterable[Subscription], versions: Versions
) -> list[Clash]:
    """What it claims that another subscription of the account claims too, and did not clash before. Those whose plans
    are not known claim nothing: no run bills them."""
    return clashes_with(after, before, billed_by(others, versions), versions)


def billed_by(subscriptions: Iterable[Subscription], versions: Versions) -> list[Billed]:
    """What each bills, as far as its plans are known."""
    known = (one for one in subscriptions if all(name in versions for name in plans_of(one)))
    return [(one.id, claim) for one in known for claim in claims_of(one, versions)]


def clashes_with(
    after: Subscription, before: Subscription | None, billed: Iterable[Billed], versions: Versions
) -> list[Clash]:
    """As `clashes_of`, where it is known what is billed; the subscription itself may be among it."""
    known = [one for one in billed if one[0] != after.id]
    there = list(_clashes(before, known, versions)) if before else []
    found = _clashes(after, known, versions)
    return [c for c in found if not any(c.other_id == t.other_id and c.claim.within(t.claim) for t in there)]


def _clashes(one: Subscription, known: Iterable[Billed], versions: Versions) -> Iterator[Clash]:
    for mine in claims_of(one, versions):
        for other_id, claim in known:
            shared = mine.shared(claim)
            if shared is not None:
                yield Clash(shared, other_id)


def plans_of(subscription: Subscription) -> set[str]:
    """The plan versions that it is sold on and moved to."""
    changed = {change.plan_version_id for change in subscription.changes if change.plan_version_id}
    return {subscription.plan_version_id, *changed}


def problems_of_clashes(clashes: Iterable[Clash], apart: Collection[str], named: str) -> tuple[Problem, ...]:
    """One for each meter and subscription that bills it already; apart: meters that count by subscription. named: the
    field that asks for it."""
    found: dict[tuple[str, str], Claim] = {}
    for claim, other_id in clashes:
        if claim.meter_id not in apart:
            found.setdefault((claim.meter_id, other_id), claim)
    return tuple(Problem(named, CLAIMED_TWICE, _told(claim, other_id)) for (_, other_id), claim in found.items())


def _told(claim: Claim, other_id: str) -> str:
    days = f"from {claim.since} on" if claim.until is None else f"from {claim.since} until {claim.until}"
    why = "where several subscriptions of an account use one meter, it is to count by subscription"
    return f"{claim.meter_id} is billed by {other_id} {days}: {why}"
