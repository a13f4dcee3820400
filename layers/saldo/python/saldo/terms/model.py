"""Other terms as a customer asks for them: days to pay, a credit limit; and what the seller decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from saldo.accounts.model_payment_terms import PaymentTerms


class TermsState(StrEnum):
    ASKED = "asked"
    AGREED = "agreed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


_T = TermsState
MOVES: Mapping[TermsState, frozenset[TermsState]] = {
    _T.ASKED: frozenset({_T.AGREED, _T.REFUSED, _T.WITHDRAWN}),
    **{state: frozenset() for state in (_T.AGREED, _T.REFUSED, _T.WITHDRAWN)},
}


class Why(StrEnum):
    """What a customer says when asking; a code, so that there is nothing personal in it."""

    GROWTH = "growth"
    USUAL = "usual"
    CASH = "cash"
    OTHER = "other"


class WhyNot(StrEnum):
    """What the seller says when refusing."""

    CREDIT = "credit"
    HISTORY = "history"
    TOO_MUCH = "too_much"
    CONTACT = "contact"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for. due: when to pay. limit_minor: the credit limit, in the account's currency;
    0 for none, which is also what accounts have that nobody gave one. Both as they are to be, changed or not."""

    due: PaymentTerms
    limit_minor: int


@dataclass(frozen=True, slots=True)
class TermsRequest:
    """`before`: what held when it was asked. `revision` rises with each change."""

    account_id: str
    id: str
    entity_id: str
    currency: str
    before: Asked
    asked: Asked
    why: Why
    state: TermsState
    asked_at: datetime
    asked_by: str
    decided_at: datetime | None = None
    why_not: str = ""
    revision: int = 1
