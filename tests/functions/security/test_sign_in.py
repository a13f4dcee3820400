"""At the door: sessions that somebody else chose, addresses that somebody would like to know, proofs that wander."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from saldo.access.rules import FAILURE_FLOOR_S, form_key
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser, Page
from tests.functions.security.town import NORTH, Town

KNOWN, UNKNOWN = scenes.PEOPLE["viewer"].email, "nobody@kontor.example"
# Pages that take an address from anyone, and what else they are sent.
ASKED: dict[str, dict[str, str]] = {
    "/sign-in": {"password": "not the password"},
    "/forgot-password": {},
    "/forgot-password/confirm": {"code": "000000", "password": "Another-Horse-8"},
    "/sign-in/link": {},
    "/sign-in/organisation": {},
    "/staff/sign-in": {"password": "not the password"},
}
# Where something is mailed, who is known costs more: both wait for the same floor instead.
MAILING = {"/forgot-password", "/sign-in/link"}


def sent(town: Town, path: str, email: str) -> tuple[Page, Counter[str], Counter[str]]:
    """The answer, the calls to services, and the questions to the identity providers."""
    browser, asked = town.portal.browser(), Counter[str]()
    browser.get("/staff/sign-in" if path.startswith("/staff") else "/sign-in")
    with pytest.MonkeyPatch.context() as patch:
        for provider in (town.portal.identity, town.portal.staff_identity):
            for name in ("sign_in", "find", "forgot_password", "confirm_forgot"):
                patch.setattr(provider, name, counted(asked, name, getattr(provider, name)))
        with town.watch() as watch:
            page = browser.post(path, {"email": email, **ASKED[path]})
    return page, watch.calls, asked


def counted(asked: Counter[str], name: str, real: Any) -> Any:
    def call(*given: Any) -> Any:
        asked[name] += 1
        return real(*given)

    return call


def plain(page: Page, email: str) -> str:
    return re.sub(r'name="form_key" value="[^"]*"', "", page.text.replace(email, "…"))


@pytest.mark.parametrize("path", ASKED)
def test_whether_an_address_is_known_shows_in_no_answer_and_no_work(town: Town, path: str) -> None:
    """The same page, status and cookies; the same calls to the table, to keys and to the provider, or the same wait."""
    known = scenes.STAFF["analyst"][0].email if path.startswith("/staff") else KNOWN
    page, calls, asked = sent(town, path, known)
    waited = len(town.portal.pauses)
    other, others_calls, others_asked = sent(town, path, UNKNOWN)
    assert (page.status, plain(page, known)) == (other.status, plain(other, UNKNOWN))
    assert len(page.cookies_set) == len(other.cookies_set) and page.headers.keys() == other.headers.keys()
    assert asked == others_asked
    assert path in MAILING or calls == others_calls
    pauses = town.portal.pauses
    if path != "/sign-in/organisation":  # which looks nobody up
        assert (len(pauses), waited) == (2, 1) and all(0 < p <= FAILURE_FLOOR_S for p in pauses)


def test_a_session_that_somebody_else_chose_is_never_the_one_that_begins(town: Town) -> None:
    """Neither one made up, nor one of the page of signing in, nor the attacker's own."""
    attacker = town.portal.signed_in("payer")
    for planted in ("x" * 43, attacker.cookies["saldo"]):
        victim = town.portal.browser()
        victim.cookies["saldo"] = planted
        victim.sign_in(KNOWN, scenes.PASSWORD)
        assert victim.cookies["saldo"] not in (planted, victim.cookies.get("saldo-start"))
    browser = town.portal.browser()
    browser.get("/sign-in")
    start = browser.cookies["saldo-start"]
    browser.sign_in(KNOWN, scenes.PASSWORD)
    assert (
        "saldo-start" not in browser.cookies
        and browser.cookies["saldo"] != start
        and len(browser.cookies["saldo"]) >= 43
    )
    assert Browser(town.portal.app, {"saldo": start}).get("/profile").location.startswith("/sign-in")
    assert (
        Browser(town.portal.app, {"saldo-start": browser.cookies["saldo"]})
        .get("/profile")
        .location.startswith("/sign-in")
    )


def test_a_proof_given_in_one_session_is_none_in_another_of_the_same_person(town: Town) -> None:
    proven, portal = town.portal.with_codes("admin"), town.portal
    token = proven.cookies["saldo"]
    assert "One-time code" not in proven.post(f"/accounts/{NORTH}/invite/check", INVITED | own(proven), key=False).text
    portal.clock.advance(minutes=6)
    again = proven.post(f"/accounts/{NORTH}/invite/check", INVITED | own(proven), key=False)
    assert again.status == 200 and 'name="code"' in again.text and proven.cookies["saldo"] == token
    refused = proven.post(f"/accounts/{NORTH}/invite", INVITED | own(proven), key=False)
    assert refused.status == 422 and not portal.mail("invitation")


INVITED = {"email": "neu@kontor.example", "name": "Neu", "role": "viewer", "language": "en"}


def own(browser: Browser) -> dict[str, str]:
    return {"form_key": form_key(browser.cookies["saldo"])}


def test_signing_out_ends_this_session_and_no_other_and_takes_its_cookie(town: Town) -> None:
    here, elsewhere = town.portal.signed_in("viewer"), town.portal.signed_in("viewer")
    token = here.cookies["saldo"]
    page = here.post("/sign-out", own(here), key=False)
    assert any("saldo=;" in line and "Max-Age=0" in line for line in page.cookies_set)
    assert Browser(town.portal.app, {"saldo": token}).get("/profile").location.startswith("/sign-in")
    assert elsewhere.get("/profile").status == 200


def test_links_of_mail_open_nothing_that_is_not_theirs(town: Town) -> None:
    """Made up, cut, of another kind, of a record that is there."""
    fresh = town.portal.browser()
    fresh.get("/sign-in/link")
    fresh.post("/sign-in/link", {"email": KNOWN})
    (letter,) = town.portal.mail("sign_in_link")
    real = letter.url.rpartition("/")[2]
    forged = [
        f"{town.has[NORTH]['account_id']}.{town.has[NORTH]['invoice_id'].lower()}.{'A' * 43}",
        "x",
        real[:-1] + "A" * 2,
    ]
    for place in ("/pay", "/invitation", "/sign-in/link"):
        tried = [*forged, *([] if place == "/sign-in/link" else [real])]
        answers = set()
        for token in tried:
            with town.watch() as watch:
                page = town.portal.browser().get(f"{place}/{token}")
            answers.add((page.status, re.sub(r"[\w.-]{43,}|" + re.escape(token), "…", page.text)))
            assert not [key for key in watch.written if not key[0].startswith("attempts_")], place
        assert len({status for status, _ in answers}) == 1 and "Kontor" not in str(answers), place
