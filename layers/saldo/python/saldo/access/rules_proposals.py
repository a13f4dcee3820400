"""Decisions on proposals: who may agree, until when, and to exactly what."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256

from saldo.access.model_proposals import Decider, Proposal, ProposalState, Wish
from saldo.kernel.errors import Refusal
from saldo.kernel.ids import derived_id
from saldo.kernel.money import Money

LIVES = timedelta(days=7)
MOST_REASON = 300

# A credit note of more than this (with tax, minor units) takes two people; in other currencies every one does.
CREDIT_ALONE_MINOR: Mapping[str, int] = {"EUR": 50_000, "USD": 50_000, "GBP": 50_000, "CHF": 50_000}

MOVES: Mapping[ProposalState, frozenset[ProposalState]] = {
    ProposalState.ASKED: frozenset(
        {ProposalState.AGREED, ProposalState.DONE, ProposalState.REFUSED, ProposalState.WITHDRAWN}
    ),
    ProposalState.AGREED: frozenset({ProposalState.DONE}),
    **{s: frozenset() for s in (ProposalState.DONE, ProposalState.REFUSED, ProposalState.WITHDRAWN)},
}


def needs_second(amount: Money) -> bool:
    """Whether a credit note of this total takes a second person."""
    return amount.minor > CREDIT_ALONE_MINOR.get(amount.currency, -1)


def digest_of_wish(wish: Wish, asked_by: str) -> str:
    """The content's hash: the same for the same wish, another when anything agreed to differs."""
    said = {
        "owner": wish.owner_id,
        "kind": wish.kind.value,
        "subject": wish.subject_id,
        "content": dict(wish.content),
        "amount": [wish.amount.minor, wish.amount.currency] if wish.amount else None,
        "reason": wish.reason,
        "asked_by": asked_by,
    }
    return sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def proposed(wish: Wish, asked_by: str, now: datetime) -> Proposal:
    """The proposal of a wish. Refusal `reason_required`, `nobody_may_agree`."""
    if not wish.reason.strip() or len(wish.reason) > MOST_REASON:
        raise Refusal("reason_required", f"say why, in at most {MOST_REASON} characters")
    if not wish.may_agree:
        raise Refusal("nobody_may_agree", "a proposal names the roles that may agree to it")
    names = (wish.owner_id, wish.kind.value, wish.subject_id, asked_by, wish.request)
    return Proposal(
        id=derived_id("prop", now.date(), *names),
        owner_id=wish.owner_id,
        kind=wish.kind,
        subject_id=wish.subject_id,
        content=dict(wish.content),
        amount=wish.amount,
        reason=wish.reason,
        may_agree=wish.may_agree,
        asked_by=asked_by,
        asked_at=now,
        expires_at=now + LIVES,
        digest=digest_of_wish(wish, asked_by),
    )


def state_at(proposal: Proposal, now: datetime) -> ProposalState:
    is_over = proposal.state is ProposalState.ASKED and now >= proposal.expires_at
    return ProposalState.EXPIRED if is_over else proposal.state


def may_agree(proposal: Proposal, decider: Decider, now: datetime) -> bool:
    """Whether this person could be the second one."""
    is_open = state_at(proposal, now) is ProposalState.ASKED
    return is_open and decider.actor.id != proposal.asked_by and bool(decider.roles & proposal.may_agree)


def check_open(proposal: Proposal, seen: str, now: datetime) -> None:
    """Refusal `proposal_expired`, `proposal_decided`, `changed_meanwhile` (`seen` is the digest that was shown)."""
    state = state_at(proposal, now)
    if state is ProposalState.EXPIRED:
        raise Refusal("proposal_expired", "nobody decided on this in time; it can be asked again")
    if state is not ProposalState.ASKED:
        raise Refusal("proposal_decided", "someone has decided on this already")
    if seen != proposal.digest:
        raise Refusal("changed_meanwhile", "this is not what you saw; look at it again")


def check_second(proposal: Proposal, decider: Decider) -> None:
    """Refusal `own_proposal`, `role_may_not_agree`."""
    if decider.actor.id == proposal.asked_by:
        raise Refusal("own_proposal", "a second person decides on what you asked")
    if not decider.roles & proposal.may_agree:
        raise Refusal("role_may_not_agree", "your role may not decide on this")
