"""What the renewal of a term changes. No clock, no I/O."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from saldo.catalog.model import PlanVersion
from saldo.catalog.rules_uplift import uplifted
from saldo.kernel.ids import fingerprint
from saldo.subscriptions.model import Change, ChangeKind, Subscription, Term
from saldo.subscriptions.rules_timeline import Terms, Versions, timeline


class Renewal(NamedTuple):
    """A change of plan on the day on which a term ends and the next begins, and the version that it leads to."""

    change: Change
    version: PlanVersion


def eve_of(subscription: Subscription, versions: Versions, end: date) -> Terms | None:
    """What holds on the last day of a term; None where the subscription ends by then and does not renew."""
    terms = timeline(subscription, versions, subscription.changes)
    if any(now.ended and now.start <= end for now in terms):
        return None
    return next((now for now in reversed(terms) if now.start < end), terms[0])


def renewal(term: Term, version: PlanVersion, newest: PlanVersion | None, end: date) -> Renewal | None:
    """What the renewal at the end of a term makes of the version that holds on its eve; None where nothing changes.

    newest: what the plan is sold by on that day. Where the subscription is on another version by then, the change does
    nothing: whoever moved it there agreed on that price.
    """
    after = uplifted(version, term.uplift_percent) if term.uplift_percent else version
    if term.newest_price and newest is not None:
        after = newest
    if after.id == version.id:
        return None
    change_id = f"renewal_{end.isoformat()}_{fingerprint(version.id)}"
    return Renewal(Change(change_id, ChangeKind.PLAN, end, plan_version_id=after.id, only_from=version.id), after)
