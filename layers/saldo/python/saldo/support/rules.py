"""What becomes of a ticket, and the time that support has. No clock, no I/O."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta

from saldo.kernel.errors import Problems, Refusal
from saldo.kernel.periods import zone_named
from saldo.kernel.states import moved
from saldo.support.model import MOVES, Message, Priority, SupportHours, Ticket, TicketState, Topic

MOST_TEXT, MOST_SUBJECT, MOST_MESSAGES = 2_000, 120, 100
_SATURDAY = 5


def check_words(subject: str, text: str) -> None:
    """Refusal `invalid_ticket` naming every field."""
    problems = Problems()
    for name, value, most in (("subject", subject, MOST_SUBJECT), ("text", text, MOST_TEXT)):
        if not value.strip():
            problems.add(name, "missing", "is required")
        elif len(value) > most:
            problems.add(name, "too_long", f"at most {most} characters")
    problems.refuse_if_any("the ticket cannot be written so", "invalid_ticket")


def check_hours(hours: SupportHours) -> None:
    """Refusal `invalid_hours` naming every field."""
    problems = Problems()
    if not 0 <= hours.opens < hours.closes <= 24:
        problems.add("closes", "out_of_range", "support opens before it closes, from 0 to 24")
    for priority in Priority:
        if not 1 <= hours.answer_hours.get(priority, 0) <= 1_000:
            problems.add(f"answer_hours.{priority}", "out_of_range", "from 1 to 1,000 hours")
    problems.refuse_if_any("these cannot be the hours of a support desk", "invalid_hours")


def due_after(at: datetime, priority: Priority, hours: SupportHours, zone: str) -> datetime:
    """The instant at which so many hours of support have passed since `at`, nights and week-ends left out.

    Hours are those of the clock on the wall of the seller's zone: a day with a change of time has as many as any other.
    """
    left = timedelta(hours=hours.answer_hours[priority])
    here = zone_named(zone)
    local = at.astimezone(here).replace(tzinfo=None)
    while True:
        midnight = datetime.combine(local.date(), time())
        opens, closes = midnight + timedelta(hours=hours.opens), midnight + timedelta(hours=hours.closes)
        if local.weekday() < _SATURDAY and local < closes:
            begins = max(local, opens)
            if left <= closes - begins:
                return (begins + left).replace(tzinfo=here).astimezone(at.tzinfo)
            left -= closes - begins
        local = midnight + timedelta(days=1)


def written(ticket: Ticket, message: Message, due_at: datetime | None) -> Ticket:
    """The ticket with a message more. due_at: by when a customer's is to be answered. Refusal `too_many_messages`."""
    if len(ticket.messages) >= MOST_MESSAGES:
        raise Refusal("too_many_messages", f"a ticket has at most {MOST_MESSAGES} messages; open another")
    state = TicketState.ANSWERED if message.by_staff else TicketState.OPEN
    if message.by_staff and ticket.state is TicketState.CLOSED:
        raise Refusal("ticket_closed", "it is closed; the customer opens it again by writing")
    waiting = ticket.answer_due_at if ticket.state is TicketState.OPEN else None
    return replace(
        ticket,
        state=moved(MOVES, ticket.state, state),
        messages=(*ticket.messages, message),
        answer_due_at=None if message.by_staff else waiting or due_at,
        escalated_at=ticket.escalated_at if waiting and not message.by_staff else None,
        assigned_to=ticket.assigned_to or (message.author_id if message.by_staff else ""),
    )


def closed(ticket: Ticket) -> Ticket:
    """Nobody waits any more; the same when it is closed already."""
    if ticket.state is TicketState.CLOSED:
        return ticket
    state = moved(MOVES, ticket.state, TicketState.CLOSED)
    return replace(ticket, state=state, answer_due_at=None, escalated_at=None)


def wants_answer(topic: Topic) -> bool:
    return topic is not Topic.FEEDBACK
