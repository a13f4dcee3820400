"""How disputes lie in the table.

`<account>` / `dispute#<id>`: facts and state, in clear; while the seller is to act, on the agenda `disputes#<entity>`
under the instant it was opened.
`<account>` / `dispute_words#<id>`: the thread's words, sealed as one blob under the organisation's key.
`<account>` / `disputed#<invoice>`: all disputes of one invoice with their lines: the guard of its cents.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from saldo.disputes.model import (
    ACTIVE,
    Claim,
    Dispute,
    DisputeReason,
    DisputeState,
    InDispute,
    Message,
    Side,
    Standing,
    StateChange,
)
from saldo.kernel.clock import instant_from, instant_text
from saldo.storage.items import Item, Key
from saldo.storage.sealing import Erased, Sealer
from saldo.storage.units import Unit

PREFIX = "dispute#"
FIELDS = "dispute_words/1"
_PLAIN = ("organisation_id", "entity_id", "invoice_id", "number", "currency", "opened_by")
_COUNTS = ("credited_minor", "times_reopened", "revision")
_WHEN = ("opened_at", "ended_at")


def dispute_key(account_id: str, dispute_id: str) -> Key:
    return account_id, PREFIX + dispute_id


def words_key(account_id: str, dispute_id: str) -> Key:
    return account_id, f"dispute_words#{dispute_id}"


def disputed_key(account_id: str, invoice_id: str) -> Key:
    return account_id, f"disputed#{invoice_id}"


def queue_agenda(entity_id: str) -> str:
    return f"disputes#{entity_id}"


def dispute_item(dispute: Dispute) -> Item:
    """`status`, `number` and `total_minor` are named as the agenda carries them."""
    pk, sk = dispute_key(dispute.account_id, dispute.id)
    item: Item = {"pk": pk, "sk": sk, "kind": "dispute", "account_id": pk, "dispute_id": dispute.id}
    item |= {name: getattr(dispute, name) for name in (*_PLAIN, *_COUNTS)}
    item |= {
        "reason": dispute.reason.value,
        "status": dispute.state.value,
        "total_minor": dispute.claim.gross_minor,
        "lines": dict(dispute.claim.lines),
        "opened_at": instant_text(dispute.opened_at),
        "credit_notes": list(dispute.credit_notes),
        "history": [{"at": instant_text(h.at), "status": h.state.value} for h in dispute.history],
        "messages": [{"at": instant_text(m.at), "side": m.side.value, "by": m.by} for m in dispute.messages],
    }
    if dispute.state in ACTIVE:
        item |= {
            "agenda_pk": queue_agenda(dispute.entity_id),
            "agenda_on": instant_text(dispute.opened_at),
        }
    return item


def dispute_from(item: Item, words: tuple[str, ...] = ()) -> Dispute:
    """`words`: of the messages in their order; without them the dispute has no messages."""
    told = zip(item["messages"], words, strict=False) if words else ()
    return Dispute(
        account_id=item["pk"],
        id=item["dispute_id"],
        reason=DisputeReason(item["reason"]),
        claim=Claim(item["total_minor"], item["lines"]),
        state=DisputeState(item["status"]),
        opened_at=instant_from(item["opened_at"]),
        history=tuple(StateChange(instant_from(h["at"]), DisputeState(h["status"])) for h in item["history"]),
        messages=tuple(Message(instant_from(m["at"]), Side(m["side"]), m["by"], text) for m, text in told),
        credit_notes=tuple(item["credit_notes"]),
        **{name: item[name] for name in (*_PLAIN, *_COUNTS)},
    )


def words_item(dispute: Dispute, sealer: Sealer) -> Item:
    pk, sk = words_key(dispute.account_id, dispute.id)
    sealed = sealer.seal(dispute.organisation_id, (pk, sk), FIELDS, {"words": [m.words for m in dispute.messages]})
    return {"pk": pk, "sk": sk, "kind": "dispute_words", "organisation_id": dispute.organisation_id, "sealed": sealed}


def words_from(item: Item, sealer: Sealer, messages: int) -> tuple[str, ...]:
    """The thread's words; empty ones once the organisation's key is shredded."""
    try:
        return opened_words(item, sealer)
    except Erased:
        return ("",) * messages


def opened_words(item: Item, sealer: Sealer) -> tuple[str, ...]:
    """The thread's words; Erased once the organisation's key is shredded."""
    opened = sealer.open(item["organisation_id"], (item["pk"], item["sk"]), FIELDS, item["sealed"])
    return tuple(opened["words"])


def in_dispute_from(invoice_id: str, item: Mapping[str, Any] | None) -> InDispute:
    if item is None:
        return InDispute(invoice_id)
    disputes = tuple(
        Standing(
            row["dispute_id"],
            DisputeState(row["state"]),
            Claim(row["gross_minor"], row["lines"]),
            row["credited_minor"],
            *(instant_from(row[name]) if name in row else None for name in _WHEN),
        )
        for row in item["disputes"]
    )
    return InDispute(invoice_id, disputes, item["revision"])


def write_in_dispute(unit: Unit, account_id: str, old: InDispute, new: InDispute) -> None:
    """Holds only from the revision that was read: two that claim the same cents meet here."""
    pk, sk = disputed_key(account_id, new.invoice_id)
    rows = [
        {
            "dispute_id": one.dispute_id,
            "state": one.state.value,
            "gross_minor": one.claim.gross_minor,
            "lines": dict(one.claim.lines),
            "credited_minor": one.credited_minor,
            **{name: instant_text(at) for name in _WHEN if (at := getattr(one, name))},
        }
        for one in new.disputes
    ]
    item: Item = {"pk": pk, "sk": sk, "kind": "disputed", "invoice_id": new.invoice_id, "disputes": rows}
    item["revision"] = old.revision + 1
    if old.revision:
        unit.put(item, when={"revision": old.revision})
    else:
        unit.insert(item)
