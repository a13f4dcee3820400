"""Ordered changes of subscriptions that run already: what they are on, and the change that an order's line makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from saldo.catalog.model import PlanVersion
from saldo.kernel.errors import Refusal
from saldo.orders.rules_prices import quantities_of
from saldo.subscriptions.model import Change, ChangeKind, Subscription
from saldo.subscriptions.rules_changes import with_change
from saldo.subscriptions.rules_timeline import timeline


@dataclass(frozen=True, slots=True)
class Running:
    """A subscription, and by id the plan versions it has been or will be on."""

    subscription: Subscription
    versions: Mapping[str, PlanVersion]


def version_on(running: Running, day: date) -> PlanVersion | None:
    """The plan version that a subscription is on at the end of a day; None where it does not run then."""
    terms = timeline(running.subscription, running.versions, running.subscription.changes)
    now = [t for t in terms if t.start <= day]
    if not now or now[-1].ended or not now[-1].running:
        return None
    last_day = running.subscription.cancelled_on
    return None if last_day is not None and last_day <= day else now[-1].version


def ordered_change(change_id: str, sold: PlanVersion, running: Running, quantity: Decimal, on: date) -> Change:
    """The change to this quantity of this version: of quantity alone where the subscription is on it, else of plan."""
    held = version_on(running, on)
    wanted = quantities_of(sold, quantity)
    if held is not None and held.id == sold.id and wanted:
        return Change(change_id, ChangeKind.QUANTITY, on, quantities=wanted)
    return Change(change_id, ChangeKind.PLAN, on, plan_version_id=sold.id, quantities=wanted)


def why_not(change: Change, running: Running) -> str:
    """Why a change cannot be made of a subscription; "" when it can."""
    try:
        with_change(running.subscription, change)
    except Refusal as refusal:
        return refusal.message
    return ""
