"""Coming in, staying in, going out."""

from __future__ import annotations

import pytest

from saldo.access.rules import FAILURE_FLOOR_S, MOST_FAILURES_OF_A_USER, digest_of
from tests.functions.portal import scenes
from tests.functions.portal.conftest import Portal
from tests.functions.portal.identity import totp

ADMIN = scenes.PEOPLE["admin"]


def test_a_right_password_opens_a_session_and_leads_to_the_page_asked_for(portal: Portal) -> None:
    browser = portal.browser()
    home = f"/accounts/{scenes.NORTH}/invoices"
    sent_away = browser.get(home)
    assert (sent_away.status, sent_away.location) == (303, f"/sign-in?next={home}")
    answer = browser.sign_in(ADMIN.email, scenes.PASSWORD, home)
    assert (answer.status, answer.location) == (303, home)
    assert browser.follow(answer).status == 200


def test_the_cookie_is_for_http_only_and_the_table_never_sees_its_token(portal: Portal) -> None:
    browser = portal.browser()
    answer = browser.sign_in(ADMIN.email, scenes.PASSWORD)
    cookie = next(c for c in answer.cookies_set if c.startswith("saldo="))
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie and "Domain" not in cookie
    token = browser.cookies["saldo"]
    stored = [str(item) for item in portal.access._store.scan()]
    assert not any(token in item for item in stored)
    assert any(digest_of(token) in item for item in stored)


def test_the_cookie_of_an_https_origin_is_bound_to_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    from functions.portal.cookies import Cookies

    cookie = Cookies("https://portal.example").kept("saldo", "x")
    assert cookie.startswith("__Host-saldo=x;") and "; Secure" in cookie


def test_unknown_address_and_wrong_password_read_and_last_the_same(portal: Portal) -> None:
    pages = []
    for email, password in ((ADMIN.email, "wrong"), ("nobody@nowhere.example", "wrong")):
        page = portal.browser().sign_in(email, password)
        pages.append((page.status, page.text.replace(email, "…")))
    first, second = ((status, _without_keys(text)) for status, text in pages)
    assert first == second and first[0] == 422
    assert len(portal.pauses) == 2 and all(0 < p <= FAILURE_FLOOR_S for p in portal.pauses)


def _without_keys(text: str) -> str:
    import re

    return re.sub(r'name="form_key" value="[^"]*"', "", text)


def test_a_token_planted_before_sign_in_is_worth_nothing_after(portal: Portal) -> None:
    browser = portal.browser()
    browser.cookies["saldo"] = "planted-by-someone-else-planted-by-someone"
    browser.sign_in(ADMIN.email, scenes.PASSWORD)
    assert browser.cookies["saldo"] != "planted-by-someone-else-planted-by-someone"
    thief = portal.browser()
    thief.cookies["saldo"] = "planted-by-someone-else-planted-by-someone"
    assert thief.get("/profile").status == 303


def test_each_sign_in_makes_a_new_token_and_ends_the_session_it_follows(portal: Portal) -> None:
    browser = portal.signed_in()
    old = browser.cookies["saldo"]
    browser.sign_in(ADMIN.email, scenes.PASSWORD)
    assert browser.cookies["saldo"] != old
    other = portal.browser()
    other.cookies["saldo"] = old
    assert other.get("/profile").status == 303


def test_a_session_ends_when_it_is_idle_and_lives_on_while_it_is_used(portal: Portal) -> None:
    browser = portal.signed_in()
    for _ in range(4):
        portal.clock.advance(minutes=25)
        assert browser.get("/profile").status == 200
    portal.clock.advance(minutes=31)
    assert browser.get("/profile").status == 303


def test_a_session_ends_after_twelve_hours_however_much_it_is_used(portal: Portal) -> None:
    browser = portal.signed_in()
    for _ in range(35):
        portal.clock.advance(minutes=20)
        assert browser.get("/profile").status == 200
    portal.clock.advance(minutes=25)
    assert browser.get("/profile").status == 303


def test_signing_out_ends_the_session_everywhere_the_token_went(portal: Portal) -> None:
    browser = portal.signed_in()
    copied = portal.browser()
    copied.cookies.update(browser.cookies)
    browser.get("/profile")
    assert browser.post("/sign-out", {}).location == "/sign-in"
    assert copied.get("/profile").status == 303


def test_a_user_sees_where_they_are_signed_in_and_can_end_it_but_nobody_elses(portal: Portal) -> None:
    first, second, other = portal.signed_in(), portal.signed_in(), portal.signed_in("viewer")
    page = first.get("/profile")
    digest = digest_of(second.cookies["saldo"])
    assert digest in page.text
    other.get("/profile")
    assert other.post("/profile/sessions/end", {"session": digest}).status == 404
    assert second.get("/profile").status == 200
    first.get("/profile")
    assert first.post("/profile/sessions/end", {"session": digest}).status == 303
    assert second.get("/profile").status == 303


