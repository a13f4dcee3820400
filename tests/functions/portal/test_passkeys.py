"""Passkeys: made after a proof, signing in and proving again, and everything an authenticator may answer wrongly."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from functions.portal import services
from saldo.access.model import Role, UserStatus
from saldo.access.passkeys import MOST_PASSKEYS
from saldo.access.rules import needs_step_up
from saldo.audit.model import job
from saldo.kernel.money import Money
from saldo.recovery.sealed import OPENED_BY
from tests.functions.portal import scenes
from tests.functions.portal.authenticator import BE, BS, UP, UV, Authenticator
from tests.functions.portal.browser import ORIGIN, Browser, Page
from tests.functions.portal.conftest import Portal
from tests.functions.portal.organisations import federated, user_pool

ADMIN, VIEWER = scenes.PEOPLE["admin"], scenes.PEOPLE["viewer"]
NO = "This passkey did not work"


def asked(browser: Browser, page: str, path: str, **fields: str) -> dict[str, Any]:
    """What the script is told on a page; the page stays the one seen."""
    seen = browser.get(page)
    answer = browser.post(path, fields, accept="application/json")
    browser.page = seen
    return dict(json.loads(answer.text))


def made(browser: Browser, device: Authenticator, name: str = "Notebook", **proof: str) -> Page:
    told = asked(browser, "/profile/passkeys/new", "/profile/passkeys/ask", **proof)
    return browser.post("/profile/passkeys", {"passkey": device.create(told["create"]), "name": name})


def signed_in(portal: Portal, device: Authenticator, browser: Browser | None = None) -> tuple[Browser, Page]:
    browser = browser or portal.browser()
    told = asked(browser, "/sign-in", "/sign-in/passkey/ask")["get"]
    return browser, browser.post("/sign-in/passkey", {"passkey": device.get(told)})


def holder(portal: Portal, who: str = "viewer", device: Authenticator | None = None) -> tuple[Authenticator, Browser]:
    device, browser = device or Authenticator(), portal.signed_in(who)
    assert made(browser, device, password=scenes.PASSWORD).location == "/profile?done=passkey"
    return device, browser


def actions(portal: Portal, who: str = "viewer") -> list[str]:
    return [i["action"] for i in portal.access._store.query_all(portal.user_id(who), prefix="audit#")]


def test_a_passkey_signs_in_without_an_address_and_proves_two_things_at_once(portal: Portal) -> None:
    device, _ = holder(portal, "admin")
    browser = portal.browser()
    told = asked(browser, "/sign-in", "/sign-in/passkey/ask")["get"]
    assert told["userVerification"] == "required" and not told.get("allowCredentials") and told["rpId"] == "localhost"
    page = browser.post("/sign-in/passkey", {"passkey": device.get(told), "next": "/profile"})
    assert (page.status, page.location) == (303, "/profile") and "Rieke Harms" in browser.get("/profile").text
    browser.get(f"/accounts/{scenes.NORTH}/invite")
    fields = {"email": "neu@kontor.example", "name": "Neu", "role": "viewer", "language": "en"}
    assert "Use a passkey" not in browser.post(f"/accounts/{scenes.NORTH}/invite/check", fields).text
    assert browser.post(f"/accounts/{scenes.NORTH}/invite", fields).status == 303


def test_a_key_is_made_only_after_a_proof_and_found_without_a_name(portal: Portal) -> None:
    browser = portal.signed_in("viewer")
    refused = asked(browser, "/profile/passkeys/new", "/profile/passkeys/ask", password="wrong")
    assert refused == {"title": "E-mail address or password is not right"}
    told = asked(browser, "/profile/passkeys/new", "/profile/passkeys/ask", password=scenes.PASSWORD)["create"]
    chosen = told["authenticatorSelection"]
    assert (chosen["residentKey"], chosen["userVerification"]) == ("required", "required")
    assert told["rp"]["id"] == "localhost" and told["user"]["name"] == VIEWER.email


def test_who_has_codes_proves_by_them_before_the_first_key(portal: Portal) -> None:
    browser = portal.with_codes("viewer")
    portal.clock.advance(minutes=10)
    path = "/profile/passkeys/new", "/profile/passkeys/ask"
    assert "title" in asked(browser, *path, password=scenes.PASSWORD)
    assert made(browser, Authenticator(), password=scenes.PASSWORD, code=portal.code()).status == 303


def test_a_passkey_takes_the_place_of_password_and_code_where_a_proof_is_asked_for(portal: Portal) -> None:
    device, browser = holder(portal, "admin")
    portal.clock.advance(minutes=10)
    place = f"/accounts/{scenes.NORTH}/people/{portal.user_id('viewer')}"
    browser.get(place)
    page = browser.post(f"{place}/check", {"act": "payer"})
    assert "Use a passkey" in page.text and 'name="password"' not in page.text
    assert NO in browser.post(place, {"act": "payer", "passkey": "{}"}).text
    told = asked(browser, "/profile", "/session/passkey/ask")["get"]
    assert len(told["allowCredentials"]) == 1
    answer = device.get(told)
    assert browser.post(place, {"act": "payer", "passkey": answer}).location.endswith("done=changed")
    portal.clock.advance(minutes=6)
    browser.get(place)
    assert NO in browser.post(place, {"act": "viewer", "passkey": answer}).text  # used up


def test_a_large_payment_asks_for_the_passkey(portal: Portal) -> None:
    _, browser = holder(portal, "admin")
    portal.clock.advance(minutes=10)
    browser.get(f"/accounts/{scenes.NORTH}")
    session = services.sessions().of_token(browser.cookies["saldo"])[0]
    assert session is not None and needs_step_up(session, Money(1_000_000, "EUR"), portal.clock())


def test_what_was_signed_elsewhere_or_without_the_user_opens_nothing(portal: Portal) -> None:
    device, browser = holder(portal)
    cases: list[dict[str, Any]] = [
        {"origin": "https://evil.example"},
        {"origin": f"{ORIGIN}.evil.example"},
        {"origin": "http://localhost:9999"},
        {"rp_id": "evil.example"},
        {"flags": UP},
        {"flags": UV},
        {"framed": True},
    ]
    for changes in cases:
        wrong = replace(device, keys=[*device.keys], **changes)
        assert NO in signed_in(portal, wrong)[1].text, changes
        assert made(browser, wrong, "x").status == 422, changes
        assert signed_in(portal, device)[1].status == 303


def test_a_challenge_works_once_for_who_asked_for_what_and_not_late(portal: Portal) -> None:
    device, browser = holder(portal)
    other, third = portal.browser(), portal.browser()
    told = asked(third, "/sign-in", "/sign-in/passkey/ask")["get"]
    answer = device.get(told)
    other.get("/sign-in")
    assert NO in other.post("/sign-in/passkey", {"passkey": answer}).text  # of another browser
    assert third.post("/sign-in/passkey", {"passkey": answer}).status == 303
    third.get("/sign-in")
    assert NO in third.post("/sign-in/passkey", {"passkey": answer}).text  # again
    for_proof = asked(browser, "/profile", "/session/passkey/ask")["get"]
    other.get("/sign-in")
    assert NO in other.post("/sign-in/passkey", {"passkey": device.get(for_proof)}).text  # for something else
    late = device.get(asked(other, "/sign-in", "/sign-in/passkey/ask")["get"])
    portal.clock.advance(minutes=5)
    assert NO in other.post("/sign-in/passkey", {"passkey": late}).text


def test_a_challenge_is_worth_nothing_for_anything_else(portal: Portal) -> None:
    """To add a key takes a proof; what was asked for in order to prove must not stand in for that."""
    _, browser = holder(portal)
    told = asked(browser, "/profile", "/session/passkey/ask")["get"]
    device = Authenticator()
    answer = device.create({**told, "user": {"id": "dXNlcg"}})
    browser.get("/profile/passkeys/new")
    assert browser.post("/profile/passkeys", {"passkey": answer, "name": "x"}).status == 422


def test_unknown_wrong_and_broken_answers_read_the_same_and_none_is_quicker(portal: Portal) -> None:
    device, _ = holder(portal)
    stranger = Authenticator(keys=[replace(device.keys[0], id=b"another" * 4)])
    nobody = Authenticator(keys=[replace(device.keys[0], user="dXNlcl9ldV9ub2JvZHk")])
    told, texts = {}, set()
    for answer in (stranger, nobody, None, "", "{}", "[1]", "[" * 9000, '{"response": {"clientDataJSON": 1}}'):
        browser = portal.browser()
        told = asked(browser, "/sign-in", "/sign-in/passkey/ask")["get"]
        sent = answer.get(told) if isinstance(answer, Authenticator) else answer or ""
        if answer is None:  # signed by another key
            sent = json.loads(device.get(told))
            sent["response"]["signature"] = json.loads(device.get(told))["response"]["signature"][:-4] + "AAAA"
            sent = json.dumps(sent)
        before = len(portal.pauses)
        page = browser.post("/sign-in/passkey", {"passkey": sent})
        assert page.status == 422 and "saldo" not in browser.cookies and len(portal.pauses) > before
        texts.add(page.text.partition("<form")[0])
    assert len(texts) == 1


def test_a_key_whose_count_goes_back_was_copied(portal: Portal) -> None:
    device, _ = holder(portal)
    assert signed_in(portal, device)[1].status == 303
    device.keys[0].count -= 1
    assert NO in signed_in(portal, device)[1].text
    synchronised, _ = holder(portal, "payer", Authenticator(counts=False, flags=UP | UV | BE | BS))
    assert signed_in(portal, synchronised)[1].status == signed_in(portal, synchronised)[1].status == 303


def test_who_is_suspended_or_must_come_through_the_organisation_stays_out(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    device, _ = holder(portal)
    user = replace(VIEWER, id=portal.user_id("viewer"))
    portal.access.register(replace(user, status=UserStatus.SUSPENDED), job("tests"))
    assert NO in signed_in(portal, device)[1].text
    portal.access.register(user, job("tests"))
    assert signed_in(portal, device)[1].status == 303
    with user_pool() as users, federated(portal, users, monkeypatch) as pool:
        pool.connect()
        pool.sso.require(scenes.ORGANISATION, True, job("tests"), "asked for")
        assert NO in signed_in(portal, device)[1].text
        pool.knows(VIEWER.email)
        browser, page = pool.sign_in(VIEWER.email)
        assert page.status == 303
        told = asked(browser, "/profile", "/session/passkey/ask")["get"]  # but to prove it again it serves
        browser.get("/session/prove")
        assert browser.post("/session/prove", {"passkey": device.get(told), "next": "/profile"}).status == 303


def test_one_who_comes_through_the_organisation_makes_a_key_within_minutes_of_it(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with user_pool() as users, federated(portal, users, monkeypatch) as pool:
        pool.connect()
        pool.knows(VIEWER.email)
        browser, _ = pool.sign_in(VIEWER.email)
        portal.clock.advance(minutes=6)
        path = "/profile/passkeys/new", "/profile/passkeys/ask"
        assert "organisation once more" in asked(browser, *path)["title"]
        browser, _ = pool.sign_in(VIEWER.email, browser)
        assert 'name="password"' not in browser.get("/profile/passkeys/new").text
        assert made(browser, Authenticator()).status == 303


def test_keys_are_listed_renamed_and_removed_with_a_proof_on_the_trail_and_by_mail(portal: Portal) -> None:
    device, browser = holder(portal)
    page = browser.get("/profile")
    assert "Notebook" in page.text
    place = page.text.partition('href="/profile/passkeys/')[2].partition('"')[0]
    place = f"/profile/passkeys/{place}" if place != "new" else ""
    browser.get(place)
    assert browser.post(f"{place}/name", {"name": "<Phone>"}).status == 303
    assert "&lt;Phone&gt;" in browser.get("/profile").text
    assert portal.signed_in("payer").get(place).status == 404  # somebody else's
    portal.clock.advance(minutes=10)
    browser.get(place)
    assert browser.post(f"{place}/remove", {}).status == 422
    told = asked(browser, place, "/session/passkey/ask")["get"]
    assert browser.post(f"{place}/remove", {"passkey": device.get(told)}).status == 303
    assert NO in signed_in(portal, device)[1].text
    done = {"passkey.added", "passkey.renamed", "passkey.removed"}
    assert {a for a in actions(portal) if a.startswith("passkey")} == done
    for kind in ("passkey_added", "passkey_removed"):
        (letter,) = portal.mail(kind)
        assert letter.to == VIEWER.email and letter.url == f"{ORIGIN}/profile"
    everything = repr([i for i in portal.access._store.scan() if i["kind"] == "passkey"])
    assert "Phone" not in everything


def test_there_are_no_more_than_ten(portal: Portal) -> None:
    _, browser = holder(portal)
    for _ in range(MOST_PASSKEYS - 1):
        assert made(browser, Authenticator(), "One more").status == 303
    told = asked(browser, "/profile/passkeys/new", "/profile/passkeys/ask")
    assert told == {"title": "Remove a passkey first"}


def test_whatever_is_sealed_is_opened_by_the_restore_drill(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    holder(portal)
    portal.browser().sign_in(VIEWER.email, scenes.PASSWORD)
    with user_pool() as users, federated(portal, users, monkeypatch) as pool:
        pool.connect()
        services.colleagues().invite(scenes.NORTH, "neu@kontor.example", "Neu", Role.VIEWER, "en", job("tests"))
    sealed = {i["kind"]: i for i in portal.access._store.scan() if "sealed" in i}
    elsewhere = {"certificate", "certificate_request", "ticket", "dispute_words", "upload"}  # have tests of their own
    assert set(sealed) == set(OPENED_BY) - elsewhere
    for kind, item in sealed.items():
        assert OPENED_BY[kind](item, services.sealer())
