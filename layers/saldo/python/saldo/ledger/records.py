"""How the journal lies in the table.

`<account>` / `entry#<booked_on>#<entry id>`: one item per entry, all postings inside, inserted once, never changed.
`<account>` / `balance`: running totals per currency and ledger account, and how many entries there are, moved by the
same unit as the entry. It names the days of the entries that moved it last, so that its change in the stream says which
days of the journal are no more what they were.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from saldo.kernel.exchange import rate_from_row, rate_row
from saldo.ledger import rules
from saldo.ledger.model import Entry, EntryKind, LedgerAccount, Posting
from saldo.storage.items import Item
from saldo.storage.units import Unit

PREFIX = "entry#"
BALANCE = "balance"
ENTRIES = "entries"


def entry_key(entry: Entry) -> tuple[str, str]:
    return entry.account_id, f"{PREFIX}{entry.booked_on.isoformat()}#{entry.id}"


def entry_item(entry: Entry) -> Item:
    pk, sk = entry_key(entry)
    rate = entry.exchange
    return ({"exchange": rate_row(rate)} if rate else {}) | {
        "pk": pk,
        "sk": sk,
        "kind": "entry",
        "entry_kind": entry.kind.value,
        "entity_id": entry.entity_id,
        "currency": entry.currency,
        "source_id": entry.source_id,
        "postings": [_posting_item(p) for p in entry.postings],
    }


def _posting_item(posting: Posting) -> Item:
    item: Item = {"account": posting.account.value, "minor": posting.minor}
    if posting.invoice_id is not None:
        item["invoice_id"] = posting.invoice_id
    if posting.due_on is not None:
        item["due_on"] = posting.due_on.isoformat()
    if posting.tag is not None:
        item["tag"] = posting.tag
    if posting.base_minor is not None:
        item["base_minor"] = posting.base_minor
    return item


def entry_from(item: Item) -> Entry:
    _, booked_on, entry_id = item["sk"].split("#", 2)
    return Entry(
        id=entry_id,
        kind=EntryKind(item["entry_kind"]),
        booked_on=date.fromisoformat(booked_on),
        entity_id=item["entity_id"],
        account_id=item["pk"],
        currency=item["currency"],
        source_id=item["source_id"],
        postings=tuple(_posting_from(p) for p in item["postings"]),
        exchange=rate_from_row(item["exchange"]) if "exchange" in item else None,
    )


def _posting_from(item: Item) -> Posting:
    return Posting(
        account=LedgerAccount(item["account"]),
        minor=item["minor"],
        invoice_id=item.get("invoice_id"),
        due_on=date.fromisoformat(item["due_on"]) if "due_on" in item else None,
        tag=item.get("tag"),
        base_minor=item.get("base_minor"),
    )


def balance_field(currency: str, account: LedgerAccount) -> str:
    """The attribute of the balance item that runs with this total (`EUR receivables`)."""
    return f"{currency} {account.value}"


def post(
    unit: Unit,
    *entries: Entry,
    correlation_id: str,
    when: Mapping[str, Any] | None = None,
    numbers: Mapping[str, str] | None = None,
    also: Mapping[str, int] | None = None,
) -> Unit:
    """Add entries of one customer account to the unit: each inserted once, balances moved with them.

    correlation_id: of the act that moved the money, "" where nobody's did (a job, a day's run). numbers: of documents
    by the entry's source. Both are kept beside the entry and no part of it.
    also: what else the balance counts, and by how much it moves with these entries.
    when: balances (`balance_field`) as they must be for the unit to hold; None for one that never moved.
    """
    moved: dict[str, int] = {}
    for entry in entries:
        assert entry.account_id == entries[0].account_id, "one unit posts to one customer account"
        beside = {"correlation_id": correlation_id, "number": (numbers or {}).get(entry.source_id, "")}
        unit.insert(entry_item(entry) | {name: said for name, said in beside.items() if said})
        for p in entry.postings:
            currency, minor = (entry.currency, p.minor) if p.minor else rules.difference_moved(entry, p)
            name = balance_field(currency, p.account)
            moved[name] = moved.get(name, 0) + minor
    if entries:
        counted = {ENTRIES: len(entries)} | {name: minor for name, minor in moved.items() if minor} | dict(also or {})
        said = {"kind": "balance", "days": sorted({entry.booked_on.isoformat() for entry in entries})}
        unit.update((entries[0].account_id, BALANCE), add=counted, set=said, when=when)
    return unit


def entries_counted(item: Item | None) -> int:
    """How many entries the journal of this balance has."""
    return int((item or {}).get(ENTRIES, 0))


def balances_from(item: Item | None) -> dict[tuple[str, LedgerAccount], int]:
    """Running totals per (currency, ledger account), zeros left out."""
    found = {}
    for name, minor in (item or {}).items():
        if " " in name and minor:
            currency, account = name.split(" ", 1)
            found[currency, LedgerAccount(account)] = minor
    return found
