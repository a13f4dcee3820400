"""How thresholds and their alerts lie in the table.

`<account>` / `thresholds`: all of an account's in one item, so that many accounts are looked through in one read.
`<account>` / `alert#<threshold>#<period>`: it was reached, inserted once; the stream tells it as news.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from saldo.kernel.clock import instant_from, instant_text
from saldo.kernel.exact import plain
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.usage.model_thresholds import Alert, Measure, Then, Threshold

ALERT_PREFIX = "alert#"


def thresholds_key(account_id: str) -> Key:
    return account_id, "thresholds"


def thresholds_item(account_id: str, thresholds: Sequence[Threshold], version: int) -> Item:
    return {
        "pk": account_id,
        "sk": "thresholds",
        "kind": "thresholds",
        "thresholds": [_fields(t) for t in thresholds],
        "version": version,
    }


def _fields(threshold: Threshold) -> Item:
    return {
        "id": threshold.id,
        "measure": threshold.measure.value,
        "at": plain(threshold.at),
        "meter_id": threshold.meter_id,
        "then": threshold.then.value,
        "own": threshold.own,
    }


def _threshold_from(fields: Item) -> Threshold:
    measure, then = Measure(fields["measure"]), Then(fields["then"])
    return Threshold(fields["id"], measure, Decimal(fields["at"]), fields["meter_id"], then, bool(fields.get("own")))


def thresholds_from(item: Item | None) -> list[Threshold]:
    return [_threshold_from(fields) for fields in item["thresholds"]] if item else []


def version_of(item: Item | None) -> int | None:
    """Which version of an account's thresholds was read; None where it has none yet."""
    return int(item["version"]) if item else None


def alert_key(alert: Alert) -> Key:
    return alert.account_id, f"{ALERT_PREFIX}{alert.threshold.id}#{alert.period}"


def alert_item(alert: Alert) -> Item:
    pk, sk = alert_key(alert)
    return {
        "pk": pk,
        "sk": sk,
        "kind": "alert",
        "account_id": alert.account_id,
        "entity_id": alert.entity_id,
        "threshold": _fields(alert.threshold),
        "period": alert.period,
        "measured": plain(alert.measured),
        "currency": alert.currency,
        "reached_at": instant_text(alert.reached_at),
    }


def alerts_of(store: Store, account_id: str) -> Iterator[Alert]:
    """Every alert an account ever had, by threshold and period."""
    yield from map(alert_from, store.query_all(account_id, prefix=ALERT_PREFIX, consistent=True))


def alert_from(item: Item) -> Alert:
    return Alert(
        item["account_id"],
        item["entity_id"],
        _threshold_from(item["threshold"]),
        item["period"],
        Decimal(item["measured"]),
        item["currency"],
        instant_from(item["reached_at"]),
    )
