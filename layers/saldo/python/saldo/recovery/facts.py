"""What a drill needs to know of a table, gathered in one walk, owner by owner."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

from saldo.kernel.ids import fingerprint
from saldo.ledger.model import LedgerAccount
from saldo.payments.model import GatewayEvent, Payment
from saldo.payments.records import kept_event, payment_from
from saldo.storage.items import Item, Key


@dataclass(frozen=True, slots=True)
class EntryFact:
    """One journal entry. `at`: when it was written, as its audit record says; "" when none names its source."""

    entity_id: str
    currency: str
    turnover_minor: int
    receivables_minor: int
    print: str
    at: str


@dataclass(slots=True)
class Facts:
    """Entries, changes (audit records), kept gateway events and payments by key. Grows with the journal."""

    entries: dict[Key, EntryFact] = field(default_factory=dict)
    changes: dict[Key, str] = field(default_factory=dict)
    events: dict[Key, GatewayEvent] = field(default_factory=dict)
    gateways: dict[Key, str] = field(default_factory=dict)
    payments: dict[Key, Payment] = field(default_factory=dict)
    not_kept: set[Key] = field(default_factory=set)
    records: int = 0


def facts_of(items: Iterable[Item]) -> Facts:
    """The facts of a table's records; records of one owner follow each other."""
    facts = Facts()
    for _, group in groupby(items, key=lambda item: item["pk"]):
        owned = list(group)
        facts.records += len(owned)
        dated = dict(_dated(owned))
        for item in owned:
            _take(facts, item, dated)
    return facts


def _dated(owned: Iterable[Item]) -> Iterator[tuple[str, str]]:
    """When each subject was first written of, the latest told first so that the first one stays."""
    changes = sorted((i for i in owned if i["kind"] == "audit"), key=lambda i: str(i["at"]), reverse=True)
    for item in changes:
        yield item["subject_id"], item["at"]


def _take(facts: Facts, item: Item, dated: dict[str, str]) -> None:
    key = item["pk"], item["sk"]
    kind = item["kind"]
    if kind == "entry":
        facts.entries[key] = _entry_fact(item, dated.get(item["source_id"], ""))
    elif kind == "audit":
        facts.changes[key] = item["at"]
    elif kind == "payment":
        facts.payments[key] = payment_from(item)
    elif kind in ("guard", "parked_event"):
        event = kept_event(item)
        if event:
            facts.events[key] = event
            facts.gateways[key] = item["pk"].removeprefix("parked_") if kind == "parked_event" else ""
        elif item["sk"].startswith("guard#gateway_event#"):
            facts.not_kept.add(key)


def _entry_fact(item: Item, at: str) -> EntryFact:
    postings = item["postings"]
    return EntryFact(
        entity_id=item["entity_id"],
        currency=item["currency"],
        turnover_minor=sum(p["minor"] for p in postings if p["minor"] > 0),
        receivables_minor=sum(p["minor"] for p in postings if p["account"] == LedgerAccount.RECEIVABLES),
        print=fingerprint(json.dumps(item, sort_keys=True, default=str)),
        at=at,
    )
