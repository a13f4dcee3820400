"""Subscriptions of a quote's document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from saldo.accounts.model import Account
from saldo.catalog.model import PlanVersion
from saldo.kernel.errors import Refusal
from saldo.kernel.periods import Unit
from saldo.kernel.reading import Fields
from saldo.quotes.model import LateChange
from saldo.quotes.reading_changes import changes_from, check_quantities, with_changes
from saldo.subscriptions.codec import maybe_term
from saldo.subscriptions.model import Alignment, Subscription, Term
from saldo.subscriptions.reading import day_of
from saldo.subscriptions.rules import cancel, subscribe
from saldo.subscriptions.rules_terms import problems_of_term

_MOST_DAYS = 3660


@dataclass(frozen=True, slots=True)
class _Asked:
    """A subscription as the document has it."""

    id: str
    plan: str
    started_on: date
    alignment: Alignment
    anchor_on: date | None
    trial_days: int
    quantities: dict[str, Decimal]
    cancelled_on: date | None
    term: Term | None
    purchase_order: str
    cost_centre: str


def subscription_from(
    fields: Fields, default_id: str, account: Account, versions: Mapping[str, PlanVersion]
) -> tuple[Subscription, tuple[LateChange, ...]]:
    """A new subscription as it was ordered, and its changes that come later; a problem is added for everything that
    cannot be sold so."""
    fields.one_of("started_at", "started_on")
    fields.one_of("trial_end_on", "trial_days")
    fields.one_of("anchor_day", "anchor_on")
    started_on = day_of(fields, "started", account.time_zone)
    asked = _Asked(
        id=fields.text("id", default_id),
        plan=fields.text("plan"),
        started_on=started_on,
        alignment=fields.choice("alignment", Alignment, Alignment.ANNIVERSARY),
        anchor_on=_anchor(fields, started_on),
        trial_days=_trial_days(fields, started_on),
        quantities=fields.decimals("quantities"),
        cancelled_on=fields.maybe_day("cancelled_on"),
        term=maybe_term(fields),
        purchase_order=fields.text("purchase_order", ""),
        cost_centre=fields.text("cost_centre", ""),
    )
    changes = changes_from(fields, account, versions)
    fields.has("changes")
    fields.finish()
    sold = _sold(fields, asked, account, versions)
    if sold is not None:
        return with_changes(sold, changes)
    return Subscription(asked.id, account.id, account.entity_id, asked.plan, started_on, started_on), ()


def _anchor(fields: Fields, started_on: date) -> date | None:
    """`anchor_on`, or any day that has `anchor_day` as its day of month."""
    if not fields.has("anchor_day"):
        return fields.maybe_day("anchor_on")
    day = fields.integer("anchor_day")
    if not 1 <= day <= 31:
        fields.problems.add(fields.at("anchor_day"), "not_a_day", "must be from 1 to 31")
        return None
    return date(max(started_on.year, 2), 1, day)


def _trial_days(fields: Fields, started_on: date) -> int:
    if not fields.has("trial_end_on"):
        return fields.integer("trial_days", 0)
    ends = fields.day("trial_end_on")
    return 0 if date.min in (ends, started_on) else (ends - started_on).days


def _sold(fields: Fields, asked: _Asked, account: Account, versions: Mapping[str, PlanVersion]) -> Subscription | None:
    plan_version = versions.get(asked.plan)
    if plan_version is None:
        if asked.plan:
            fields.problems.add(fields.at("plan"), "unknown_plan", f"{asked.plan!r} is not among the plans")
        return None
    if not _fits(fields, asked, plan_version):
        return None
    try:
        return _subscribed(asked, account, plan_version)
    except Refusal as refusal:
        fields.problems.add(fields.path, refusal.code, refusal.message)
        return None


def _fits(fields: Fields, asked: _Asked, plan_version: PlanVersion) -> bool:
    before, trial = len(fields.problems.found), "trial_end_on" if fields.has("trial_end_on") else "trial_days"
    if asked.trial_days > _MOST_DAYS:
        fields.problems.add(fields.at(trial), "too_long", f"a trial has at most {_MOST_DAYS} days")
    if asked.trial_days < 0:
        fields.problems.add(fields.at(trial), "negative_trial", "a trial has zero days or more")
    by_calendar = asked.alignment is Alignment.CALENDAR and plan_version.cycle_unit is not Unit.DAY
    for name in ("anchor_on", "anchor_day"):
        if by_calendar and fields.has(name):
            fields.problems.add(fields.at(name), "not_anniversary", "what goes by the calendar has no day of its own")
    if asked.cancelled_on is not None and asked.cancelled_on < asked.started_on:
        fields.problems.add(fields.at("cancelled_on"), "before_start", "it ends on or after the day it starts")
    if fields.has("anchor_day") and plan_version.cycle_unit is not Unit.MONTH:
        fields.problems.add(fields.at("anchor_day"), "not_monthly", "only months have a day; use anchor_on")
    check_quantities(fields, asked.quantities, plan_version)
    if asked.term is not None:
        fields.problems.extend(problems_of_term(asked.term, plan_version), fields.path)
        if asked.cancelled_on is not None:
            fields.problems.add(fields.at("term"), "ends_as_agreed", "it ends on an agreed day, or renews itself")
    return len(fields.problems.found) == before


def _subscribed(asked: _Asked, account: Account, plan_version: PlanVersion) -> Subscription:
    sold = subscribe(
        asked.id,
        account_id=account.id,
        entity_id=account.entity_id,
        plan_version=plan_version,
        started_on=asked.started_on,
        alignment=asked.alignment,
        trial_days=asked.trial_days,
        anchor_on=asked.anchor_on,
        quantities=asked.quantities,
        term=asked.term,
    )
    sold = replace(sold, purchase_order=asked.purchase_order, cost_centre=asked.cost_centre)
    return sold if asked.cancelled_on is None else cancel(sold, plan_version, asked.cancelled_on)
