"""Records that a test lays down as they are, with the audit records that the use cases would have left of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.insight.checks_beginnings import BEGUN_BY, SET_BY
from saldo.storage.items import Item
from saldo.storage.store import Store

FOUNDER = Actor("founder", "job")


def lay(store: Store, items: Iterable[Item], at: datetime) -> None:
    """Put records there as they are, as if use cases had made them."""
    store.put_many(list(_on_record(items, at)))


def _on_record(items: Iterable[Item], at: datetime) -> Iterator[Item]:
    """Each of them, and how it came to be there."""
    for item in items:
        yield item
        for subjects, actions in BEGUN_BY.get(item["kind"], ()):
            for subject in subjects(item):
                yield audit_item(AuditRecord(item["pk"], at, FOUNDER, actions[0], subject))
        if item["kind"] in SET_BY:
            yield audit_item(AuditRecord(item["pk"], at, FOUNDER, SET_BY[item["kind"]], item["sk"]))
