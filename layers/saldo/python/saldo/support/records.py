"""How tickets lie in the table.

`<account>` / `ticket#<id>`: one ticket; subject and messages sealed. On the agenda `tickets#<entity>` while somebody
waits, under the instant by which it is to be answered (`~` where the customer is to write); the index carries what the
desk's list shows, the subject sealed by itself.
`<entity>` / `support`: when support works; without it, the default.
`<entity>` / `asked#<month>`: how many tickets of which topic and page were opened, how many were late.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from saldo.accounts.model import ERASED
from saldo.kernel.clock import instant_from, instant_text
from saldo.kernel.ids import is_id
from saldo.storage.items import Item, Key
from saldo.storage.sealing import Erased, Sealer
from saldo.storage.units import Unit
from saldo.support.model import Asked, Message, Priority, SupportHours, Ticket, TicketState, Topic, WaitingTicket

PREFIX, FIELDS, SUBJECT, ASKED = "ticket#", "ticket/1", "ticket_subject/1", "asked#"
# So many pages are counted apart in a month; whoever writes says which page it is, and may say anything.
MOST_PAGES = 100
_TOPIC, _PAGE, _LATE, _ELSEWHERE = "topic ", "page ", "late", "…"
LAST = "~"  # on the agenda behind every instant: the customer is to write


def ticket_key(account_id: str, ticket_id: str) -> Key:
    return account_id, PREFIX + ticket_id


def tickets_agenda(entity_id: str) -> str:
    return f"tickets#{entity_id}"


def ticket_item(ticket: Ticket, sealer: Sealer) -> Item:
    pk, sk = ticket_key(ticket.account_id, ticket.id)
    texts, subject = {"texts": [m.text for m in ticket.messages]}, {"subject": ticket.subject}
    item: Item = {
        "pk": pk,
        "sk": sk,
        "kind": "ticket",
        "account_id": ticket.account_id,
        "ticket_id": ticket.id,
        "entity_id": ticket.entity_id,
        "shown": {
            "organisation_id": ticket.organisation_id,
            "topic": ticket.topic.value,
            "priority": ticket.priority.value,
            "assigned_to": ticket.assigned_to,
            "sealed": sealer.seal(ticket.organisation_id, (pk, sk), SUBJECT, subject),
        },
        "about": ticket.about,
        "status": ticket.state.value,
        "opened_by": ticket.opened_by,
        "opened_at": instant_text(ticket.opened_at),
        "messages": [
            {"at": instant_text(m.at), "author_id": m.author_id, "by_staff": m.by_staff} for m in ticket.messages
        ],
        "answer_due_at": instant_text(ticket.answer_due_at) if ticket.answer_due_at else "",
        "escalated_at": instant_text(ticket.escalated_at) if ticket.escalated_at else "",
        "version": ticket.version,
        "sealed": sealer.seal(ticket.organisation_id, (pk, sk), FIELDS, texts),
    }
    return item | _agenda(ticket)


def _agenda(ticket: Ticket) -> Item:
    if ticket.state is TicketState.CLOSED:
        return {}
    on = instant_text(ticket.answer_due_at) if ticket.answer_due_at else LAST
    return {"agenda_pk": tickets_agenda(ticket.entity_id), "agenda_on": on}


def is_late(item: Item, now: datetime) -> bool:
    """As `Ticket.is_late`, without opening the record."""
    return bool(item["answer_due_at"]) and now >= instant_from(item["answer_due_at"])


def ticket_from(item: Item, sealer: Sealer) -> Ticket:
    """The ticket; Erased once the organisation's key is shredded."""
    shown = item["shown"]
    opened: dict[str, Any] = sealer.open(shown["organisation_id"], (item["pk"], item["sk"]), FIELDS, item["sealed"])
    messages = (
        Message(instant_from(m["at"]), m["author_id"], m["by_staff"], text)
        for m, text in zip(item["messages"], opened["texts"], strict=True)
    )
    return Ticket(
        account_id=item["pk"],
        id=item["ticket_id"],
        entity_id=item["entity_id"],
        organisation_id=shown["organisation_id"],
        topic=Topic(shown["topic"]),
        subject=_subject(item, sealer),
        about=item["about"],
        priority=Priority(shown["priority"]),
        state=TicketState(item["status"]),
        opened_by=item["opened_by"],
        opened_at=instant_from(item["opened_at"]),
        messages=tuple(messages),
        answer_due_at=instant_from(item["answer_due_at"]) if item["answer_due_at"] else None,
        assigned_to=shown["assigned_to"],
        escalated_at=instant_from(item["escalated_at"]) if item["escalated_at"] else None,
        version=int(item["version"]),
    )


