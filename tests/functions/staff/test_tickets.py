"""A customer asks, the desk answers, and neither sees what is the other's."""

from __future__ import annotations

import re

import pytest

from functions.portal import services
from saldo.recovery.sealed import OPENED_BY
from saldo.support import records
from saldo.support.service import Support
from tests.contexts.sellers import ENTITY
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser, Page
from tests.functions.portal.conftest import Portal

HOME, DESK = f"/accounts/{scenes.NORTH}", f"/staff/{ENTITY}"
ASKED = {"topic": "invoice", "subject": "A charge we do not know", "text": "What is line 3?\nWe never ordered it."}


def words_of(page: Page) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.text.split("<main")[1]).split())


def asking(portal: Portal, who: str = "payer", **changes: str) -> tuple[Browser, str]:
    """Somebody who has asked, and the ticket's id."""
    browser = portal.signed_in(who)
    form = browser.get(f"{HOME}/help?write=1").hidden()
    answer = browser.post(f"{HOME}/help", {"ticket": form["ticket"], **ASKED, **changes})
    assert answer.status == 303, answer.text
    return browser, answer.location.rpartition("/")[2]


def desk_path(ticket_id: str) -> str:
    return f"{DESK}/accounts/{scenes.NORTH}/tickets/{ticket_id}"


def test_a_question_is_asked_answered_mailed_of_and_settled(portal: Portal) -> None:
    payer, ticket_id = asking(portal)
    assert "Waits for an answer" in words_of(portal.signed_in("viewer").get(f"{HOME}/help"))
    clerk = portal.staff_in("support")
    queue = words_of(clerk.get(f"{DESK}/tickets"))
    assert "A charge we do not know" in queue and "An invoice, normal" in queue
    page = clerk.get(desk_path(ticket_id))
    assert "We never ordered it." in page.text
    answered = clerk.post(desk_path(ticket_id), {"seen": page.hidden()["seen"], "text": "It is the fee of October."})
    assert answered.location == desk_path(ticket_id), answer_of(answered)
    (letter,) = portal.mail("ticket_answered")
    assert letter.to == scenes.PEOPLE["payer"].email and letter.url.endswith(f"{HOME}/help/{ticket_id}")
    assert "October" not in letter.intro and "charge" not in letter.subject
    page = payer.get(f"{HOME}/help/{ticket_id}")
    assert "It is the fee of October." in page.text and "Verkäufer" in page.text and "Susi" not in page.text
    assert payer.post(f"{HOME}/help/{ticket_id}/close", {}).status == 303
    assert "A charge we do not know" not in clerk.get(f"{DESK}/tickets").text
    told = {i["action"] for i in services.store().query_all(scenes.NORTH, prefix="audit#")}
    assert {"ticket.opened", "ticket.answered", "ticket.closed"} <= told


def answer_of(page: Page) -> str:
    return words_of(page) if "<main" in page.text else page.text


def test_a_form_sent_twice_asks_and_answers_once(portal: Portal) -> None:
    payer, ticket_id = asking(portal)
    payer.get(f"{HOME}/help")
    assert payer.post(f"{HOME}/help", {"ticket": ticket_id, **ASKED}).location.endswith(ticket_id)
    for _ in range(2):
        payer.get(f"{HOME}/help/{ticket_id}")
        payer.post(f"{HOME}/help/{ticket_id}", {"seen": "1", "text": "Anybody there?"})
    desk = Support(services.store(), services.sealer(), services.clock)
    assert [m.text for m in desk.ticket(scenes.NORTH, ticket_id).messages][1:] == ["Anybody there?"]
    assert len(desk.of_account(scenes.NORTH)) == 1


def test_an_empty_message_says_what_to_do_and_keeps_what_was_typed(portal: Portal) -> None:
    browser = portal.signed_in("payer")
    form = browser.get(f"{HOME}/help?write=1").hidden()
    page = browser.post(f"{HOME}/help", {"ticket": form["ticket"], **ASKED, "subject": " "})
    assert page.status == 422 and 'href="#subject"' in page.text and "We never ordered it." in page.text
    assert page.hidden()["ticket"] == form["ticket"]


def test_feedback_carries_its_page_and_has_no_clock(portal: Portal) -> None:
    browser = portal.signed_in("viewer")
    link = re.search(r'href="([^"]+/help\?about=[^"]+)"', browser.get(f"{HOME}/invoices").text)
    assert link is not None
    page = browser.get(link[1])
    assert f'value="{HOME}/invoices"' in page.text and '<option value="feedback" selected>' in page.text
    browser.post(f"{HOME}/help", {**page.hidden(), **ASKED, "topic": "feedback"}, key=False)
    (ticket,) = Support(services.store(), services.sealer(), services.clock).of_account(scenes.NORTH)
    assert (ticket.about, ticket.answer_due_at) == (f"{HOME}/invoices", None)


