"""Help before it is asked for: answers that fit a question, a walk for who comes first, a message about each page."""

from __future__ import annotations

import re

import pytest

from functions.portal.presenters.articles import articles_for, matching
from functions.portal.presenters.tour import tour_of
from functions.portal.words import LANGUAGES, Words
from saldo.access.model import Role, Seat
from tests.contexts.sellers import ENTITY
from tests.functions.portal import scenes
from tests.functions.portal.conftest import Portal

HOME = f"/accounts/{scenes.NORTH}"


def seat(role: Role = Role.ACCOUNT_ADMIN) -> Seat:
    return Seat(scenes.NORTH, role, "Kontor Nord GmbH", "EUR", ENTITY, "Europe/Berlin")


ASKED = {
    "en": {"how do I pay automatically": "autopay", "invoice is wrong": "wrong", "invite a colleague": "people"},
    "de": {"Rechnung automatisch zahlen": "autopay", "falsche Rechnung": "wrong", "Wo ist mein Beleg": "receipt"},
    "fr": {"payer automatiquement": "autopay", "releve de compte": "statement", "approuver un paiement": "approve"},
    "es": {"pagar automáticamente": "autopay", "extracto": "statement", "terminar la suscripcion": "plan"},
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_question_finds_its_answer_in_the_readers_language(language: str) -> None:
    words = Words(language)
    articles = articles_for(seat(), HOME, words)
    for question, name in ASKED[language].items():
        found = [article.title for article in matching(question, articles)]
        assert words(f"help.article.{name}") in found[:2], (question, found)
    assert matching("xylophone", articles) == () == matching("", articles)


def test_an_answer_leads_only_where_the_role_may_go() -> None:
    links = {role: {a.href for a in articles_for(seat(role), HOME, Words("en"))} for role in Role}
    assert f"{HOME}/people" in links[Role.ACCOUNT_ADMIN] and f"{HOME}/people" not in links[Role.PAYER]
    assert f"{HOME}/pay" not in links[Role.VIEWER] and "/profile/notifications" in links[Role.VIEWER]


def test_every_link_of_an_answer_opens(portal: Portal) -> None:
    browser = portal.signed_in()
    for article in articles_for(seat(), HOME, Words("en")):
        assert not article.href or browser.get(article.href).status == 200, article.href


def test_answers_come_before_the_form_and_the_question_is_not_typed_twice(portal: Portal) -> None:
    browser = portal.signed_in()
    first = browser.get(f"{HOME}/help").text
    assert 'name="q"' in first and 'name="subject"' not in first
    found = browser.get(f"{HOME}/help?q=autopay+debit").text
    assert found.index("How are invoices paid automatically?") < found.index('name="subject"')
    assert 'value="autopay debit"' in found.partition('name="subject"')[2][:200]
    assert "No answer fits" in browser.get(f"{HOME}/help?q=xylophone").text
    assert "<script" not in browser.get(f"{HOME}/help?q=%3Cscript%3E").text.partition("<main")[2]


@pytest.mark.parametrize("path", ["/profile", "/notifications", "/accounts?all=1", HOME, f"{HOME}/invoices"])
def test_every_page_leads_to_a_message_about_it(portal: Portal, path: str) -> None:
    browser = portal.signed_in()
    link = re.search(r'href="(/accounts/[a-z_]+/help\?about=[^"]+)"', browser.get(path).text)
    assert link and "About the page" in browser.get(link[1]).text


@pytest.mark.parametrize("role", Role)
def test_the_walk_has_at_most_five_steps_that_lead_on_and_back(role: Role) -> None:
    words, seen, step = Words("en"), [], tour_of("", seat(role), False, HOME, Words("en"))
    while step:
        seen.append(step.title)
        if not step.next:
            break
        following = tour_of(step.next.partition("tour=")[2], seat(role), False, HOME, words)
        assert following and following.back == (f"{HOME}?tour={len(seen)}")
        step = following
    assert 4 <= len(seen) == len(set(seen)) <= 5 and seen[0] == "Welcome" and seen[-1] == "Help"
    assert tour_of("99", seat(role), True, HOME, words) == tour_of("1", seat(role), False, HOME, words)


def test_the_walk_comes_by_itself_until_it_is_put_away_and_again_when_asked_for(portal: Portal) -> None:
    browser = portal.signed_in("payer")
    assert "Schritt 1 von 5" in browser.get(HOME).text
    assert "Schritt 2 von 5" in browser.get(f"{HOME}?tour=2").text
    assert browser.post("/profile/tour", {"next": HOME}).location == HOME
    assert "Schritt" not in browser.get(HOME).text and "Schritt 1 von 5" in browser.get(f"{HOME}?tour=1").text
    assert "Schritt" not in portal.signed_in("payer").get(HOME).text, "remembered for the user, not the browser"
    assert "Step 1 of 4" in portal.signed_in("viewer").get(HOME).text


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("autopay/rule", "How a rule works"),
        ("approvals", "When a payment needs approval"),
        ("pay/list", "What a list looks like"),
    ],
)
def test_hard_pages_explain_themselves(portal: Portal, path: str, hint: str) -> None:
    assert f"<summary>{hint}</summary>" in portal.signed_in().get(f"{HOME}/{path}").text


def test_a_page_cannot_name_a_topic_that_is_none(portal: Portal) -> None:
    form = portal.signed_in().get(f"{HOME}/help?topic=%22%3E&subject=%22%3E%3Cb%3E&write=1").text
    assert '<option value="question" selected' in form and "<b>" not in form.partition('name="subject"')[2][:60]
