"""Subscriptions as JSON."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any  # parsed JSON is of any shape until it is read

from saldo.catalog.minimum_codec import length_of, length_to_json
from saldo.kernel.exact import ZERO, plain
from saldo.kernel.reading import Fields, read
from saldo.subscriptions.model import (
    Alignment,
    Change,
    ChangeKind,
    CreditRule,
    Subscription,
    SubscriptionStatus,
    Term,
)
from saldo.subscriptions.rules_timeline import in_order


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
        "purchase_order": subscription.purchase_order,
        "cost_centre": subscription.cost_centre,
        **({"term": term_to_json(subscription.term)} if subscription.term else {}),
        **({"changes": [change_to_json(c) for c in subscription.changes]} if subscription.changes else {}),
    }


def change_to_json(change: Change) -> dict[str, Any]:
    """Plain JSON values of one change."""
    return {
        "id": change.id,
        "kind": change.kind.value,
        "effective_on": change.effective_on.isoformat(),
        "effective_at": change.effective_at.isoformat() if change.effective_at else None,
        "plan_version_id": change.plan_version_id,
        "quantities": {name: plain(quantity) for name, quantity in change.quantities.items()},
        "added": {name: plain(quantity) for name, quantity in change.added.items()},
        "credit": change.credit.value,
        "reset_cycle": change.reset_cycle,
        "settled": change.settled,
        **({"only_from": change.only_from} if change.only_from else {}),
    }


def term_to_json(term: Term) -> dict[str, Any]:
    """Plain JSON values of a term."""
    return {
        **length_to_json(term.length),
        "notice_days": term.notice_days,
        "announce_days": term.announce_days,
        "uplift_percent": plain(term.uplift_percent),
        "newest_price": term.newest_price,
    }


def maybe_term(fields: Fields) -> Term | None:
    """What the field `term` of a subscription says; `announce_days` left out are 30, or a week more than the notice."""
    if not fields.has("term"):
        return None
    said = fields.child("term")
    notice_days = said.integer("notice_days", 0)
    term = Term(
        length_of(said),
        notice_days,
        said.integer("announce_days", max(30, notice_days + 7)),
        said.decimal("uplift_percent", ZERO),
        said.flag("newest_price", False),
    )
    said.finish()
    return term


def change_from_json(document: Any) -> Change:
    """The reverse; Refusal `invalid_input` naming every field that is wrong."""
    return read(document, _change, "the change cannot be read")


def _change(fields: Fields) -> Change:
    kind, on = fields.choice("kind", ChangeKind), fields.day("effective_on")
    change = replace(
        change_of(fields, fields.text("id"), kind, on, fields.text("plan_version_id", "")),
        settled=fields.flag("settled", False),
        only_from=fields.text("only_from", ""),
    )
    fields.finish()
    return change


def change_of(fields: Fields, change_id: str, kind: ChangeKind, on: date, plan_version_id: str) -> Change:
    """What a change says in the same words, whether it is asked for or comes from the table."""
    return Change(
        id=change_id,
        kind=kind,
        effective_on=on,
        effective_at=fields.maybe_instant("effective_at"),
        plan_version_id=plan_version_id,
        quantities=fields.decimals("quantities"),
        added=fields.decimals("added"),
        credit=fields.choice("credit", CreditRule, CreditRule.UNUSED),
        reset_cycle=fields.flag("reset_cycle", False),
    )


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
        changes=in_order(_change(child) for child in fields.maybe_children("changes")),
        purchase_order=fields.text("purchase_order", ""),
        cost_centre=fields.text("cost_centre", ""),
        term=maybe_term(fields),
    )
    fields.finish()
    return subscription
