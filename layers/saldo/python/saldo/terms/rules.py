"""Decisions on other terms: what may be asked for, and how a request moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from saldo.kernel.errors import Problems, Refusal
from saldo.kernel.states import moved
from saldo.terms.model import MOVES, Asked, TermsRequest, TermsState

MOST_DAYS = 120
MOST_LIMIT_MINOR = 10**12


def check_asked(asked: Asked, before: Asked, earlier: Sequence[TermsRequest]) -> None:
    """Refusal `invalid_terms_request` naming every problem."""
    problems = Problems()
    if asked.due != before.due and not (asked.due.is_days and 0 <= asked.due.days <= MOST_DAYS):
        problems.add("days", "out_of_range", f"from 0 to {MOST_DAYS} days")
    if not 0 <= asked.limit_minor <= MOST_LIMIT_MINOR:
        problems.add("limit", "out_of_range", "a limit is above zero")
    if asked == before:
        problems.add("days", "nothing_changes", "these are the terms that hold already")
    if any(one.state is TermsState.ASKED for one in earlier):
        problems.add("days", "asked_already", "a request waits already; take it back first")
    problems.refuse_if_any("these terms cannot be asked for", "invalid_terms_request")


def into(request: TermsRequest, state: TermsState, at: datetime, why_not: str = "") -> TermsRequest:
    """The request in another state; Refusal `terms_decided` where no move leads there."""
    try:
        state = moved(MOVES, request.state, state)
    except Refusal as refusal:
        raise Refusal("terms_decided", "this has been decided, or taken back; look at it again") from refusal
    return replace(request, state=state, decided_at=at, why_not=why_not, revision=request.revision + 1)
