"""Decisions on disputes: what may be disputed, which cents are taken, what a change of state means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from saldo.disputes.model import (
    ACTIVE,
    MOVES,
    Claim,
    Dispute,
    DisputeState,
    InDispute,
    Message,
    Side,
    Standing,
    StateChange,
)
from saldo.kernel.errors import Problems, Refusal
from saldo.kernel.states import moved

MOST_WORDS, MOST_MESSAGES, MOST_OF_AN_INVOICE = 2000, 60, 20


def check_words(words: str) -> str:
    """The words without blanks around them; Refusal `invalid_dispute` for none or too many."""
    problems, said = Problems(), words.strip().replace("\r\n", "\n")
    if not said:
        problems.add("words", "words_required", "say what is wrong")
    if len(said) > MOST_WORDS:
        problems.add("words", "too_long", f"at most {MOST_WORDS} characters")
    problems.refuse_if_any("this cannot be said so", "invalid_dispute")
    return said


def taken(known: InDispute) -> Counter[str]:
    """Minor units by line that stand in some dispute, also in one that was decided: those cents are reopened, not
    disputed again. What was withdrawn is free."""
    found: Counter[str] = Counter()
    for one in known.disputes:
        if one.state is not DisputeState.WITHDRAWN:
            found.update(one.claim.lines)
    return found


def check_lines(lines: Mapping[str, int], on_invoice: Mapping[str, int], known: InDispute) -> None:
    """Refusal `invalid_dispute` naming each line at fault (`line.<id>`).

    on_invoice: what the lines came to, less what credit notes took back, in minor units.
    """
    problems, before = Problems(), taken(known)
    for line_id, minor in lines.items():
        whole = on_invoice.get(line_id)
        if whole is None or whole <= 0:
            problems.add(f"line.{line_id}", "unknown_line", "there is nothing to dispute on this line")
        elif minor <= 0:
            problems.add(f"line.{line_id}", "not_above_zero", "an amount is above zero")
        elif minor > whole:
            problems.add(f"line.{line_id}", "more_than_line", "this is more than the line comes to")
        elif minor > whole - before[line_id]:
            problems.add(f"line.{line_id}", "disputed_already", "so much of this line is in dispute already")
    problems.refuse_if_any("these lines cannot be disputed so", "invalid_dispute")


def check_claim(claim: Claim, left_minor: int, known: InDispute) -> None:
    """Refusal `invalid_dispute`. left_minor: of the invoice, with tax, after credit notes."""
    problems = Problems()
    others = [one for one in known.disputes if one.state is not DisputeState.WITHDRAWN]
    gross = sum(one.claim.gross_minor - one.credited_minor for one in others)
    if claim.gross_minor <= 0:
        problems.add("amount", "not_above_zero", "an amount is above zero")
    elif claim.gross_minor > left_minor:
        problems.add("amount", "more_than_invoice", "this is more than the invoice comes to")
    elif claim.gross_minor > left_minor - gross:
        problems.add("amount", "disputed_already", "so much of this invoice is in dispute already")
    if len(known.disputes) >= MOST_OF_AN_INVOICE:
        problems.add("amount", "too_many_disputes", f"an invoice has at most {MOST_OF_AN_INVOICE} disputes")
    problems.refuse_if_any("this cannot be disputed so", "invalid_dispute")


def into(dispute: Dispute, state: DisputeState, at: datetime) -> Dispute:
    """The dispute in another state; Refusal `dispute_decided` where no move leads there."""
    try:
        state = moved(MOVES, dispute.state, state)
    except Refusal as refusal:
        raise Refusal("dispute_decided", "this dispute has been decided meanwhile; look at it again") from refusal
    return replace(dispute, state=state, history=(*dispute.history, StateChange(at, state)))


def said(dispute: Dispute, side: Side, by: str, words: str, at: datetime) -> Dispute:
    """With one more message. What one side says is for the other to answer. Refusal `too_many_messages`."""
    if dispute.state not in ACTIVE:
        raise Refusal("dispute_decided", "this dispute has been decided; it can be reopened once")
    if len(dispute.messages) >= MOST_MESSAGES:
        raise Refusal("too_many_messages", f"a dispute has at most {MOST_MESSAGES} messages")
    new = with_message(dispute, side, by, words, at)
    turn = DisputeState.ANSWERED if side is Side.SELLER else DisputeState.OPEN
    return new if new.state in (turn, DisputeState.IN_CREDIT) else into(new, turn, at)


def with_message(dispute: Dispute, side: Side, by: str, words: str, at: datetime) -> Dispute:
    return replace(dispute, messages=(*dispute.messages, Message(at, side, by, check_words(words))))


def withdrawn(dispute: Dispute, at: datetime) -> Dispute:
    """Taken back by the customer: what it claimed may be disputed anew."""
    return into(dispute, DisputeState.WITHDRAWN, at)


def refused(dispute: Dispute, by: str, words: str, at: datetime) -> Dispute:
    """Refused by the seller, who says why."""
    return into(with_message(dispute, Side.SELLER, by, words, at), DisputeState.REFUSED, at)


def reopened(dispute: Dispute, by: str, words: str, at: datetime) -> Dispute:
    """Once. Refusal `reopened_before`, or `dispute_decided` where there is nothing left to decide."""
    if dispute.times_reopened:
        raise Refusal("reopened_before", "a dispute is reopened once; write to the seller")
    if not dispute.may_reopen:
        raise Refusal("dispute_decided", "there is nothing left of this dispute to decide on")
    new = into(with_message(dispute, Side.CUSTOMER, by, words, at), DisputeState.OPEN, at)
    return replace(new, times_reopened=1)


def credited(dispute: Dispute, note_id: str, minor: int, at: datetime) -> Dispute:
    """With what a credit note gave for it (above zero, with tax). Refusal `more_than_disputed`."""
    if not 0 < minor <= dispute.disputed_minor:
        raise Refusal("more_than_disputed", "a credit note for a dispute gives no more than is disputed")
    new = into(dispute, DisputeState.CREDITED, at)
    return replace(new, credited_minor=dispute.credited_minor + minor, credit_notes=(*dispute.credit_notes, note_id))


def with_standing(known: InDispute, dispute: Dispute) -> InDispute:
    """What the invoice's guard says once the dispute is as it is now."""
    ended_at = None if dispute.state in ACTIVE else dispute.history[-1].at
    when = (dispute.opened_at, ended_at)
    standing = Standing(dispute.id, dispute.state, dispute.claim, dispute.credited_minor, *when)
    others = tuple(one for one in known.disputes if one.dispute_id != dispute.id)
    return replace(known, disputes=(*others, standing))
