"""Use cases of the support desk: ask, answer, take on, close; what waits, and what waited too long."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from saldo.access.notes import News, NoteKind, add_news
from saldo.accounts.model import Account, LegalEntity
from saldo.accounts.records import account_from, entity_from
from saldo.audit.model import Actor, AuditRecord, job
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock, instant_from, instant_text
from saldo.kernel.errors import NotFound, Unavailable
from saldo.kernel.ids import fingerprint
from saldo.storage.items import Item
from saldo.storage.sealing import Sealer
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.support import records, rules
from saldo.support.model import Asked, Message, Priority, SupportHours, Ticket, TicketState, Topic, WaitingTicket

_NEWS_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Question:
    """What a customer or staff for one writes. `id`: names the ticket for ever, so that a form sent twice asks once."""

    id: str
    topic: Topic
    subject: str
    text: str
    about: str = ""


class Support:
    """The support desk of one region's sellers; with a scoped store, of what that reaches."""

    def __init__(self, store: Store, sealer: Sealer, clock: Clock) -> None:
        self._store, self._sealer, self._clock = store, sealer, clock

    def ask(self, account_id: str, question: Question, actor: Actor) -> Ticket:
        """Open a ticket, or find the one that was opened by the same question. Refusal `invalid_ticket`; NotFound."""
        unit = Unit(f"ticket {question.id}")
        ticket = self.ask_in(unit, account_id, question, actor)
        return ticket if self._store.write_one(unit) is None else self.ticket(account_id, question.id)

    def ask_in(self, unit: Unit, account_id: str, question: Question, actor: Actor) -> Ticket:
        """The same in a unit that does something else, too: it fails where the ticket is there already."""
        rules.check_words(question.subject, question.text)
        account, entity, hours = self._desk(account_id)
        now = self._clock()
        wanted = rules.wants_answer(question.topic)
        priority = Priority.NORMAL if wanted else Priority.LOW
        ticket = Ticket(
            account_id,
            question.id,
            account.entity_id,
            account.organisation_id,
            question.topic,
            question.subject.strip(),
            question.about[:200],
            priority,
            TicketState.OPEN,
            actor.id,
            now,
            (Message(now, actor.id, actor.kind == "staff", question.text.strip()),),
            rules.due_after(now, priority, hours, entity.time_zone) if wanted else None,
        )
        self._told(unit.insert(records.ticket_item(ticket, self._sealer)), ticket, actor, "ticket.opened")
        records.count_asked(unit, ticket, self._store.get(*records.asked_key(ticket.entity_id, now)))
        return ticket

    def write(self, account_id: str, ticket_id: str, text: str, actor: Actor, *, by_staff: bool, seen: int) -> Ticket:
        """Add a message; staff's answers the customer, a customer's opens the ticket again. seen: how many messages the
        writer saw, so that a form sent twice writes once.

        Refusal `invalid_ticket`, `ticket_closed`, `too_many_messages`; NotFound.
        """
        rules.check_words("-", text)
        before = self.ticket(account_id, ticket_id)
        there = before.messages[seen : seen + 1]
        if there and (there[0].author_id, there[0].text) == (actor.id, text.strip()):
            return before
        _, entity, hours = self._desk(account_id)
        now = self._clock()
        due = rules.due_after(now, before.priority, hours, entity.time_zone)
        after = rules.written(before, Message(now, actor.id, by_staff, text.strip()), due)
        action = "ticket.answered" if by_staff else "ticket.written"
        unit = self._moved(before, after, actor, action)
        if by_staff:
            self._tell_asker(unit, after)
        return self._write(unit, after)

    def take(self, account_id: str, ticket_id: str, actor: Actor, priority: Priority | None = None) -> Ticket:
        """It is this member of staff's from now on; with another priority where one is named."""
        before = self.ticket(account_id, ticket_id)
        after = replace(before, assigned_to=actor.id, priority=priority or before.priority)
        return before if after == before else self._write(self._moved(before, after, actor, "ticket.taken"), after)

    def close(self, account_id: str, ticket_id: str, actor: Actor) -> Ticket:
        before = self.ticket(account_id, ticket_id)
        after = rules.closed(before)
        return before if after == before else self._write(self._moved(before, after, actor, "ticket.closed"), after)

    def escalate(self, entity_id: str) -> list[str]:
        """Make urgent what should have been answered by now; ids of all tickets that are late. Safe to repeat."""
        late, now = [], self._clock()
        for listed in self._store.query_all(records.tickets_agenda(entity_id), agenda=True, last=instant_text(now)):
            item = self._store.get(listed["pk"], listed["sk"])
            if item is None or not records.is_late(item, now):
                continue
            late.append(str(item["ticket_id"]))
            if not item["escalated_at"]:
                self._store.write_one(self._escalated(item, now))
        return late

    def _escalated(self, item: Item, now: datetime) -> Unit:
        """Without a key: whoever is told that a ticket waits need not read it. One that moved meanwhile is looked at
        again the next time."""
        raised = {"priority": Priority.URGENT.value, "assigned_to": ""}
        unit = Unit(f"ticket {item['ticket_id']}")
        changes = {"shown": item["shown"] | raised, "escalated_at": instant_text(now)}
        changes["version"] = int(item["version"]) + 1
        unit.update((item["pk"], item["sk"]), set=changes, when={"version": item["version"]})
        records.count_late(unit, item["entity_id"], instant_from(item["opened_at"]))
        actor, after = job("escalate_tickets"), {"priority": raised["priority"]}
        record = AuditRecord(item["pk"], now, actor, "ticket.escalated", item["ticket_id"], after=after)
        return unit.put(audit_item(record))

    def ticket(self, account_id: str, ticket_id: str) -> Ticket:
        item = self._store.get(*records.ticket_key(account_id, ticket_id))
        if item is None:
            raise NotFound("no such ticket")
        return records.ticket_from(item, self._sealer)

    def of_account(self, account_id: str, most: int = 100) -> list[Ticket]:
        """An account's tickets, the latest first."""
        page = self._store.query(account_id, prefix=records.PREFIX, limit=most, newest_first=True)
        return [records.ticket_from(item, self._sealer) for item in page.items]

    def waiting(self, entity_id: str, most: int = 100) -> list[WaitingTicket]:
        """What is not closed: first what is to be answered soonest, last what waits for the customer; one call."""
        page = self._store.query(records.tickets_agenda(entity_id), agenda=True, limit=most)
        return [records.waiting_from(row, self._sealer) for row in page.items]

    def asked(self, entity_id: str, months: int) -> list[Asked]:
        """What customers wrote about, the latest month first; one call."""
        page = self._store.query(entity_id, prefix=records.ASKED, limit=months, newest_first=True)
        return list(map(records.asked_from, page.items))

    def hours(self, entity_id: str) -> SupportHours:
        return records.hours_from(self._store.get(*records.hours_key(entity_id)))

    def set_hours(self, entity_id: str, hours: SupportHours, actor: Actor) -> None:
        """Support works so from now on; clocks that run stay. Refusal `invalid_hours` naming every field."""
        rules.check_hours(hours)
        before, after = records.hours_fields(self.hours(entity_id)), records.hours_fields(hours)
        record = AuditRecord(entity_id, self._clock(), actor, "support.hours_set", entity_id, before, after)
        unit = Unit(f"support {entity_id}").put(records.hours_item(entity_id, hours)).put(audit_item(record))
        self._store.write_one(unit)

    def _desk(self, account_id: str) -> tuple[Account, LegalEntity, SupportHours]:
        item = self._store.get(account_id, "account")
        if item is None:
            raise NotFound("no such account")
        account = account_from(item)
        keys = [(account.entity_id, "entity"), records.hours_key(account.entity_id)]
        found = self._store.get_many(keys)
        return account, entity_from(found[keys[0]]), records.hours_from(found.get(keys[1]))

    def _moved(self, before: Ticket, after: Ticket, actor: Actor, action: str) -> Unit:
        new = replace(after, version=before.version + 1)
        unit = Unit(f"ticket {after.id}")
        unit.put(records.ticket_item(new, self._sealer), when={"version": before.version})
        return self._told(unit, new, actor, action)

    def _write(self, unit: Unit, after: Ticket) -> Ticket:
        if self._store.write_one(unit) is not None:
            raise Unavailable("somebody else wrote at this moment; look again")
        return after

    def _told(self, unit: Unit, ticket: Ticket, actor: Actor, action: str) -> Unit:
        after = {"status": ticket.state.value, "priority": ticket.priority.value, "assigned_to": ticket.assigned_to}
        record = AuditRecord(ticket.account_id, self._clock(), actor, action, ticket.id, after=after)
        return unit.put(audit_item(record))

    def _tell_asker(self, unit: Unit, ticket: Ticket) -> None:
        """Mail to who asked, if they are still there; it says that there is an answer, not which."""
        now, note_id = self._clock(), f"note_{fingerprint(ticket.id, str(len(ticket.messages)))}"
        path = f"/accounts/{ticket.account_id}/help/{ticket.id}"
        news = News(note_id, NoteKind.TICKET_ANSWERED, path, now, now + _NEWS_FOR)
        add_news(unit, ticket.account_id, ticket.opened_by, news, self._store, self._sealer)
