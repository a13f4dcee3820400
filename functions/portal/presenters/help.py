"""Tickets as rows and as conversations, for customers and for staff."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from functions.portal.presenters.tags import Tag
from functions.portal.words import Words
from saldo.support.model import Message, Ticket, TicketState, Topic

TOPICS = tuple(topic.value for topic in Topic)
_TONES = {TicketState.OPEN: "wait", TicketState.ANSWERED: "open", TicketState.CLOSED: "over"}


@dataclass(frozen=True, slots=True)
class TicketRow:
    ticket_id: str
    subject: str
    on: str
    tag: Tag


@dataclass(frozen=True, slots=True)
class TicketView:
    """`messages`: as the part `thread` takes them. `seen`: how many there are."""

    ticket_id: str
    subject: str
    tag: Tag
    topic: str
    about: str
    messages: tuple[tuple[str, str, str, bool, tuple[str, ...]], ...]
    seen: int
    is_closed: bool


def ticket_rows(found: Sequence[Ticket], zone: str, words: Words) -> tuple[TicketRow, ...]:
    return tuple(
        TicketRow(t.id, t.subject, words.moment(t.messages[-1].at, zone), state_tag(t.state, words)) for t in found
    )


def ticket_view(ticket: Ticket, reader_id: str, zone: str, words: Words) -> TicketView:
    """As a customer reads it: staff are the seller, colleagues are colleagues."""

    def who(message: Message) -> str:
        if message.by_staff:
            return words("help.seller")
        return words("help.you") if message.author_id == reader_id else words("help.colleague")

    messages = ((who(m), words.moment(m.at, zone), m.text, not m.by_staff, ()) for m in ticket.messages)
    return _view(ticket, tuple(messages), words)


def desk_view(ticket: Ticket, names: Mapping[str, str], zone: str, words: Words) -> TicketView:
    """As staff read it: by name, their own to the right."""
    messages = (
        (names.get(m.author_id) or words("help.customer"), words.moment(m.at, zone), m.text, m.by_staff, ())
        for m in ticket.messages
    )
    return _view(ticket, tuple(messages), words)


def _view(
    ticket: Ticket, messages: tuple[tuple[str, str, str, bool, tuple[str, ...]], ...], words: Words
) -> TicketView:
    return TicketView(
        ticket.id,
        ticket.subject,
        state_tag(ticket.state, words),
        words(f"help.topic.{ticket.topic}"),
        ticket.about,
        messages,
        len(messages),
        ticket.state is TicketState.CLOSED,
    )


def state_tag(state: TicketState, words: Words) -> Tag:
    return Tag(_TONES[state], words(f"help.state.{state}"))
