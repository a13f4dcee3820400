"""Forms that are not ours: of every route that changes something, with whatever another site can send."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from functions.portal.endpoint import declared
from functions.staff.endpoint import declared as of_staff
from saldo.access.rules import form_key
from tests.functions.portal import scenes
from tests.functions.portal.browser import ORIGIN, Browser
from tests.functions.security.town import NORTH, Town

FORM = "application/x-www-form-urlencoded"
EVIL = "https://evil.example"
FORMS = sorted(
    p for (m, p), rule in [*declared.items(), *of_staff.items()] if m == "POST" and getattr(rule, "form", True)
)


def key_of(browser: Browser, path: str) -> str:
    """What the form key of the browser's own page would be."""
    return form_key(browser.cookies.get(cookie_of(path), ""))


def cookie_of(path: str) -> str:
    if any(path.startswith(p) for p in ("/sign-in", "/staff/sign-in", "/pay/", "/invitation", "/forgot-password")):
        return "saldo-start"
    return "saldo-staff" if path.startswith("/staff") else "saldo"


@pytest.fixture
def everybody(town: Town) -> Browser:
    """One browser that is a customer, a member of staff who may anything, and on the page of signing in."""
    browser = town.portal.with_codes("admin")
    browser.cookies |= {"saldo-staff": town.portal.staff_in("analyst").cookies["saldo-staff"]}
    browser.get("/sign-in")
    return browser


def test_no_form_from_elsewhere_reaches_a_view(town: Town, everybody: Browser) -> None:
    """Without its key, with another session's, with an empty one, from another site: nothing is read but the session,
    nothing is written, and the answer is the same."""
    other = town.portal.signed_in("viewer").cookies["saldo"]
    for path in FORMS:
        asked, own = town.path(path, NORTH, token="x"), key_of(everybody, path)
        for key, headers in (
            (None, {}), ("", {}), (form_key(other), {}), (own[:-1], {}),
            (own, {"origin": EVIL}), (own, {"origin": "null"}),
            (own, {"origin": ORIGIN + ".evil.example"}), (own, {"sec-fetch-site": "cross-site"}),
            (own, {"sec-fetch-site": "same-site"}), (own, {"origin": "http://localhost:8081"}),
        ):  # fmt: skip
            fields = {} if key is None else {"form_key": key}
            with town.watch() as watch:
                page = everybody.post(asked, fields, key=False, **headers)
            # That there is nothing for such a role, or that the account does without, is told first.
            assert page.status in ((403, 404) if "_id}" in path else (403,)), (path, key, headers)
            assert not watch.written and watch.calls.total() <= 1 and not page.cookies_set, (path, watch.calls)


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", "application/json", "", "x"])
def test_only_forms_are_forms(town: Town, everybody: Browser, kind: str) -> None:
    """What a page elsewhere can send without asking first is a form, and nothing else is taken for one."""
    for path in FORMS:
        asked, own = town.path(path, NORTH, token="x"), key_of(everybody, path)
        with town.watch() as watch:
            page = everybody._send("POST", asked, urlencode({"form_key": own}).encode(), {"content-type": kind})
        assert page.status == 415 and not watch.calls, path
        assert page.headers["x-content-type-options"] == "nosniff"


def test_a_key_in_the_address_is_no_key_and_of_two_fields_the_last_counts(everybody: Browser) -> None:
    own = key_of(everybody, "/profile/language")
    assert everybody.post(f"/profile/language?form_key={own}", {"language": "de"}, key=False).status == 403
    twice = [("form_key", own), ("form_key", "x"), ("language", "de")]
    assert everybody.post("/profile/language", twice, key=False).status == 403
    both = [("language", "xx"), ("language", "de"), ("form_key", own)]
    assert everybody.post("/profile/language", both, key=False).status == 303
    assert '<html lang="de">' in everybody.get("/profile").text


def test_a_get_changes_nothing_whatever_method_it_claims_to_be(town: Town, everybody: Browser) -> None:
    """And no page is asked to be another method by a header or a field."""
    override = {"x-http-method-override": "POST", "x-http-method": "POST", "x-method-override": "POST"}
    for method, path in sorted(declared):
        if method == "POST" and ("GET", path) not in declared:
            page = everybody.get(town.path(path, NORTH, token="x") + "?_method=POST", **override)
            assert page.status == 405, path
    own = key_of(everybody, "/profile/language")
    sent = {"form_key": own, "_method": "GET", "language": "fr"}
    assert everybody.post("/profile/language", sent, key=False, **{"x-http-method-override": "GET"}).status == 303


def test_too_large_or_broken_forms_are_refused_before_they_are_read(town: Town, everybody: Browser) -> None:
    for path, headers, body in (
        ("/profile/language", {}, b"x=" + b"a" * 400_001),
        ("/profile/language", {}, b"&".join([b"x=1"] * 4001)),
        ("/profile/language", {}, b"\xff\xfe=%ff"),
        ("/profile/language", {}, b"form_key=%ff&language=de"),
    ):
        with town.watch() as watch:
            page = everybody._send("POST", path, body, {"content-type": FORM, "origin": ORIGIN, **headers})
        assert page.status == 400 and not watch.written, body[:20]


def test_a_sign_in_form_needs_the_cookie_that_came_with_it(town: Town) -> None:
    browser = town.portal.browser()
    form = browser.get("/sign-in").hidden()
    browser.cookies.clear()
    fields = {**form, "email": scenes.PEOPLE["admin"].email, "password": scenes.PASSWORD}
    assert browser.post("/sign-in", fields, key=False).status == 403