def _subject(item: Item, sealer: Sealer) -> str:
    shown = item["shown"]
    opened: dict[str, str] = sealer.open(shown["organisation_id"], (item["pk"], item["sk"]), SUBJECT, shown["sealed"])
    return opened["subject"]


def waiting_from(row: Item, sealer: Sealer) -> WaitingTicket:
    """From the agenda; a subject whose key is shredded says so."""
    shown, due = row["shown"], row["agenda_on"]
    try:
        subject = _subject(row, sealer)
    except Erased:
        subject = ERASED
    return WaitingTicket(
        account_id=row["pk"],
        id=row["sk"].removeprefix(PREFIX),
        topic=Topic(shown["topic"]),
        subject=subject,
        priority=Priority(shown["priority"]),
        state=TicketState(row["status"]),
        answer_due_at=None if due == LAST else instant_from(due),
        assigned_to=shown["assigned_to"],
    )


def hours_key(entity_id: str) -> Key:
    return entity_id, "support"


def hours_item(entity_id: str, hours: SupportHours) -> Item:
    pk, sk = hours_key(entity_id)
    return {"pk": pk, "sk": sk, "kind": "support", **hours_fields(hours)}


def hours_fields(hours: SupportHours) -> dict[str, Any]:
    answers = {priority.value: number for priority, number in hours.answer_hours.items()}
    return {"opens": hours.opens, "closes": hours.closes, "answer_hours": answers}


def hours_from(item: Item | None) -> SupportHours:
    if item is None:
        return SupportHours()
    answers = {Priority(name): int(number) for name, number in item["answer_hours"].items()}
    return SupportHours(int(item["opens"]), int(item["closes"]), answers)


def asked_key(entity_id: str, at: datetime) -> Key:
    return entity_id, f"{ASKED}{at:%Y-%m}"


def count_asked(unit: Unit, ticket: Ticket, month: Item | None) -> Unit:
    """The ticket among those of its month, in the unit that opens it. month: the month's record, as read."""
    add = {_TOPIC + ticket.topic: 1}
    if ticket.about.startswith("/"):
        add[_counted_as(_PAGE + page_of(ticket.about), month or {})] = 1
    return unit.update(asked_key(ticket.entity_id, ticket.opened_at), set={"kind": "asked"}, add=add)


def _counted_as(page: str, month: Item) -> str:
    is_full = sum(name.startswith(_PAGE) for name in month) >= MOST_PAGES
    return _PAGE + _ELSEWHERE if is_full and page not in month else page


def count_late(unit: Unit, entity_id: str, opened_at: datetime) -> Unit:
    """A ticket of that month was not answered in time, in the unit that says so of it."""
    return unit.update(asked_key(entity_id, opened_at), set={"kind": "asked"}, add={_LATE: 1})


def page_of(address: str) -> str:
    """Which page it is, whoever's: `/accounts/…/invoices/…`."""
    parts = address.partition("?")[0].split("/")
    return "/".join("…" if is_id(part) else part for part in parts)


def asked_from(item: Item) -> Asked:
    def counts(prefix: str) -> dict[str, int]:
        return {name.removeprefix(prefix): int(n) for name, n in item.items() if name.startswith(prefix)}

    topics = {Topic(name): n for name, n in counts(_TOPIC).items()}
    return Asked(item["sk"].removeprefix(ASKED), topics, counts(_PAGE), int(item.get(_LATE, 0)))
