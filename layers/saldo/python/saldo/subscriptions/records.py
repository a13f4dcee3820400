"""How subscriptions lie in the table.

`<account>` / `subscription#<id>`: one item each. The agenda `due#<entity>#<shard>` / next billing date lists those with
something left to bill. Plain items: an invoice run reads and moves one per account.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from saldo.accounts.agenda import due_agenda
from saldo.kernel.errors import Refusal
from saldo.storage.items import Item, Key
from saldo.storage.units import Unit
from saldo.subscriptions.model import Alignment, Subscription, SubscriptionStatus

PREFIX = "subscription#"

_DATES = ("started_on", "anchor_on", "trial_end_on", "cancelled_on", "next_bill_on", "billed_through")
_TEXTS = ("account_id", "entity_id", "plan_version_id")
_CURSOR = ("next_bill_on", "billed_through")


def subscription_key(account_id: str, subscription_id: str) -> Key:
    return account_id, PREFIX + subscription_id


def subscription_item(subscription: Subscription) -> Item:
    """The item of a subscription. Refusal `changes_not_stored`: quotes know mid-cycle changes, runs not yet."""
    if subscription.changes:
        raise Refusal("changes_not_stored", f"{subscription.id} has changes, which only quotes can bill so far")
    pk, sk = subscription_key(subscription.account_id, subscription.id)
    item: Item = {"pk": pk, "sk": sk, "kind": "subscription", "subscription_id": subscription.id}
    item |= {name: getattr(subscription, name) for name in _TEXTS}
    item["alignment"] = subscription.alignment.value
    item["status"] = subscription.status.value
    item["quantities"] = {component: str(quantity) for component, quantity in subscription.quantities.items()}
    for name in _DATES:
        value: date | None = getattr(subscription, name)
        if value is not None:
            item[name] = value.isoformat()
    return item | _agenda(subscription)


def subscription_from(item: Item) -> Subscription:
    fields: dict[str, Any] = {name: item[name] for name in _TEXTS}
    fields |= {name: date.fromisoformat(item[name]) if name in item else None for name in _DATES}
    return Subscription(
        id=item["subscription_id"],
        alignment=Alignment(item["alignment"]),
        status=SubscriptionStatus(item["status"]),
        quantities={component: Decimal(quantity) for component, quantity in item["quantities"].items()},
        **fields,
    )


def move_on(unit: Unit, before: Subscription, after: Subscription) -> Unit:
    """Move the billing cursor and status in this unit; it holds only while the subscription is still as `before`.

    Nothing else may differ between the two: what is sold is changed by its own use case.
    """
    changed: dict[str, Any] = {"status": after.status.value} | _agenda(after)
    removed = []
    for name in _CURSOR:
        value: date | None = getattr(after, name)
        if value is None:
            removed.append(name)
        else:
            changed[name] = value.isoformat()
    if after.next_bill_on is None:
        removed += ["agenda_pk", "agenda_on"]
    return unit.update(
        subscription_key(before.account_id, before.id),
        set=changed,
        remove=removed,
        when={name: _text(getattr(before, name)) for name in _CURSOR} | {"status": before.status.value},
    )


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _agenda(subscription: Subscription) -> Item:
    if subscription.next_bill_on is None:
        return {}
    return {
        "agenda_pk": due_agenda(subscription.entity_id, subscription.account_id),
        "agenda_on": subscription.next_bill_on.isoformat(),
    }
