"""A session that was proven anew goes on under another token: whoever knew the old one is left with nothing."""

from __future__ import annotations

from urllib.parse import urlencode

from functions.portal import services
from saldo.access.records_people import regrant
from saldo.access.rules import digest_of
from saldo.storage.units import Unit
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser
from tests.functions.portal.conftest import Portal
from tests.functions.portal.test_passkeys import asked, holder

HOME = f"/accounts/{scenes.NORTH}"


def proven(portal: Portal, browser: Browser, **wrong: str) -> str:
    """By password and code, some time after signing in; where it leads."""
    browser.get(f"/session/prove?{urlencode({'next': HOME})}")
    sent = {"next": HOME, "password": scenes.PASSWORD, "code": portal.code(), **wrong}
    return browser.post("/session/prove", sent).location


def other(browser: Browser) -> Browser:
    """Somebody else who has the same cookie."""
    return Browser(browser.app, dict(browser.cookies), origin=browser.origin)


def test_a_proof_by_code_ends_the_token_that_was_known_before_it(portal: Portal) -> None:
    browser = portal.with_codes()
    thief, before = other(browser), browser.cookies["saldo"]
    portal.clock.advance(minutes=6)
    assert thief.get(HOME).status == 200
    assert proven(portal, browser) == HOME
    assert browser.cookies["saldo"] != before and browser.get(HOME).status == 200
    assert thief.get(HOME).location.startswith("/sign-in")
    assert services.store().get(f"session_{digest_of(before)}", "session") is None
    assert portal.region.store.get(portal.user_id("admin"), f"session#{digest_of(before)}") is None


def test_what_was_proven_holds_for_the_new_token(portal: Portal) -> None:
    browser = portal.with_codes()
    portal.clock.advance(minutes=6)
    proven(portal, browser)
    session = services.sessions().of_token(browser.cookies["saldo"])[0]
    assert session is not None and session.verified_at == portal.clock()
    profile = browser.get("/profile").text
    assert profile.count("this browser") == 1


def test_a_wrong_code_changes_no_token(portal: Portal) -> None:
    browser = portal.with_codes()
    before = browser.cookies["saldo"]
    portal.clock.advance(minutes=6)
    assert proven(portal, browser, code="000000") == "" and browser.cookies["saldo"] == before
    assert browser.get(HOME).status == 200


def test_a_form_that_lay_open_in_another_tab_can_still_be_sent(portal: Portal) -> None:
    browser = portal.with_codes()
    tab = browser.get("/profile")
    portal.clock.advance(minutes=6)
    proven(portal, browser)
    sent = {"language": "de", "form_key": tab.hidden()["form_key"]}
    assert browser.post("/profile/language", sent, key=False).status == 303


def test_the_token_is_told_even_when_what_was_asked_for_is_refused(portal: Portal) -> None:
    """The proof held, the command did not: the browser stays signed in."""
    browser = portal.with_codes()
    portal.clock.advance(minutes=6)
    browser.get(f"{HOME}/methods/add")
    before = browser.cookies["saldo"]
    sent = {"request_key": "form 1 of a method", "password": scenes.PASSWORD, "code": portal.code()}
    assert browser.post(f"{HOME}/methods/add", sent).status >= 400, "this gateway stores no methods"
    assert browser.cookies["saldo"] != before and browser.get(HOME).status == 200


def test_a_passkey_renews_the_token_too(portal: Portal) -> None:
    device, browser = holder(portal, "admin")
    portal.clock.advance(minutes=6)
    thief, before = other(browser), browser.cookies["saldo"]
    told = asked(browser, "/profile", "/session/passkey/ask")["get"]
    answer = browser.post("/session/prove", {"next": HOME, "passkey": device.get(told)})
    assert answer.location == HOME and browser.cookies["saldo"] != before
    assert thief.get(HOME).location.startswith("/sign-in") and browser.get(HOME).status == 200


def test_the_absolute_end_and_what_was_taken_stay(portal: Portal) -> None:
    browser = portal.with_codes()
    was = services.sessions().of_token(browser.cookies["saldo"])[0]
    portal.clock.advance(minutes=6)
    browser.get(f"{HOME}/payments.csv")
    proven(portal, browser)
    now = services.sessions().of_token(browser.cookies["saldo"])[0]
    assert was and now and now.began_at == was.began_at
    assert services.sessions().count_download(now) == 2


def test_rights_that_went_meanwhile_are_not_renewed(portal: Portal) -> None:
    browser = portal.with_codes()
    portal.clock.advance(minutes=6)
    user = portal.region.store.get(portal.user_id("admin"), "user")
    assert user is not None
    portal.region.store.write_one(regrant(Unit("grants"), user, (), portal.clock()))
    assert proven(portal, browser) == ""
    assert services.sessions().of_token(browser.cookies["saldo"])[0] is not None, "the old one lives until it ends"
