"""What a drill needs to know of a table, gathered in one walk, owner by owner."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

from saldo.kernel.ids import fingerprint, is_double
from saldo.ledger.model import LedgerAccount
from saldo.payments.model import GatewayEvent, Payment
from saldo.payments.records import kept_event, payment_from
from saldo.storage.items import Item, Key

Dated = dict[tuple[str, str], str]  # action and subject of an audit record: its instant

# Entries and the audit records that tell of them. Imports, true-ups and credits are not told apart
# by their audit records; a lost one of those shows in totals only where the copy has it and the live table does not.
_WRITTEN_WITH = {
    "invoice_issued": "invoice.issued",
    "credit_note_issued": "credit_note.issued",
    "payment_settled": "payment.settled",
    "payout_received": "payment.paid_out",
}
# Acts whose record bears the instant at which they were asked for and is written afterwards: a look, by the stream; a
# payment that somebody had to agree to. Doubles live in a time of their own.
_TOLD_LATER = frozenset({"invoice.viewed", "payment.scheduled"})
_PARTS = ("payment_applied", "early_discount_taken", "difference_written_off")


@dataclass(frozen=True, slots=True)
class EntryFact:
    """One journal entry. `at`: when it was written, as its header or the audit record of its unit says; "" where that
    is not told."""

    entity_id: str
    currency: str
    turnover_minor: int
    receivables_minor: int
    print: str
    at: str


@dataclass(slots=True)
class Facts:
    """Entries, changes (audit records), kept gateway events and payments by key. Grows with the journal.

    told_later: changes whose instant does not tell when they were written.
    """

    entries: dict[Key, EntryFact] = field(default_factory=dict)
    changes: dict[Key, str] = field(default_factory=dict)
    told_later: set[Key] = field(default_factory=set)
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
        dated = _issues(owned) | {(i["action"], i["subject_id"]): str(i["at"]) for i in owned if i["kind"] == "audit"}
        for item in owned:
            _take(facts, item, dated)
    return facts


def _issues(owned: Iterable[Item]) -> Dated:
    """When documents were issued, as their headers say: a run's share one audit record, which is the seller's."""
    return {
        (f"{item['document']}.issued", item["invoice_id"]): str(item["history"][0]["at"])
        for item in owned
        if item["kind"] == "invoice" and item["history"]
    }


def _written_at(item: Item, dated: Dated) -> str:
    """A part of a payment is applied with its settlement (the first) or on its own (the others)."""
    source, kind = item["source_id"], item["entry_kind"]
    if kind in _PARTS:
        payment_id, _, part = source.partition("/")
        own = dated.get(("payment.settled", payment_id), "") if part == "0" else ""
        return own or dated.get(("payment.applied", source), "")
    return dated.get((_WRITTEN_WITH.get(kind, ""), source), "")


def _take(facts: Facts, item: Item, dated: Dated) -> None:
    key = item["pk"], item["sk"]
    kind = item["kind"]
    if kind == "entry":
        facts.entries[key] = _entry_fact(item, _written_at(item, dated))
    elif kind == "audit":
        facts.changes[key] = item["at"]
        if item["action"] in _TOLD_LATER or is_double(item["pk"]):
            facts.told_later.add(key)
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