def test_changing_grants_ends_the_sessions_that_carry_the_old_ones(portal: Portal) -> None:
    browser = portal.signed_in("viewer")
    viewer = scenes.PEOPLE["viewer"]
    portal.access.enrol(viewer, scenes.PASSWORD, scenes.CLERK)
    assert browser.get(f"/accounts/{scenes.NORTH}").status == 303


def test_too_many_failures_stop_even_the_right_password_for_known_and_unknown_alike(portal: Portal) -> None:
    for email in (ADMIN.email, "nobody@nowhere.example"):
        for _ in range(MOST_FAILURES_OF_A_USER):
            portal.solving(email, "wrong")
        page = portal.browser().sign_in(email, scenes.PASSWORD)
        assert "Too many attempts" in page.text
    portal.clock.advance(minutes=16)
    assert portal.browser().sign_in(ADMIN.email, scenes.PASSWORD).status == 303


def test_one_time_codes_are_set_up_and_then_asked_for(portal: Portal) -> None:
    browser = portal.signed_in()
    secret = _switched_on(portal, browser)
    fresh = portal.browser()
    asked = fresh.sign_in(ADMIN.email, scenes.PASSWORD)
    assert asked.status == 200 and "one-time code" in asked.text and "saldo" not in fresh.cookies
    wrong = fresh.post("/sign-in/answer", {**asked.hidden(), "reply": "000000"}, key=False)
    assert wrong.status == 422 and "saldo" not in fresh.cookies
    asked = fresh.sign_in(ADMIN.email, scenes.PASSWORD)
    code = totp(secret, portal.clock().timestamp())
    answer = fresh.post("/sign-in/answer", {**asked.hidden(), "reply": code}, key=False)
    assert answer.status == 303 and fresh.get("/profile").status == 200


def _switched_on(portal: Portal, browser: object) -> str:
    from tests.functions.portal.browser import Browser

    assert isinstance(browser, Browser)
    browser.get("/profile/codes")
    page = browser.post("/profile/codes", {"password": scenes.PASSWORD})
    assert "<svg" in page.text and page.status == 200
    secret = portal.identity.people[ADMIN.email].pending
    assert " ".join(secret[i : i + 4] for i in range(0, len(secret), 4)) in page.text
    state = page.hidden()["state"]
    wrong = browser.post("/profile/codes/confirm", {"state": state, "code": "000000"})
    assert wrong.status == 422
    code = totp(secret, portal.clock().timestamp())
    assert browser.post("/profile/codes/confirm", {"state": state, "code": code}).location == "/profile?done=totp"
    return secret


def test_a_set_up_begun_in_one_session_cannot_be_finished_in_another(portal: Portal) -> None:
    mine, other = portal.signed_in(), portal.signed_in("viewer")
    mine.get("/profile/codes")
    state = mine.post("/profile/codes", {"password": scenes.PASSWORD}).hidden()["state"]
    secret = portal.identity.people[ADMIN.email].pending
    other.get("/profile/codes")
    code = totp(secret, portal.clock().timestamp())
    assert other.post("/profile/codes/confirm", {"state": state, "code": code}).status == 422


def test_a_forgotten_password_is_renewed_by_code_and_unknown_addresses_look_the_same(portal: Portal) -> None:
    texts = []
    for email in (ADMIN.email, "nobody@nowhere.example"):
        browser = portal.browser()
        browser.get("/forgot-password")
        texts.append(_without_keys(browser.post("/forgot-password", {"email": email}).text.replace(email, "…")))
    assert texts[0] == texts[1] and set(portal.identity.mailed) == {ADMIN.email}
    browser = portal.browser()
    browser.get("/forgot-password")
    fields = {"email": ADMIN.email, "code": "123456", "password": "Another-Horse-8"}
    assert browser.post("/forgot-password/confirm", {**fields, "code": "1"}).status == 422
    assert browser.post("/forgot-password/confirm", {**fields, "password": "short"}).status == 422
    assert browser.post("/forgot-password/confirm", fields).location == "/sign-in?done=renewed"
    assert browser.sign_in(ADMIN.email, "Another-Horse-8").status == 303


@pytest.mark.parametrize(
    "path", ["https://evil.example", "//evil.example", "/\\evil.example", "/accounts//evil", "/sign-out"]
)
def test_no_other_site_can_be_the_next_page(portal: Portal, path: str) -> None:
    assert portal.browser().sign_in(ADMIN.email, scenes.PASSWORD, path).location == "/accounts"


def test_a_proof_that_does_not_hold_is_counted_wherever_it_is_asked_for(
    portal: Portal, capsys: pytest.CaptureFixture[str]
) -> None:
    browser = portal.browser()
    assert browser.sign_in(scenes.PEOPLE["admin"].email, "wrong").status == 422
    assert '"SignInsRefused": 1' in capsys.readouterr().out
    inside = portal.signed_in()
    assert '"SignInsRefused"' not in capsys.readouterr().out
    inside.get("/profile/codes")
    assert inside.post("/profile/codes", {"password": "wrong"}).status == 422
    assert '"SignInsRefused": 1' in capsys.readouterr().out
