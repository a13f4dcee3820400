"""Whether a subscription can start, or a change of it be made: every problem it has, before it goes on record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from saldo.catalog.model import PlanVersion
from saldo.kernel.errors import Problem, Problems
from saldo.kernel.numbers import fits
from saldo.subscriptions.model import Change, ChangeKind, Subscription

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)
MOST_YEARS = 10


def problems_of_day(day: date, field: str) -> tuple[Problem, ...]:
    """A day so far off that it must be a slip: no calendar is reckoned with there."""
    there = FIRST_DAY <= day <= LAST_DAY
    return () if there else (Problem(field, "not_in_our_time", f"must be from {FIRST_DAY} to {LAST_DAY}"),)


def problems_of_days(subscription: Subscription, today: date) -> Iterator[Problem]:
    """What is wrong with the days of one that is put on record today. All that is due since its start is billed at
    once, so that lies within ten years of today."""
    new, start = subscription, subscription.started_on
    if abs(start.year - today.year) > MOST_YEARS:
        yield Problem("started_on", "out_of_range", f"must be within {MOST_YEARS} years of {today}")
    days = ("anchor_on", new.anchor_on), ("trial_end_on", new.trial_end_on), ("cancelled_on", new.cancelled_on)
    for name, day in days:
        yield from problems_of_day(day, name) if day is not None else ()
    if new.trial_end_on is not None and new.trial_end_on < start:
        yield Problem("trial_end_on", "before_start", "a trial ends on or after the day it starts")
    if new.cancelled_on is not None and new.cancelled_on < start:
        yield Problem("cancelled_on", "before_start", "a subscription ends on or after the day it starts")


def problems_of_quantities(quantities: Mapping[str, Decimal], version: PlanVersion) -> tuple[Problem, ...]:
    """Quantities that the plan version does not know, below zero, or beyond what is reckoned with."""
    problems, known = Problems(), {c.id for c in version.components if c.is_bought}
    for name, quantity in quantities.items():
        if name not in known:
            there = ", ".join(sorted(known)) or "none"
            why = f"{version.id} has no quantity of {name!r}; there are {there}, and usage is counted by meters"
            problems.add(f"quantities.{name}", "unknown_component", why)
        elif quantity < 0:
            problems.add(f"quantities.{name}", "negative_quantity", "must be zero or more")
        elif not fits(quantity):
            problems.add(f"quantities.{name}", "invalid_quantity", "has too many digits")
    return problems.found


def problems_of_change(change: Change, versions: Mapping[str, PlanVersion]) -> tuple[Problem, ...]:
    """Everything wrong with a change by itself.

    versions: by id, the plan versions that the subscription has been on, will be on or can be moved to.
    """
    problems = Problems()
    if change.kind is ChangeKind.PLAN:
        version = versions.get(change.plan_version_id)
        if version is None:
            problems.add("plan", "unknown_plan", f"{change.plan_version_id!r} is not among the plans")
        else:
            problems.extend(problems_of_quantities(change.quantities, version))
    if change.only_from and change.kind is not ChangeKind.PLAN:
        problems.add("only_from", "not_expected", "only a change of plan depends on the plan before it")
    if change.kind is ChangeKind.QUANTITY and not change.quantities and not change.added:
        problems.add("quantities", "missing", "a change of quantity sets `quantities` or `added`")
    if change.kind not in (ChangeKind.PLAN, ChangeKind.QUANTITY) and (change.quantities or change.added):
        problems.add("quantities", "not_expected", f"{change.kind} sets no quantities")
    if change.kind is ChangeKind.QUANTITY:
        known = {c.id for v in versions.values() for c in v.components if c.is_bought}
        for name, quantity in change.quantities.items():
            if quantity < 0:
                problems.add(f"quantities.{name}", "negative_quantity", "must be zero or more")
            if name not in known:
                problems.add(f"quantities.{name}", "unknown_component", f"no plan has a quantity of {name!r}")
        for name in change.added.keys() - known:
            problems.add(f"added.{name}", "unknown_component", f"no plan has a quantity of {name!r}")
    return problems.found