def test_a_page_of_elsewhere_is_not_carried(portal: Portal) -> None:
    _, ticket_id = asking(portal, about="https://evil.example/")
    desk = Support(services.store(), services.sealer(), services.clock)
    assert desk.ticket(scenes.NORTH, ticket_id).about == ""


def test_who_may_not_answer_sees_and_does_not_write(portal: Portal) -> None:
    _, ticket_id = asking(portal)
    auditor = portal.staff_in("auditor")
    page = auditor.get(desk_path(ticket_id))
    assert page.status == 200 and "<textarea" not in page.text
    assert auditor.post(desk_path(ticket_id), {"seen": "1", "text": "Hello"}).status == 404
    stranger = portal.signed_in("stranger")
    assert stranger.get(f"{HOME}/help/{ticket_id}").status == 404
    assert stranger.get(f"/accounts/{scenes.OTHERS}/help/{ticket_id}").status == 404


def test_what_nobody_answers_becomes_urgent_and_stands_first(portal: Portal) -> None:
    _, first = asking(portal)
    clerk = portal.staff_in("support")
    clerk.get(desk_path(first))
    clerk.post(desk_path(first) + "/take", {"priority": "low"})
    assert "Susi Sand" in words_of(clerk.get(f"{DESK}/tickets"))
    portal.clock.advance(days=7)
    desk = Support(services.store(), services.sealer(), services.clock)
    assert desk.escalate(ENTITY) == [first] and desk.escalate(ENTITY) == [first]
    clerk = portal.staff_in("support")
    queue = words_of(clerk.get(f"{DESK}/tickets"))
    assert "An invoice, urgent" in queue and "Late" in queue and "Susi Sand" not in queue
    actions = [i["action"] for i in services.store().query_all(scenes.NORTH, prefix="audit#")]
    assert actions.count("ticket.escalated") == 1
    assert desk.ticket(scenes.NORTH, first).escalated_at is not None


def test_an_answer_to_what_was_settled_meanwhile_is_not_lost_without_a_word(portal: Portal) -> None:
    payer, ticket_id = asking(portal)
    clerk = portal.staff_in("support")
    page = clerk.get(desk_path(ticket_id))
    payer.get(f"{HOME}/help/{ticket_id}")
    payer.post(f"{HOME}/help/{ticket_id}/close", {})
    answer = clerk.post(desk_path(ticket_id), {"seen": page.hidden()["seen"], "text": "An answer"})
    assert answer.status == 422 and "It is settled" in answer.text


def test_words_of_tickets_lie_sealed(portal: Portal) -> None:
    _, ticket_id = asking(portal)
    found = list(services.store().scan())
    (ticket,) = [item for item in found if item["kind"] == "ticket"]
    assert OPENED_BY["ticket"](ticket, services.sealer()).subject == ASKED["subject"]
    items = repr(found)
    assert "never ordered" not in items and "do not know" not in items and ticket_id in items


def test_what_customers_write_about_is_counted_once_by_topic_page_and_month(portal: Portal) -> None:
    page = f"{HOME}/invoices/inv_20261101abc"
    payer, ticket_id = asking(portal, about=page)
    payer.post(f"{HOME}/help", {"ticket": ticket_id, **ASKED, "about": page})
    asking(portal, "viewer", topic="feedback", about=f"{HOME}/orders?page=2")
    (month,) = Support(services.store(), services.sealer(), portal.clock).asked(ENTITY, 6)
    assert month.topics == {"invoice": 1, "feedback": 1} and month.late == 0
    assert month.pages == {"/accounts/…/invoices/…": 1, "/accounts/…/orders": 1}
    portal.clock.advance(days=9)
    Support(services.store(), services.sealer(), portal.clock).escalate(ENTITY)
    Support(services.store(), services.sealer(), portal.clock).escalate(ENTITY)
    shown = words_of(portal.staff_in("analyst").get(f"{DESK}/tickets/asked"))
    assert "An invoice 1" in shown and "/accounts/…/orders 1" in shown and "Not answered in time 1" in shown


def test_whatever_pages_people_name_the_record_of_a_month_stays_small(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "MOST_PAGES", 2)
    for part in ("orders", "invoices", "made-up-1", "made-up-2", "orders"):
        asking(portal, topic="feedback", about=f"{HOME}/{part}")
    (month,) = Support(services.store(), services.sealer(), portal.clock).asked(ENTITY, 6)
    assert month.pages == {"/accounts/…/orders": 2, "/accounts/…/invoices": 1, "…": 2}
    assert month.topics == {"feedback": 5}
