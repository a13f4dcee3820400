"""Signing in by a link, the challenge before the lock, and what looks unusual."""

from __future__ import annotations

import re

import pytest

from functions.portal import services
from saldo.access.rules import CHALLENGE_AFTER_OF_A_USER, FAILURE_FLOOR_S
from saldo.audit.model import Actor
from tests.functions.portal import scenes
from tests.functions.portal.browser import ORIGIN, Browser, Page
from tests.functions.portal.conftest import Portal, solved

ADMIN, PAYER, VIEWER = (scenes.PEOPLE[who] for who in ("admin", "payer", "viewer"))


def asked(portal: Portal, email: str) -> tuple[Browser, Page]:
    browser = portal.browser()
    browser.get("/sign-in/link")
    return browser, browser.post("/sign-in/link", {"email": email})


def link(portal: Portal) -> str:
    return portal.mail("sign_in_link")[-1].url.removeprefix(ORIGIN)


def failed(portal: Portal, email: str) -> None:
    for _ in range(CHALLENGE_AFTER_OF_A_USER):
        portal.browser().sign_in(email, "wrong")


def puzzle_of(page: Page) -> str:
    found = re.search(r'data-puzzle="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


def test_a_link_signs_in_once_and_only_after_the_button(portal: Portal) -> None:
    browser, _ = asked(portal, ADMIN.email)
    path = link(portal)
    for _ in range(2):
        assert browser.get(path).status == 200
    assert browser.post(path, {}).location == "/accounts" and browser.get("/profile").status == 200
    browser.cookies.pop("saldo")
    browser.get("/sign-in")
    page = browser.post(path, {})
    assert page.status == 200 and "has been used" in page.text


def test_a_link_opens_nothing_in_another_browser_nor_later_nor_with_another_signature(portal: Portal) -> None:
    browser, _ = asked(portal, ADMIN.email)
    path, stranger = link(portal), portal.browser()
    stranger.get("/sign-in")
    assert "has been used" in stranger.post(path, {}).text
    browser.get("/sign-in")
    assert "has been used" in browser.post(path[:-2] + "AA", {}).text
    portal.clock.advance(minutes=15)
    browser.get("/sign-in")
    assert "has been used" in browser.post(path, {}).text
    assert "saldo" not in browser.cookies and "saldo" not in stranger.cookies


def test_known_unknown_and_suspended_addresses_read_and_last_the_same(portal: Portal) -> None:
    services.colleagues().suspend(scenes.NORTH, portal.user_id("viewer"), Actor("clerk", "staff"), "left")
    pages = set()
    for email in (ADMIN.email, "nobody@nowhere.example", VIEWER.email):
        _, page = asked(portal, email)
        pages.add((page.status, re.sub(r'value="[^"]*"', "", page.text.replace(email, "…"))))
    assert len(pages) == 1 and len(portal.mail("sign_in_link")) == 1
    assert len(portal.pauses) == 3 and all(0 < p <= FAILURE_FLOOR_S for p in portal.pauses)


@pytest.mark.parametrize("path", ["/sign-in/link", "/forgot-password"])
def test_mail_to_an_address_is_rationed_for_known_and_unknown_alike(portal: Portal, path: str) -> None:
    for email in (ADMIN.email, "nobody@nowhere.example"):
        statuses = []
        for _ in range(9):
            browser = portal.browser()
            browser.get(path)
            statuses.append(browser.post(path, {"email": email}).status)
        assert statuses == [200] * 8 + [422]
    assert len(portal.mail("sign_in_link")) in (0, 8)


def test_a_link_never_goes_round_one_time_codes(portal: Portal) -> None:
    portal.with_codes()
    asked(portal, ADMIN.email)
    assert portal.mail("sign_in_link") == []
    (letter,) = portal.mail("sign_in_with_code")
    assert letter.url == f"{ORIGIN}/sign-in" and letter.to == ADMIN.email


def test_after_some_failures_an_attempt_needs_an_answer_known_and_unknown_alike(portal: Portal) -> None:
    for email in (PAYER.email, "nobody@nowhere.example"):
        failed(portal, email)
        page = portal.browser().sign_in(email, scenes.PASSWORD)
        assert page.status == 200 and puzzle_of(page) and "/sign-in/link" in page.text
    assert portal.solving(PAYER.email, scenes.PASSWORD).status == 303


def test_an_answer_serves_one_attempt_of_one_address_in_one_browser(portal: Portal) -> None:
    failed(portal, PAYER.email)
    browser, other = portal.browser(), portal.browser()
    puzzle = puzzle_of(browser.sign_in(PAYER.email, "wrong"))
    fields = {"email": PAYER.email, "password": "wrong", "solution": solved(puzzle)}
    other.get("/sign-in")
    assert puzzle_of(other.post("/sign-in", fields)) != puzzle
    assert "not right" in browser.post("/sign-in", fields).text
    assert puzzle_of(browser.post("/sign-in", fields | {"password": scenes.PASSWORD})) != puzzle
    assert puzzle_of(browser.post("/sign-in", fields | {"solution": "-1; x"}))


def test_a_sign_in_from_a_new_browser_is_told_by_mail_and_on_the_next_page(portal: Portal) -> None:
    first = portal.signed_in("viewer")
    assert portal.mail("new_device") == []
    second = portal.signed_in("viewer")
    (letter,) = portal.mail("new_device")
    assert letter.to == VIEWER.email and letter.url == f"{ORIGIN}/profile"
    assert "also signed in on another browser" in second.get(f"/accounts/{scenes.NORTH}").text
    portal.clock.advance(minutes=3)
    assert "also signed in" not in second.get(f"/accounts/{scenes.NORTH}").text
    first.sign_in(VIEWER.email, scenes.PASSWORD)
    assert len(portal.mail("new_device")) == 1  # this browser is known


def unusual(portal: Portal) -> Page:
    """A new browser (20), at one in the night where the account is (10), after failures (20)."""
    portal.signed_in("viewer")
    portal.clock.advance(hours=15)
    failed(portal, VIEWER.email)
    return portal.solving(VIEWER.email, scenes.PASSWORD)


def test_an_unusual_sign_in_of_somebody_without_codes_goes_on_by_mail(portal: Portal) -> None:
    page = unusual(portal)
    assert page.status == 200 and "This sign-in is unusual" in page.text
    assert len(portal.mail("sign_in_link")) == 1


def test_a_sign_in_that_is_too_unusual_reads_like_any_other_no_and_is_counted(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("saldo.access.rules_risk.BLOCK_FROM", 50)
    page = unusual(portal)
    assert page.status == 422 and "not right" in page.text
    assert '"SignInsBlocked": 1' in capsys.readouterr().out
    told = portal.access._store.query_all(portal.user_id("viewer"), prefix="audit#")
    blocked = next(i for i in told if i["action"] == "sign_in.blocked")
    assert blocked["after"]["reasons"] == ["new_browser 20", "odd_hour 10", "failures 20"]
