"""The support desk: asking, answering, taking on, closing, and what nobody answers."""

from __future__ import annotations

from datetime import timedelta

from saldo.audit.model import Actor
from saldo.support.model import Priority, SupportHours, TicketState, Topic
from saldo.support.service import Question, Support
from saldo.work.waiting import counted
from tests.simulation.region import ENTITY_ID, Region
from tests.simulation.workflows import invoke, workflow
from tests.simulation.workflows.letting_in import actor, peopled
from tests.simulation.workflows.papers import stream_of
from tests.simulation.workflows.scenes import CLERK, account_id

HERE, TICKET = account_id(0), "tkt_1"
STAFF = Actor("staff_eu_susi", "staff")


def desk(region: Region) -> Support:
    return Support(region.store, region.sealer(), region.clock)


@workflow("support: ask", prepare=peopled)
def ask(region: Region) -> None:
    question = Question(TICKET, Topic.INVOICE, "What is this?", "There is a charge that we do not know.")
    desk(region).ask(HERE, question, actor("payer"))


def asked(region: Region) -> None:
    peopled(region)
    ask(region)


@workflow("support: answer", prepare=asked)
def answer(region: Region) -> None:
    desk(region).write(HERE, TICKET, "It is the fee of January.", STAFF, by_staff=True, seen=1)


@workflow("support: count what waits", prepare=asked)
def count_what_waits(region: Region) -> None:
    """When the stream tells that a ticket came."""
    told = [one for one in stream_of(region) if one["dynamodb"]["Keys"]["sk"]["S"].startswith("ticket#")]
    invoke("audit.link", {"Records": [{"eventName": "INSERT", **one} for one in told]})
    with region.undisturbed():
        assert counted(region.store, region.clock, ENTITY_ID).numbers["tickets"] == 1


def answered(region: Region) -> None:
    asked(region)
    answer(region)


@workflow("support: write again", prepare=answered)
def write_again(region: Region) -> None:
    desk(region).write(HERE, TICKET, "Thank you. And the other one?", actor("payer"), by_staff=False, seen=2)


@workflow("support: take on", prepare=asked)
def take(region: Region) -> None:
    desk(region).take(HERE, TICKET, STAFF, Priority.URGENT)


@workflow("support: close", prepare=answered)
def close(region: Region) -> None:
    desk(region).close(HERE, TICKET, actor("payer"))
    with region.undisturbed():
        assert desk(region).ticket(HERE, TICKET).state is TicketState.CLOSED


def waited(region: Region) -> None:
    asked(region)
    region.now += timedelta(days=7)


@workflow("support: nobody answers", prepare=waited)
def escalate(region: Region) -> None:
    invoke("support.escalate_tickets", {})


@workflow("support: set hours", prepare=peopled)
def set_hours(region: Region) -> None:
    if desk(region).hours(ENTITY_ID).opens != 8:
        desk(region).set_hours(ENTITY_ID, SupportHours(opens=8), CLERK)
