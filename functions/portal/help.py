"""Help: answers to what people ask most, a message to the seller, and what was said."""

from __future__ import annotations

from functions.portal import services
from functions.portal.answers import Answer, see_other
from functions.portal.endpoint import Routes, roles
from functions.portal.forms import whole
from functions.portal.pages import page
from functions.portal.presenters.articles import articles_for, matching
from functions.portal.presenters.help import TOPICS, ticket_rows, ticket_view
from functions.portal.visit import Visit, safe_next
from saldo.access.rules import READERS
from saldo.kernel.errors import Refusal
from saldo.kernel.ids import check_id, new_id
from saldo.support.model import Topic
from saldo.support.service import Question, Support

routes = Routes("help")
_ONE = "/accounts/{account_id}/help/{ticket_id}"
_FIELDS = ("topic", "subject", "text", "about")


@routes.get("/accounts/{account_id}/help", roles(READERS))
def help_page(visit: Visit) -> Answer:
    return _shown(visit, [])


@routes.post("/accounts/{account_id}/help", roles(READERS))
def ask(visit: Visit) -> Answer:
    topic, ticket_id = visit.sent("topic"), check_id(visit.sent("ticket"), "tkt")
    if topic not in TOPICS:
        raise Refusal("invalid_form", "no such topic")
    question = Question(ticket_id, Topic(topic), visit.sent("subject"), visit.sent("text"), _about(visit.sent("about")))
    try:
        asked = _desk(visit).ask(visit.account.account_id, question, visit.actor)
    except Refusal as refusal:
        if refusal.code != "invalid_ticket":
            raise
        return _shown(visit, _told(visit, refusal))
    return see_other(f"{visit.home}/help/{asked.id}")


@routes.get(_ONE, roles(READERS))
def ticket(visit: Visit) -> Answer:
    return _ticket_page(visit, [])


@routes.post(_ONE, roles(READERS))
def write(visit: Visit) -> Answer:
    ticket_id = check_id(visit.params["ticket_id"], "tkt")
    try:
        _desk(visit).write(
            visit.account.account_id,
            ticket_id,
            visit.sent("text"),
            visit.actor,
            by_staff=False,
            seen=whole(visit.sent("seen")),
        )
    except Refusal as refusal:
        if refusal.code != "invalid_ticket":
            raise
        return _ticket_page(visit, _told(visit, refusal))
    return see_other(f"{visit.home}/help/{ticket_id}")


@routes.post(_ONE + "/close", roles(READERS))
def close(visit: Visit) -> Answer:
    ticket_id = check_id(visit.params["ticket_id"], "tkt")
    _desk(visit).close(visit.account.account_id, ticket_id, visit.actor)
    return see_other(f"{visit.home}/help/{ticket_id}")


def _desk(visit: Visit) -> Support:
    return Support(visit.records, services.sealer(), services.clock)


def _about(path: str) -> str:
    """A page of ours, and nothing else."""
    return path[:200] if path and safe_next(path) == path else ""


def _told(visit: Visit, refusal: Refusal) -> list[tuple[str, str]]:
    return [(p.field, visit.words(f"help.problem.{p.field}.{p.code}")) for p in refusal.problems]


def _shown(visit: Visit, problems: list[tuple[str, str]]) -> Answer:
    """Answers come before the form: who searched, comes from a page or insists, gets the form as well. A page may say
    `topic` and `subject` for its reader, who can change both."""
    t, sent = visit.words, {name: visit.sent(name) for name in _FIELDS}
    about, sought = _about(sent["about"] or visit.asked("about")), visit.asked("q")[:120]
    topic = visit.asked("topic") if visit.asked("topic") in TOPICS else "feedback" if about else "question"
    articles = articles_for(visit.account, visit.home, t)
    values = {
        "rows": ticket_rows(_desk(visit).of_account(visit.account.account_id), visit.account.time_zone, t),
        "sought": sought,
        "articles": matching(sought, articles) if sought else articles,
        "writes": bool(sought or about or problems or visit.asked("write")),
        "topics": [(topic, t(f"help.topic.{topic}")) for topic in TOPICS],
        "asked": sent
        | {
            "subject": sent["subject"] or sought or visit.asked("subject")[:120],
            "about": about,
            "topic": sent["topic"] or topic,
        },
        "ticket_id": visit.sent("ticket") or new_id("tkt", visit.now),
    }
    return page(visit, "help", status=422 if problems else 200, problems=problems, tab="help", **values)


def _ticket_page(visit: Visit, problems: list[tuple[str, str]]) -> Answer:
    found = _desk(visit).ticket(visit.account.account_id, check_id(visit.params["ticket_id"], "tkt"))
    view = ticket_view(found, visit.who.user_id, visit.account.time_zone, visit.words)
    typed = visit.sent("text") if problems else ""
    return page(visit, "ticket", status=422 if problems else 200, view=view, typed=typed, problems=problems, tab="help")
