"""Subscriptions and changes of them as JSON documents, read so that every field at fault is named."""

from __future__ import annotations

from datetime import date
from typing import Any

from saldo.kernel.periods import local_date
from saldo.kernel.reading import Fields, read
from saldo.subscriptions.codec import change_of, maybe_term
from saldo.subscriptions.model import Alignment, Change, ChangeKind, Subscription, SubscriptionStatus
from saldo.subscriptions.rules_checks import problems_of_day


def requested_subscription(document: Any, default_id: str, account_id: str, entity_id: str) -> Subscription:
    """{"plan_version", "started_on", "id"?, "alignment"?, "anchor_on"?, "trial_end_on"?, "quantities"?: {component:
    quantity}, "purchase_order"?, "cost_centre"?, "term"? (`maybe_term`)}; Refusal `invalid_input` names every field
    that cannot be read. `trial_end_on`: the first day that costs something. Whether it can be sold so,
    `Subscriptions.start` says.
    """

    def requested(fields: Fields) -> Subscription:
        started_on, trial_end_on = fields.day("started_on"), fields.maybe_day("trial_end_on")
        found = Subscription(
            id=fields.text("id", default_id),
            account_id=account_id,
            entity_id=entity_id,
            plan_version_id=fields.text("plan_version"),
            started_on=started_on,
            anchor_on=fields.maybe_day("anchor_on") or trial_end_on or started_on,
            alignment=fields.choice("alignment", Alignment, Alignment.ANNIVERSARY),
            trial_end_on=trial_end_on,
            quantities=fields.decimals("quantities"),
            status=SubscriptionStatus.TRIALING if trial_end_on else SubscriptionStatus.ACTIVE,
            purchase_order=fields.text("purchase_order", ""),
            cost_centre=fields.text("cost_centre", ""),
            term=maybe_term(fields),
        )
        fields.finish()
        return found

    return read(document, requested, "the subscription cannot be read")


def requested_change(document: Any, default_id: str, zone: str) -> Change:
    """{"kind", "effective_on" or "effective_at", "id"?, "plan_version"?, "quantities"?, "added"?, "credit"?,
    "reset_cycle"?}; Refusal `invalid_input` names every field at fault. zone: the account's."""

    def change(fields: Fields) -> Change:
        found = change_from(fields, default_id, zone, plan="plan_version")
        fields.finish()
        return found

    return read(document, change, "the change cannot be read")


def change_from(fields: Fields, default_id: str, zone: str, plan: str) -> Change:
    """A change, whose plan stands in the field named so."""
    before = len(fields.problems.found)
    kind = fields.choice("kind", ChangeKind)
    has_plan = fields.has(plan)
    moves = kind is ChangeKind.PLAN and len(fields.problems.found) == before
    found = change_of(
        fields,
        fields.text("id", default_id),
        kind,
        day_of(fields, "effective", zone),
        fields.text(plan) if moves else "",
    )
    if has_plan and kind is not ChangeKind.PLAN:
        fields.problems.add(fields.at(plan), "not_expected", f"{kind} names no plan")
    fields.has("effective_on")
    return found


def day_of(fields: Fields, name: str, zone: str) -> date:
    """`<name>_at`, a moment, as the day it has in the zone; else `<name>_on`. Checked as by `check_day`."""
    is_moment = fields.has(f"{name}_at")
    field = f"{name}_at" if is_moment else f"{name}_on"
    day = local_date(fields.instant(field), zone) if is_moment else fields.day(field)
    check_day(fields, field, day)
    return day


def check_day(fields: Fields, name: str, day: date) -> None:
    """A problem for a day so far off that it must be a slip."""
    fields.note(problems_of_day(day, name))
