"""Subscriptions as JSON."""

from __future__ import annotations

from datetime import date
from typing import Any  # parsed JSON is of any shape until it is read

from saldo.kernel.exact import plain
from saldo.kernel.reading import Fields, read
from saldo.subscriptions.model import Alignment, Subscription, SubscriptionStatus


def subscription_to_json(subscription: Subscription) -> dict[str, Any]:
    """Plain JSON values: dates as ISO text, quantities as text, None for what is not set."""
    return {
        "id": subscription.id,
        "account_id": subscription.account_id,
        "entity_id": subscription.entity_id,
        "plan_version_id": subscription.plan_version_id,
        "started_on": subscription.started_on.isoformat(),
        "anchor_on": subscription.anchor_on.isoformat(),
        "alignment": subscription.alignment.value,
        "trial_end_on": _day(subscription.trial_end_on),
        "cancelled_on": _day(subscription.cancelled_on),
        "quantities": {name: plain(quantity) for name, quantity in subscription.quantities.items()},
        "next_bill_on": _day(subscription.next_bill_on),
        "billed_through": _day(subscription.billed_through),
        "status": subscription.status.value,
    }


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def subscription_from_json(document: Any) -> Subscription:
    """The reverse; Refusal `invalid_input` naming every field that is wrong."""
    return read(document, _subscription, "the subscription cannot be read")


def _subscription(fields: Fields) -> Subscription:
    subscription = Subscription(
        id=fields.text("id"),
        account_id=fields.text("account_id"),
        entity_id=fields.text("entity_id"),
        plan_version_id=fields.text("plan_version_id"),
        started_on=fields.day("started_on"),
        anchor_on=fields.day("anchor_on"),
        alignment=fields.choice("alignment", Alignment, Alignment.ANNIVERSARY),
        trial_end_on=fields.maybe_day("trial_end_on"),
        cancelled_on=fields.maybe_day("cancelled_on"),
        quantities=fields.decimals("quantities"),
        next_bill_on=fields.maybe_day("next_bill_on"),
        billed_through=fields.maybe_day("billed_through"),
        status=fields.choice("status", SubscriptionStatus, SubscriptionStatus.ACTIVE),
    )
    fields.finish()
    return subscription
