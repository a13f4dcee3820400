"""Changes of a subscription in a quote's document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from saldo.accounts.model import Account
from saldo.catalog.model import PlanVersion
from saldo.kernel.errors import Refusal
from saldo.kernel.reading import Fields
from saldo.quotes.model import LateChange
from saldo.subscriptions.model import Change, Subscription
from saldo.subscriptions.reading import change_from
from saldo.subscriptions.rules_changes import with_change
from saldo.subscriptions.rules_checks import problems_of_change, problems_of_quantities


def check_quantities(fields: Fields, quantities: Mapping[str, Decimal], plan_version: PlanVersion) -> None:
    """A problem for every quantity that cannot be sold."""
    fields.problems.extend(problems_of_quantities(quantities, plan_version), fields.path)


@dataclass(frozen=True, slots=True)
class AskedChange:
    """A change as the document has it, and the day on which it came where it is told."""

    fields: Fields
    change: Change
    came_on: date | None


def changes_from(fields: Fields, account: Account, versions: Mapping[str, PlanVersion]) -> list[AskedChange]:
    """The changes of the document, each with its place; those that cannot be made are problems and left out."""
    found = []
    for n, child in enumerate(fields.maybe_children("changes"), 1):
        before = len(fields.problems.found)
        asked = _change(child, f"change_{n:03d}", account, versions)
        if len(fields.problems.found) == before:
            found.append(asked)
    return found


_FIELD_OF = {"change_too_early": "effective_on", "change_exists": "id", "ends_as_agreed": "kind"}


def with_changes(
    subscription: Subscription, changes: Iterable[AskedChange]
) -> tuple[Subscription, tuple[LateChange, ...]]:
    """The subscription with the changes of the document on record, and those that come later."""
    every, late = subscription, []
    for asked in changes:
        fields, change = asked.fields, asked.change
        try:
            every = with_change(every, change)
        except Refusal as refusal:
            where = fields.at(_FIELD_OF[refusal.code]) if refusal.code in _FIELD_OF else fields.path
            fields.problems.add(where, refusal.code, refusal.message)
            continue
        if asked.came_on is None:
            subscription = with_change(subscription, change)
        else:
            late.append(LateChange(asked.came_on, subscription.id, change))
    return subscription, tuple(late)


def _change(fields: Fields, default_id: str, account: Account, versions: Mapping[str, PlanVersion]) -> AskedChange:
    change, came_on = change_from(fields, default_id, account.time_zone, plan="plan"), fields.maybe_day("came_on")
    fields.finish()
    if not (fields.is_faulty("plan") or fields.is_faulty("kind")):
        fields.problems.extend(problems_of_change(change, versions), fields.path)
    return AskedChange(fields, change, came_on)
