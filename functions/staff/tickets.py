"""The support desk: what waits, first what is to be answered soonest; one ticket, answering, taking it on, closing."""

from __future__ import annotations

from collections import Counter
from typing import Any

from functions.portal.answers import Answer, see_other
from functions.portal.forms import whole
from functions.portal.presenters.help import desk_view, state_tag
from functions.portal.presenters.tags import Tag
from functions.staff import rules, services
from functions.staff.endpoint import Routes, staff
from functions.staff.pages import page
from functions.staff.reading import names_of
from functions.staff.tables import Row, Sheet, Table, columns
from functions.staff.visit import StaffVisit
from saldo.kernel.errors import Refusal
from saldo.kernel.ids import check_id
from saldo.support.model import Priority, Topic, WaitingTicket
from saldo.support.service import Support

routes = Routes("tickets")
MONTHS, MOST_PAGES = 6, 30
_ONE = "/staff/{entity_id}/accounts/{account_id}/tickets/{ticket_id}"


@routes.get("/staff/{entity_id}/tickets", staff(rules.READ))
def tickets(visit: StaffVisit) -> Answer:
    t, found = visit.words, _desk().waiting(visit.at.entity_id)
    accounts = names_of(visit, (x.account_id for x in found))
    names = services.names({x.assigned_to for x in found} - {""})
    rows = [_row(visit, x, accounts[x.account_id], names.get(x.assigned_to, "")) for x in found]
    names_of_columns = (t("help.subject"), t("column.account"), t("staff.answer_by") + "|day")
    heads = columns(*names_of_columns, t("column.status") + "|tag", t("staff.taken_by"))
    table = Table("tickets", t("staff.nav.tickets"), heads, rows, t("staff.nothing_waits"))
    view = Sheet(t("staff.nav.tickets"), t("staff.tickets_lead"), tables=(table,))
    return page(visit, "staff_tickets", tab="tickets", view=view)


@routes.get("/staff/{entity_id}/tickets/asked", staff(rules.READ))
def asked(visit: StaffVisit) -> Answer:
    """What customers write about, month by month, and from which pages: what to make clearer next."""
    t, found = visit.words, Support(visit.records, services.sealer(), services.clock).asked(visit.at.entity_id, MONTHS)
    topics = [
        Row((t(f"help.topic.{topic}"), *(str(one.topics.get(topic, 0)) for one in found)))
        for topic in Topic
        if any(topic in one.topics for one in found)
    ]
    topics += [Row((t("staff.asked_late"), *(str(one.late) for one in found)))] if found else []
    pages = sum((Counter(one.pages) for one in found), Counter[str]()).most_common(MOST_PAGES)
    heads = columns(t("help.topic"), *(f"{one.month}|money" for one in found))
    of_pages = columns(t("staff.about"), t("staff.count") + "|money")
    tables = (
        Table("topics", t("staff.asked_topics"), heads, topics, t("staff.asked_none")),
        Table("pages", t("staff.asked_pages"), of_pages, [Row((p, str(n))) for p, n in pages], t("staff.asked_none")),
    )
    above = ((t("staff.nav.tickets"), f"{visit.home}/tickets"),)
    view = Sheet(t("staff.asked"), t("staff.asked_lead"), above=above, tables=tables)
    return page(visit, "staff_sheet", tab="tickets", view=view)


def _row(visit: StaffVisit, ticket: WaitingTicket, account: str, taken_by: str) -> Row:
    t = visit.words
    due = t.moment(ticket.answer_due_at, visit.at.time_zone) if ticket.answer_due_at else ""
    tag = Tag("late", t("staff.answer_late")) if ticket.is_late(visit.now) else state_tag(ticket.state, t)
    note = f"{t(f'help.topic.{ticket.topic}')}, {t(f'staff.priority.{ticket.priority}')}"
    href = f"{visit.home}/accounts/{ticket.account_id}/tickets/{ticket.id}"
    return Row((ticket.subject, account, due, tag, taken_by), href, note)


@routes.get(_ONE, staff(rules.READ))
def ticket(visit: StaffVisit) -> Answer:
    return _ticket_page(visit, [])


@routes.post(_ONE, staff(rules.ANSWER_TICKETS))
def answer(visit: StaffVisit) -> Answer:
    try:
        _desk().write(*_ids(visit), visit.sent("text"), visit.actor, by_staff=True, seen=whole(visit.sent("seen")))
    except Refusal as refusal:
        if refusal.code not in ("invalid_ticket", "ticket_closed"):
            raise
        text = visit.words.known(f"refusal.{refusal.code}", "help.problem.text.missing")
        return _ticket_page(visit, [("text", text)])
    return see_other(_path(visit))


@routes.post(_ONE + "/take", staff(rules.ANSWER_TICKETS))
def take(visit: StaffVisit) -> Answer:
    wanted = visit.sent("priority")
    if wanted not in [p.value for p in Priority]:
        raise Refusal("invalid_form", "no such priority")
    _desk().take(*_ids(visit), visit.actor, Priority(wanted))
    return see_other(_path(visit))


@routes.post(_ONE + "/close", staff(rules.ANSWER_TICKETS))
def close(visit: StaffVisit) -> Answer:
    _desk().close(*_ids(visit), visit.actor)
    return see_other(f"{visit.home}/tickets")


def _desk() -> Support:
    return Support(services.store(), services.sealer(), services.clock)


def _ids(visit: StaffVisit) -> tuple[str, str]:
    return visit.customer["pk"], check_id(visit.params["ticket_id"], "tkt")


def _path(visit: StaffVisit) -> str:
    return f"{visit.account_home}/tickets/{visit.params['ticket_id']}"


def _ticket_page(visit: StaffVisit, problems: list[tuple[str, str]]) -> Answer:
    t, found = visit.words, _desk().ticket(*_ids(visit))
    names = services.names({m.author_id for m in found.messages if m.by_staff} | ({found.assigned_to} - {""}))
    view = desk_view(found, names, visit.at.time_zone, t)
    due = t.moment(found.answer_due_at, visit.at.time_zone) if found.answer_due_at else ""
    facts = [
        (t("column.account"), visit.customer["name"], (t("staff.customer"), visit.account_home)),
        (t("help.topic"), view.topic),
        (t("staff.about"), found.about),
        (t("staff.priority"), t(f"staff.priority.{found.priority}")),
        (t("staff.answer_by"), due),
        (t("staff.taken_by"), names.get(found.assigned_to, "")),
    ]
    priorities = [(p.value, t(f"staff.priority.{p}")) for p in Priority]
    values: dict[str, Any] = {"view": view, "facts": facts, "priorities": priorities, "priority": found.priority.value}
    values |= {"may_answer": visit.may(rules.ANSWER_TICKETS), "typed": visit.sent("text") if problems else ""}
    values |= {"problems": problems, "path": _path(visit)}
    return page(visit, "staff_ticket", tab="tickets", status=422 if problems else 200, **values)
