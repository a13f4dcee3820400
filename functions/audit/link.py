"""The records table's stream → links in the chains of audit records, word of any that was changed, what is folded.

One function for what follows from records within the region: no more than two may read a table's stream.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from functions.observed import count, logger, observed
from functions.services import audit_chain, daily_sums, latest_news, latest_payments, open_sums, viewings, waiting
from saldo.access.records import SESSION
from saldo.ledger.records import BALANCE, entries_counted
from saldo.payments.records import PAYMENTS
from saldo.storage.items import from_attributes
from saldo.storage.units import WRITTEN
from saldo.work.rules import sellers_moved


@observed("LinkAudit")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Stream records → {changed, linked, told, folded, paid, viewed, counted}; safe to repeat.

    An audit record or sealed link is written once: any other change raises the metric that the alarm watches. A balance
    that moved says which days of its journal are to be added up anew, a count whose payments are to be looked at. A
    session says which document it asked for. What is left waits for the seller's people, or did.
    """
    told: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in event["Records"]:
        told[_what(record)].append(record["dynamodb"])
    new = [from_attributes(change["NewImage"]) for change in told["new"]]
    return {
        "changed": _changed(told["changed"]),
        "linked": audit_chain().link(new),
        "told": latest_news().fold(new),
        "folded": _folded(told[BALANCE]),
        "paid": _paid(told[PAYMENTS]),
        "viewed": _viewed(told[SESSION]),
        "counted": _counted(told["waits"]),
    }


def _what(record: dict[str, Any]) -> str:
    """Which of these it is: a balance, a count of payments, a session; an audit record or link that is new or was
    changed; something that waits."""
    sk = record["dynamodb"]["Keys"]["sk"]["S"]
    if sk in (BALANCE, PAYMENTS, SESSION):
        return str(sk)
    if sk.startswith(("audit#", "chain#")):
        return "new" if record["eventName"] == "INSERT" else "changed"
    return "waits"


def _changed(changes: list[dict[str, Any]]) -> int:
    for change in changes:
        owner_id, what = change["Keys"]["pk"]["S"], change["Keys"]["sk"]["S"]
        logger().error("an audit record was changed or deleted", extra={"owner_id": owner_id, "what": what})
    count("AuditRecordsChanged", len(changes))
    return len(changes)


def _counted(changes: list[dict[str, Any]]) -> int:
    """How many sellers' queues are counted anew."""
    sellers = set[str]().union(*map(sellers_moved, changes))
    for entity_id in sorted(sellers):
        waiting().count(entity_id)
    return len(sellers)


def _paid(counted: list[dict[str, Any]]) -> int:
    """Accounts whose payments were written, not those whose were folded just now."""
    moved = [c for c in counted if c.get("NewImage", {}).get(WRITTEN) != c.get("OldImage", {}).get(WRITTEN)]
    return sum(latest_payments().fold(account_id) for account_id in sorted({c["Keys"]["pk"]["S"] for c in moved}))


def _viewed(asked: list[dict[str, Any]]) -> int:
    """Sessions that asked for a document just now, not those that only went on."""
    images = [(change.get("NewImage", {}), change.get("OldImage", {})) for change in asked]
    return viewings().record(from_attributes(n) for n, old in images if n.get("looked") != old.get("looked"))


def _folded(moved: list[dict[str, Any]]) -> int:
    """How many journals are long enough to have sums; the days of all that happened to each are read once."""
    days: dict[str, set[str]] = defaultdict(set)
    entries: dict[str, int] = defaultdict(int)
    for change in moved:
        if "NewImage" in change:
            balance = from_attributes(change["NewImage"])
            days[balance["pk"]] |= set(balance.get("days", ()))
            entries[balance["pk"]] = max(entries[balance["pk"]], entries_counted(balance))
    folded = 0
    for account_id, counted in entries.items():
        folded += daily_sums().fold(account_id, days[account_id], counted)
        open_sums().fold(account_id, counted)
    return folded
