"""Clocks of tickets, and what becomes of a ticket."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saldo.kernel.errors import Refusal
from saldo.support.model import Message, Priority, SupportHours, Ticket, TicketState, Topic
from saldo.support.rules import check_hours, check_words, closed, due_after, written

HOURS, BERLIN = SupportHours(), "Europe/Berlin"
NOON = datetime(2026, 11, 25, 11, tzinfo=UTC)  # a Wednesday, 12:00 in Berlin
DUE = NOON + timedelta(days=1)


def said(by_staff: bool = False, at: datetime = NOON, text: str = "Hello") -> Message:
    return Message(at, "susi" if by_staff else "paul", by_staff, text)


def ticket(**changes: object) -> Ticket:
    asked = Ticket(
        *("acct_eu_1", "tkt_1", "ent_eu_1", "org_eu_1", Topic.QUESTION, "Hello", "", Priority.NORMAL, TicketState.OPEN),
        *("paul", NOON, (said(),), DUE),
    )
    return replace(asked, **changes)  # type: ignore[arg-type] # fields by name


@pytest.mark.parametrize(
    ("at", "hours", "due"),
    [
        ("2026-11-25T12:00", 2, "2026-11-25T14:00"),  # the same day
        ("2026-11-25T12:00", 5, "2026-11-25T17:00"),  # until the desk closes
        ("2026-11-25T12:00", 8, "2026-11-26T12:00"),  # overnight
        ("2026-11-27T16:30", 1, "2026-11-30T09:30"),  # over the week-end
        ("2026-11-28T10:00", 2, "2026-11-30T11:00"),  # from a Saturday
        ("2026-11-25T06:00", 1, "2026-11-25T10:00"),  # before it opens
        ("2026-11-25T22:00", 8, "2026-11-26T17:00"),  # after it closed
        ("2026-03-27T16:00", 2, "2026-03-30T10:00"),  # clocks go forward on the Sunday between
        ("2026-10-23T16:00", 2, "2026-10-26T10:00"),  # and back
    ],
)
def test_a_message_is_due_after_so_many_hours_of_the_desk(at: str, hours: int, due: str) -> None:
    from saldo.kernel.periods import zone_named

    here = zone_named(BERLIN)
    begun, ended = (datetime.fromisoformat(text).replace(tzinfo=here).astimezone(UTC) for text in (at, due))
    assert due_after(begun, Priority.NORMAL, replace(HOURS, answer_hours={Priority.NORMAL: hours}), BERLIN) == ended


@given(
    minutes=st.integers(0, 60 * 24 * 400),
    hours=st.integers(1, 200),
    opens=st.integers(0, 23),
    length=st.integers(1, 24),
    zone=st.sampled_from([BERLIN, "America/New_York", "Asia/Kolkata", "UTC"]),
)
def test_it_is_never_due_before_it_could_have_been_answered_nor_outside_of_hours(
    minutes: int, hours: int, opens: int, length: int, zone: str
) -> None:
    from saldo.kernel.periods import zone_named

    desk = SupportHours(opens, min(opens + length, 24), {Priority.NORMAL: hours})
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    due = due_after(at, Priority.NORMAL, desk, zone)
    local = due.astimezone(zone_named(zone))
    since_opening = local.hour * 60 + local.minute - desk.opens * 60
    assert due >= at + timedelta(hours=hours) - timedelta(hours=1)  # an hour may be lost on one day of the year
    at_midnight = local.hour == local.minute == 0
    assert at_midnight or (local.weekday() < 5 and -60 <= since_opening <= (desk.closes - desk.opens + 1) * 60)


def test_an_answer_stops_the_clock_and_the_customers_next_message_starts_it() -> None:
    answered = written(ticket(), said(by_staff=True), DUE)
    assert (answered.state, answered.answer_due_at, answered.assigned_to) == (TicketState.ANSWERED, None, "susi")
    again = written(answered, said(), DUE + timedelta(days=1))
    assert (again.state, again.answer_due_at) == (TicketState.OPEN, DUE + timedelta(days=1))


def test_further_messages_of_the_customer_do_not_push_the_answer_back() -> None:
    assert written(ticket(), said(), DUE + timedelta(days=1)).answer_due_at == DUE


def test_what_is_closed_is_opened_by_the_customer_and_by_nobody_else() -> None:
    over = closed(ticket())
    assert (over.state, over.answer_due_at) == (TicketState.CLOSED, None) and closed(over) is over
    assert written(over, said(), DUE).state is TicketState.OPEN
    with pytest.raises(Refusal) as no:
        written(over, said(by_staff=True), DUE)
    assert no.value.code == "ticket_closed"


def test_an_answer_ends_an_escalation_and_a_further_message_does_not() -> None:
    late = ticket(priority=Priority.URGENT, escalated_at=DUE)
    assert late.is_late(DUE) and not late.is_late(DUE - timedelta(seconds=1))
    assert written(late, said(), None).escalated_at == DUE
    answered = written(late, said(by_staff=True), DUE)
    assert (answered.escalated_at, answered.assigned_to, answered.is_late(DUE)) == (None, "susi", False)


def test_a_ticket_has_at_most_a_hundred_messages() -> None:
    with pytest.raises(Refusal) as no:
        written(ticket(messages=(said(),) * 100), said(), DUE)
    assert no.value.code == "too_many_messages"


def test_every_fault_of_words_and_hours_is_named() -> None:
    with pytest.raises(Refusal) as no:
        check_words(" ", "x" * 2_001)
    assert [(p.field, p.code) for p in no.value.problems] == [("subject", "missing"), ("text", "too_long")]
    with pytest.raises(Refusal) as no:
        check_hours(SupportHours(17, 9, {Priority.LOW: 0}))
    assert len(no.value.problems) == 4
    check_hours(HOURS)
