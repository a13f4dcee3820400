"""How subscriptions lie in the table.

`<account>` / `subscription#<id>`: one item each. The agenda `due#<entity>#<shard>` lists those with something left to
bill, under their next billing date or, where a run billed it on its day, the monthly place of that day
(`accounts.agenda`). Plain items: an invoice run reads and moves one per account.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from saldo.accounts.agenda import due_agenda
from saldo.kernel.reading import read
from saldo.storage.claims import CLAIM
from saldo.storage.items import Item, Key
from saldo.storage.units import Unit
from saldo.subscriptions.codec import change_from_json, change_to_json, maybe_term, term_to_json
from saldo.subscriptions.model import Alignment, Subscription, SubscriptionStatus

PREFIX = "subscription#"
CLAIMED = "claimed"

_DATES = ("started_on", "anchor_on", "trial_end_on", "cancelled_on")
_TEXTS = ("account_id", "entity_id", "plan_version_id", "purchase_order", "cost_centre")
_CURSOR = ("next_bill_on", "billed_through")


def subscription_key(account_id: str, subscription_id: str) -> Key:
    return account_id, PREFIX + subscription_id


def claimed_key(account_id: str) -> Key:
    """Which meters are billed by which subscription (`claimed.py`)."""
    return account_id, CLAIMED


def claims_counted(unit: Unit, account_id: str) -> None:
    """Count that a subscription of the account is begun or changed."""
    unit.count_once(claimed_key(account_id))


def subscription_item(subscription: Subscription) -> Item:
    pk, sk = subscription_key(subscription.account_id, subscription.id)
    item: Item = {"pk": pk, "sk": sk, "kind": "subscription", "subscription_id": subscription.id}
    item |= {name: getattr(subscription, name) for name in _TEXTS}
    item["version"] = subscription.version
    item["alignment"] = subscription.alignment.value
    item["quantities"] = {component: str(quantity) for component, quantity in subscription.quantities.items()}
    for name in _DATES:
        item |= _day(name, getattr(subscription, name))
    if subscription.term is not None:
        item["term"] = term_to_json(subscription.term)
    return item | _moving(subscription)


def subscription_from(item: Item) -> Subscription:
    fields: dict[str, Any] = {name: item[name] for name in _TEXTS}
    fields |= {name: date.fromisoformat(item[name]) if name in item else None for name in (*_DATES, *_CURSOR)}
    return Subscription(
        id=item["subscription_id"],
        alignment=Alignment(item["alignment"]),
        status=SubscriptionStatus(item["status"]),
        quantities={component: Decimal(quantity) for component, quantity in item["quantities"].items()},
        changes=tuple(change_from_json(change) for change in item["changes"]),
        version=item["version"],
        is_being_billed=CLAIM in item,
        term=read({"term": item["term"]}, maybe_term, "the term cannot be read") if "term" in item else None,
        **fields,
    )


def move_on(unit: Unit, before: Subscription, after: Subscription, *, place: str = "", **more: Any) -> Unit:
    """Write what billing or a change moves: cursor, status and changes. The unit holds only while the subscription is
    still as `before`, and nobody has claimed it.

    Nothing else may differ between the two. `place`: on the agenda, where that is not the next billing date. `more`:
    attributes written besides, such as what billed it.
    """
    if place:
        more["agenda_on"] = place
    gone = [name for name in _CURSOR if getattr(after, name) is None]
    if after.next_bill_on is None:
        gone += ["agenda_pk", "agenda_on"]
    return unit.update(
        subscription_key(before.account_id, before.id),
        set={**_moving(after), "version": before.version + 1, **more},
        remove=gone,
        when={"version": before.version, CLAIM: None},
    )


def _moving(subscription: Subscription) -> Item:
    item: Item = {"status": subscription.status.value, "changes": [change_to_json(c) for c in subscription.changes]}
    for name in _CURSOR:
        item |= _day(name, getattr(subscription, name))
    if subscription.next_bill_on is not None:
        item["agenda_pk"] = due_agenda(subscription.entity_id, subscription.account_id)
        item["agenda_on"] = subscription.next_bill_on.isoformat()
    return item


def _day(name: str, day: date | None) -> Item:
    return {} if day is None else {name: day.isoformat()}
