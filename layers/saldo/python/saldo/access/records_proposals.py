"""How proposals lie in the table: `<owner>` / `proposal#<id>`; while they wait, on the agenda `proposals#<owner>` under
the instant at which they expire, so that what expired is no longer asked for; the index carries what the queue
shows."""

from __future__ import annotations

import json

from saldo.access.model_proposals import Proposal, ProposalKind, ProposalState, WaitingProposal
from saldo.kernel.clock import instant_from, instant_text
from saldo.kernel.money import Money
from saldo.storage.items import Item, Key

PREFIX = "proposal#"
_PLAIN = ("owner_id", "subject_id", "reason", "digest", "decided_by", "note")


def proposal_key(owner_id: str, proposal_id: str) -> Key:
    return owner_id, PREFIX + proposal_id


def waiting_agenda(owner_id: str) -> str:
    return f"proposals#{owner_id}"


def proposal_item(proposal: Proposal) -> Item:
    pk, sk = proposal_key(proposal.owner_id, proposal.id)
    item: Item = {"pk": pk, "sk": sk, "kind": "proposal", **{name: getattr(proposal, name) for name in _PLAIN}}
    item |= {
        "shown": {"what": proposal.kind.value, "asked_by": proposal.asked_by},
        "content": json.dumps(dict(proposal.content), sort_keys=True),
        "may_agree": sorted(proposal.may_agree),
        "asked_at": instant_text(proposal.asked_at),
        "expires_at": instant_text(proposal.expires_at),
        "state": proposal.state.value,
        "agenda_pk": waiting_agenda(proposal.owner_id),
        "agenda_on": f"{instant_text(proposal.expires_at)}#{proposal.id}",
    }
    if proposal.amount is not None:
        item |= {"total_minor": proposal.amount.minor, "currency": proposal.amount.currency}
    return item


def _amount_of(item: Item) -> Money | None:
    return Money(item["total_minor"], item["currency"]) if "currency" in item else None


def waiting_from(row: Item) -> WaitingProposal:
    """From the agenda."""
    expires_at = instant_from(row["agenda_on"].partition("#")[0])
    kind, asked_by = ProposalKind(row["shown"]["what"]), row["shown"]["asked_by"]
    return WaitingProposal(row["sk"].removeprefix(PREFIX), kind, _amount_of(row), row["reason"], asked_by, expires_at)


def proposal_from(item: Item) -> Proposal:
    decided_at = item.get("decided_at")
    return Proposal(
        id=item["sk"].removeprefix(PREFIX),
        kind=ProposalKind(item["shown"]["what"]),
        asked_by=item["shown"]["asked_by"],
        content=json.loads(item["content"]),
        amount=_amount_of(item),
        may_agree=frozenset(item["may_agree"]),
        asked_at=instant_from(item["asked_at"]),
        expires_at=instant_from(item["expires_at"]),
        state=ProposalState(item["state"]),
        decided_at=instant_from(decided_at) if decided_at else None,
        **{name: item[name] for name in _PLAIN},
    )
