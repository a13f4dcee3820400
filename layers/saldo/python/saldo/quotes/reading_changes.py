"""Changes of a subscription in a quote's document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from saldo.accounts.model import Account
from saldo.catalog.model import PlanVersion
from saldo.kernel.errors import Refusal
from saldo.kernel.reading import Fields
from saldo.subscriptions.model import Change, Subscription
from saldo.subscriptions.reading import change_from
from saldo.subscriptions.rules_changes import with_change
from saldo.subscriptions.rules_checks import problems_of_change, problems_of_quantities

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)


def check_day(fields: Fields, name: str, day: date) -> None:
    """A problem for a day so far off that it must be a slip; nothing more for a field that has one already."""
    if not FIRST_DAY <= day <= LAST_DAY and not fields.is_faulty(name):
        fields.problems.add(fields.at(name), "not_in_our_time", f"must be from {FIRST_DAY} to {LAST_DAY}")


def check_quantities(fields: Fields, quantities: Mapping[str, Decimal], plan_version: PlanVersion) -> None:
    """A problem for every quantity that cannot be sold."""
    fields.problems.extend(problems_of_quantities(quantities, plan_version), fields.path)


def changes_from(fields: Fields, account: Account, versions: Mapping[str, PlanVersion]) -> list[tuple[Fields, Change]]:
    """The changes of the document, each with its place; those that cannot be made are problems and left out."""
    found = []
    for n, child in enumerate(fields.maybe_children("changes"), 1):
        before = len(fields.problems.found)
        change = _change(child, f"change_{n:03d}", account, versions)
        if len(fields.problems.found) == before:
            found.append((child, change))
    return found


_FIELD_OF = {"change_too_early": "effective_on", "change_exists": "id", "ends_as_agreed": "kind"}


def with_changes(subscription: Subscription, changes: Iterable[tuple[Fields, Change]]) -> Subscription:
    """The subscription with all changes of the document on record."""
    for fields, change in changes:
        try:
            subscription = with_change(subscription, change)
        except Refusal as refusal:
            where = fields.at(_FIELD_OF[refusal.code]) if refusal.code in _FIELD_OF else fields.path
            fields.problems.add(where, refusal.code, refusal.message)
    return subscription


def _change(fields: Fields, default_id: str, account: Account, versions: Mapping[str, PlanVersion]) -> Change:
    change = change_from(fields, default_id, account.time_zone, plan="plan")
    fields.finish()
    if not (fields.is_faulty("plan") or fields.is_faulty("kind")):
        fields.problems.extend(problems_of_change(change, versions), fields.path)
    return change
