"""Staff come in with a password and a code, always; what they may do is what it is at that moment."""

from __future__ import annotations

from datetime import timedelta

from saldo.access.model_staff import Staff
from saldo.access.rules import digest_of
from saldo.access.rules_staff import ABSOLUTE, IDLE, UNREVIEWED, UNUSED
from saldo.audit.model import job
from tests.contexts.sellers import ENTITY
from tests.functions.portal import scenes
from tests.functions.portal.conftest import Portal
from tests.functions.portal.identity import totp

HOME = f"/staff/{ENTITY}"


def test_a_password_alone_lets_nobody_in(portal: Portal) -> None:
    browser, email = portal.browser(), scenes.STAFF["analyst"][0].email
    form = browser.get(f"/staff/sign-in?next={HOME}/runs").hidden()
    asked = browser.post("/staff/sign-in", {**form, "email": email, "password": scenes.PASSWORD}, key=False)
    assert asked.status == 200 and "saldo-staff" not in browser.cookies and asked.hidden()["kind"] == "totp_setup"
    wrong = browser.post("/staff/sign-in/answer", {**asked.hidden(), "reply": "000000"}, key=False)
    assert wrong.status == 422 and "saldo-staff" not in browser.cookies
    reply = totp(asked.hidden()["secret"], portal.clock().timestamp())
    answer = browser.post("/staff/sign-in/answer", {**asked.hidden(), "reply": reply}, key=False)
    assert (answer.status, answer.location) == (303, f"{HOME}/runs")
    assert browser.follow(answer).status == 200


def test_a_provider_that_asks_for_no_code_lets_nobody_in(portal: Portal) -> None:
    from tests.functions.portal.identity import IdentityInMemory

    portal.staff._identity = IdentityInMemory(portal.clock, portal.staff_identity.people)
    browser = portal.browser()
    form = browser.get("/staff/sign-in").hidden()
    sent = {**form, "email": scenes.STAFF["analyst"][0].email, "password": scenes.PASSWORD}
    assert browser.post("/staff/sign-in", sent, key=False).status == 422


def test_unknown_and_wrong_read_the_same_and_are_limited(portal: Portal) -> None:
    seen = set()
    for email in ("nobody@x.example", scenes.STAFF["admin"][0].email):
        for _ in range(8):
            browser = portal.browser()
            form = browser.get("/staff/sign-in").hidden()
            page = browser.post("/staff/sign-in", {**form, "email": email, "password": "wrong"}, key=False)
        seen.add((page.status, page.text.count('class="errors"')))
        form = browser.get("/staff/sign-in").hidden()
        spent = browser.post("/staff/sign-in", {**form, "email": email, "password": scenes.PASSWORD}, key=False)
        assert spent.status == 422 and "15" in spent.text
    assert len(seen) == 1 and all(p > 0 for p in portal.pauses)


def test_the_table_knows_the_tokens_digest_only(portal: Portal) -> None:
    token = portal.staff_in("admin").cookies["saldo-staff"]
    stored = str(list(portal.region.store.scan()))
    assert token not in stored and token.partition(".")[2] not in stored and digest_of(token) in stored
    assert scenes.STAFF["admin"][0].email not in stored and "Ada Minz" not in stored


def test_a_session_ends_when_idle_and_after_a_day_of_work(portal: Portal) -> None:
    idle, busy = portal.staff_in("admin"), portal.staff_in("support")
    for _ in range(int(ABSOLUTE / IDLE) * 2 - 1):
        portal.clock.advance(minutes=7.5)
        assert busy.get(HOME).status == 200
    assert idle.get(HOME).status == 303
    portal.clock.advance(minutes=7.5)
    assert busy.get(HOME).status == 303


def test_signing_out_ends_the_session_for_good(portal: Portal) -> None:
    browser = portal.staff_in("admin")
    token = browser.cookies["saldo-staff"]
    browser.get(HOME)
    assert browser.post("/staff/sign-out", {}).location == "/staff/sign-in"
    browser.cookies["saldo-staff"] = token
    assert browser.get(HOME).status == 303


def test_a_role_taken_away_is_gone_with_the_next_page(portal: Portal) -> None:
    browser = portal.staff_in("support")
    staff_id = browser.cookies["saldo-staff"].partition(".")[0]
    assert browser.get(HOME).status == 200
    person = scenes.STAFF["support"][0]
    portal.staff.register(Staff(staff_id, "en", (), portal.clock()), person, job("tests"))
    assert browser.get(HOME).status == 404


def test_a_role_nobody_confirmed_lapses_and_who_stayed_away_stays_out(portal: Portal) -> None:
    browser = portal.staff_in("support")
    assert browser.get(HOME).status == 200
    portal.clock.advance(days=UNUSED.days + 1)
    form = portal.browser().get("/staff/sign-in")
    assert form.status == 200 and UNREVIEWED > UNUSED > timedelta(0)
    email = scenes.STAFF["support"][0].email
    fresh = portal.browser()
    hidden = fresh.get("/staff/sign-in").hidden()
    asked = fresh.post("/staff/sign-in", {**hidden, "email": email, "password": scenes.PASSWORD}, key=False)
    reply = totp(portal.staff_identity.people[email].secret, portal.clock().timestamp())
    assert fresh.post("/staff/sign-in/answer", {**asked.hidden(), "reply": reply}, key=False).status == 422
