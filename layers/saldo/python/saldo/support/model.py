"""Tickets: what a customer asks, what the seller answers, and the clocks that run meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Topic(StrEnum):
    """What a ticket is about. FEEDBACK wants no answer, though it may have one."""

    QUESTION = "question"
    INVOICE = "invoice"
    PAYMENT = "payment"
    ORDER = "order"
    ACCOUNT = "account"
    FEEDBACK = "feedback"


class Priority(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    URGENT = "urgent"


class TicketState(StrEnum):
    """OPEN: the customer waits. ANSWERED: the seller does. CLOSED: neither, until the customer writes again."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


_S = TicketState
MOVES: Mapping[TicketState, frozenset[TicketState]] = {
    _S.OPEN: frozenset({_S.OPEN, _S.ANSWERED, _S.CLOSED}),
    _S.ANSWERED: frozenset({_S.OPEN, _S.ANSWERED, _S.CLOSED}),
    _S.CLOSED: frozenset({_S.OPEN}),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What customers of a seller wrote about in one month (`2026-11`): tickets by topic, by the page that they were
    written from (ids left out), and how many were not answered in time."""

    month: str
    topics: Mapping[Topic, int]
    pages: Mapping[str, int]
    late: int


@dataclass(frozen=True, slots=True)
class Message:
    """`by_staff`: the seller's; else the customer's. `text` is personal: sealed wherever it is stored."""

    at: datetime
    author_id: str
    by_staff: bool
    text: str


class Answerable:
    """What is to be answered by an instant, while somebody waits for it."""

    __slots__ = ()
    answer_due_at: datetime | None

    def is_late(self, now: datetime) -> bool:
        return self.answer_due_at is not None and now >= self.answer_due_at


@dataclass(frozen=True, slots=True)
class Ticket(Answerable):
    """One matter of an account, from its first message to the last.

    `about`: the page it was written from, or the id of what it is about. `answer_due_at`: by when the customer's last
    message is to be answered, while OPEN. `escalated_at`: when that had passed, for the message that waits now.
    """

    account_id: str
    id: str
    entity_id: str
    organisation_id: str
    topic: Topic
    subject: str
    about: str
    priority: Priority
    state: TicketState
    opened_by: str
    opened_at: datetime
    messages: tuple[Message, ...]
    answer_due_at: datetime | None
    assigned_to: str = ""
    escalated_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class WaitingTicket(Answerable):
    """A ticket that is not closed, as the desk's list shows it."""

    account_id: str
    id: str
    topic: Topic
    subject: str
    priority: Priority
    state: TicketState
    answer_due_at: datetime | None
    assigned_to: str


@dataclass(frozen=True, slots=True)
class SupportHours:
    """When a seller's support works, Monday to Friday in its own time zone, and within how many of these hours each
    message is answered."""

    opens: int = 9
    closes: int = 17
    answer_hours: Mapping[Priority, int] = field(
        default_factory=lambda: {Priority.LOW: 24, Priority.NORMAL: 8, Priority.URGENT: 2}
    )
