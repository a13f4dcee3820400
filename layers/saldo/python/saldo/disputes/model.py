"""What a customer says is wrong with an invoice: which lines, how much, why, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class DisputeReason(StrEnum):
    PRICE = "price"
    QUANTITY = "quantity"
    SERVICE = "service"
    NOT_RECEIVED = "not_received"
    DUPLICATE = "duplicate"
    CANCELLED = "cancelled"
    TAX = "tax"
    OTHER = "other"


class DisputeState(StrEnum):
    """OPEN: the seller is to act. ANSWERED: the customer is. IN_CREDIT: a second person
    is to agree to a credit note."""

    OPEN = "open"
    ANSWERED = "answered"
    IN_CREDIT = "in_credit"
    CREDITED = "credited"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Side(StrEnum):
    CUSTOMER = "customer"
    SELLER = "seller"


ACTIVE = frozenset({DisputeState.OPEN, DisputeState.ANSWERED, DisputeState.IN_CREDIT})

_DECIDED = frozenset({DisputeState.IN_CREDIT, DisputeState.CREDITED, DisputeState.REFUSED})
MOVES: Mapping[DisputeState, frozenset[DisputeState]] = {
    DisputeState.OPEN: frozenset({DisputeState.ANSWERED, DisputeState.WITHDRAWN}) | _DECIDED,
    DisputeState.ANSWERED: frozenset({DisputeState.OPEN, DisputeState.WITHDRAWN}) | _DECIDED,
    # What a second person did not agree to is decided otherwise, or asked again.
    DisputeState.IN_CREDIT: _DECIDED,
    DisputeState.CREDITED: frozenset({DisputeState.OPEN}),
    DisputeState.REFUSED: frozenset({DisputeState.OPEN}),
    DisputeState.WITHDRAWN: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Claim:
    """What is disputed of one invoice. `lines`: minor units by line id, before tax, as on the invoice; empty where the
    invoice as such is disputed. `gross_minor`: what that comes to with its tax and less its discounts."""

    gross_minor: int
    lines: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """One of the thread; its words are sealed."""

    at: datetime
    side: Side
    by: str
    words: str


@dataclass(frozen=True, slots=True)
class StateChange:
    at: datetime
    state: DisputeState


@dataclass(frozen=True, slots=True)
class Dispute:
    """One dispute of one invoice. Amounts in minor units of the invoice's currency.

    `credited_minor`: what credit notes gave for it, with tax. `credit_notes`: their ids, oldest first. `opened_by`: the
    user. `revision` rises with each change. `messages` are empty where the words were not asked for.
    """

    account_id: str
    id: str
    organisation_id: str
    entity_id: str
    invoice_id: str
    number: str
    currency: str
    reason: DisputeReason
    claim: Claim
    state: DisputeState
    opened_at: datetime
    opened_by: str
    history: tuple[StateChange, ...]
    messages: tuple[Message, ...] = ()
    credited_minor: int = 0
    credit_notes: tuple[str, ...] = ()
    times_reopened: int = 0
    revision: int = 1

    @property
    def disputed_minor(self) -> int:
        """What is in dispute now: nothing once it is decided."""
        return self.claim.gross_minor - self.credited_minor if self.state in ACTIVE else 0

    @property
    def may_reopen(self) -> bool:
        """Once, where the customer did not get all of it."""
        decided = self.state in (DisputeState.CREDITED, DisputeState.REFUSED)
        return decided and not self.times_reopened and self.credited_minor < self.claim.gross_minor


@dataclass(frozen=True, slots=True)
class Standing:
    """A dispute as the guard of its invoice knows it. `opened_at` is None in records of before it was noted; `ended_at`
    while it is active."""

    dispute_id: str
    state: DisputeState
    claim: Claim
    credited_minor: int = 0
    opened_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def disputed_minor(self) -> int:
        return self.claim.gross_minor - self.credited_minor if self.state in ACTIVE else 0


@dataclass(frozen=True, slots=True)
class InDispute:
    """All disputes of one invoice. The cents of a line are in one of them at most; `revision` is 0 without any."""

    invoice_id: str
    disputes: tuple[Standing, ...] = ()
    revision: int = 0

    @property
    def minor(self) -> int:
        """In dispute now, by all of them."""
        return sum(one.disputed_minor for one in self.disputes)
