"""Sessions: their end, the warning before it, and signing out the others."""

from __future__ import annotations

import json

from tests.functions.portal import scenes
from tests.functions.portal.conftest import Portal

HOME = f"/accounts/{scenes.NORTH}"


def test_a_page_leads_to_the_warning_before_its_session_ends_with_and_without_script(portal: Portal) -> None:
    text = portal.signed_in().get(HOME).text
    assert f'<noscript><meta http-equiv="refresh" content="1500;url=/session/ending?next={HOME}"></noscript>' in text
    assert 'hidden data-ends="1800"' in text


def test_looking_at_the_warning_is_no_use_and_staying_begins_anew(portal: Portal) -> None:
    browser = portal.signed_in()
    portal.clock.advance(minutes=26)
    page = browser.get(f"/session/ending?next={HOME}/invoices")
    assert page.status == 200 and "11:00" in page.text  # Berlin, begun at half past ten
    assert "refresh" not in page.text
    answer = browser.post("/session/extend", {"next": f"{HOME}/invoices"})
    assert answer.location == f"{HOME}/invoices"
    portal.clock.advance(minutes=29)
    assert browser.get(HOME).status == 200
    portal.clock.advance(minutes=31)
    assert browser.get(HOME).location.startswith("/sign-in")


def test_the_warning_alone_keeps_nobody_signed_in(portal: Portal) -> None:
    browser = portal.signed_in()
    for _ in range(3):
        portal.clock.advance(minutes=10)
        last = browser.get("/session/ending")
    assert last.location.startswith("/sign-in")


def test_the_absolute_end_cannot_be_put_off(portal: Portal) -> None:
    browser = portal.signed_in()
    for _ in range(35):
        portal.clock.advance(minutes=20)
        assert browser.get("/profile/codes").status == 200
    portal.clock.advance(minutes=17)
    browser.get(HOME)
    answer = browser.post("/session/extend", {}, accept="application/json")
    assert json.loads(answer.text)["ends_s"] == 180
    browser.get(HOME)
    assert browser.post("/session/extend", {"next": HOME}).location.startswith("/session/ending")
    portal.clock.advance(minutes=3)
    assert browser.get(HOME).location.startswith("/sign-in")


def test_all_others_are_signed_out_at_once(portal: Portal) -> None:
    others = [portal.signed_in() for _ in range(3)]
    browser = portal.signed_in()
    browser.get("/profile")
    assert browser.post("/profile/sessions/end-others", {}).location == "/profile?done=others"
    assert all(other.get(HOME).location.startswith("/sign-in") for other in others)
    page = browser.get("/profile?done=others")
    assert page.status == 200 and "All other browsers" in page.text and "Sign out all others" not in page.text
