"""Every route against everybody it is not for, and every answer's headers."""

from __future__ import annotations

import re

import pytest

import app  # the routes are declared as it is imported
from functions.portal.endpoint import Routes, Rule, declared, roles
from functions.staff.endpoint import declared as of_staff
from saldo.access.model import Role
from saldo.access.rules import PAYERS
from saldo.storage.store import Store
from tests.functions.portal import scenes
from tests.functions.portal.browser import ORIGIN
from tests.functions.portal.conftest import US_ORIGIN, Portal

assert app.app.routes
ACCOUNT_ROUTES = sorted((m, p) for (m, p), rule in declared.items() if rule.roles)


PREFIXES = {"invoice": "inv", "payment": "pay", "approval": "appr", "subscription": "sub"}


def filled(path: str, account_id: str) -> str:
    """The path with this account, and ids that name nothing."""

    def sample(found: re.Match[str]) -> str:
        name = found[1].removesuffix("_id")
        return account_id if name == "account" else f"{PREFIXES.get(name, name)}_eu_abc"

    return re.sub(r"{(\w+)}", sample, path)


def test_every_route_of_the_application_names_who_may_use_it(portal: Portal) -> None:
    served = {(m, p) for p, methods in portal.app.routes.items() for m in methods}
    assert served == set(declared) | set(of_staff)
    assert not set(declared) & set(of_staff)
    assert all(rule.roles for (_, path), rule in declared.items() if "{account_id}" in path)


@pytest.mark.parametrize("rule", [Rule(), roles(frozenset())])
def test_a_route_that_allows_nobody_fails_at_import(rule: Rule) -> None:
    with pytest.raises(TypeError, match="who may use it"):
        Routes("planted").get("/planted", rule)


def test_an_account_route_without_roles_fails_at_import() -> None:
    with pytest.raises(TypeError, match="roles and an account"):
        Routes("planted").get("/accounts/{account_id}/planted", Rule(signed_in=True))


def test_another_customers_account_is_as_good_as_none_on_every_route(portal: Portal) -> None:
    browser = portal.signed_in("admin")
    browser.get("/profile")
    key = browser.page.hidden()["form_key"] if browser.page else ""
    seen = set()
    for method, path in ACCOUNT_ROUTES:
        for account_id in (scenes.OTHERS, "acct_eu_nobodyatall"):
            page = _ask(browser, method, filled(path, account_id), key)
            seen.add((page.status, page.text))
    assert len(seen) == 1 and next(iter(seen))[0] == 404


def test_a_page_that_reaches_for_another_customers_records_by_mistake_finds_nothing(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mistaken(store: Store, _account_id: str, *_: object) -> object:
        return store.get(scenes.OTHERS, "account")

    monkeypatch.setattr("functions.portal.invoices.reading.listed", mistaken)
    page = portal.signed_in("admin").get(f"/accounts/{scenes.NORTH}/invoices")
    assert page.status == 404 and scenes.OTHERS not in page.text


def _ask(browser: object, method: str, path: str, key: str = ""):
    from tests.functions.portal.browser import Browser

    assert isinstance(browser, Browser)
    return browser.get(path) if method == "GET" else browser.post(path, {"form_key": key}, key=False)


def test_a_role_without_payment_meets_the_same_404_on_payment_routes(portal: Portal) -> None:
    for who, role in (("viewer", Role.VIEWER), ("approver", Role.APPROVER), ("payer", Role.PAYER)):
        browser = portal.signed_in(who)
        for method, path in ACCOUNT_ROUTES:
            rule = declared[method, path]
            if rule.roles == PAYERS and role not in PAYERS:
                assert _ask(browser, method, filled(path, scenes.NORTH)).status == 404, path
            if method == "GET" and role in rule.roles and "_id}/" not in path.replace("{account_id}/", ""):
                page = browser.get(filled(path, scenes.NORTH))
                assert page.status == 200 or path.count("_id}") > 1, path


def test_nobody_is_sent_to_sign_in_and_json_clients_are_told(portal: Portal) -> None:
    browser = portal.browser()
    for (method, path), rule in declared.items():
        if not rule.anyone:
            assert _ask(browser, method, filled(path, scenes.NORTH)).location.startswith("/sign-in"), path
    page = browser.get("/profile", accept="application/json")
    assert page.status == 401 and page.headers["content-type"] == "application/problem+json"


def test_ids_of_another_region_are_sent_home_without_cookie_query_or_reading(portal: Portal) -> None:
    browser = portal.signed_in()
    for _, path in ACCOUNT_ROUTES:
        home = filled(path, "acct_us_someone")
        page = browser.get(home + "?text=Harms") if ("GET", path) in declared else browser.post(home, {})
        assert (page.status, page.location, page.text, page.cookies_set) == (307, US_ORIGIN + home, "", [])


def test_a_form_from_elsewhere_or_without_its_key_changes_nothing(portal: Portal) -> None:
    browser = portal.signed_in()
    key = browser.get("/profile").hidden()["form_key"]
    fields = {"language": "de", "form_key": key}
    foreign = portal.signed_in("viewer").get("/profile").hidden()["form_key"]
    attacks = [
        ({**fields, "form_key": ""}, {}),
        ({**fields, "form_key": foreign}, {}),
        ({"language": "de"}, {}),
        (fields, {"origin": "https://evil.example"}),
        (fields, {"origin": "null"}),
        (fields, {"sec-fetch-site": "cross-site"}),
    ]
    for sent, headers in attacks:
        assert browser.post("/profile/language", sent, key=False, **headers).status == 403
    assert '<html lang="en">' in browser.get("/profile").text
    assert browser.post("/profile/language", fields, key=False).status == 303
    assert '<html lang="de">' in browser.get("/profile").text


def test_a_sign_in_form_needs_the_cookie_that_came_with_it(portal: Portal) -> None:
    browser = portal.browser()
    form = browser.get("/sign-in").hidden()
    browser.cookies.clear()
    fields = {**form, "email": scenes.PEOPLE["admin"].email, "password": scenes.PASSWORD}
    assert browser.post("/sign-in", fields, key=False).status == 403


def test_every_answer_carries_the_security_headers_and_no_inline_code(portal: Portal) -> None:
    browser = portal.signed_in()
    home = f"/accounts/{scenes.NORTH}"
    paths = [
        "/",
        "/healthz",
        "/sign-in",
        home,
        f"{home}/invoices.csv",
        "/accounts/acct_eu_x",
        "/accounts/acct_us_x",
        "/profile",
    ]
    for path in paths:
        page = browser.get(path)
        policy = page.headers["content-security-policy"]
        assert "default-src 'self'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
        assert page.headers["x-content-type-options"] == "nosniff" and page.headers["cache-control"] == "no-store"
        assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son[a-z]+=", page.text), path


def test_chalices_own_answers_carry_the_headers_too(portal: Portal) -> None:
    browser = portal.signed_in()
    page = browser.post("/profile/language", {}, **{"content-type": "text/plain"})
    assert page.status == 415 and "content-security-policy" in page.headers


def test_forms_may_lead_to_the_gateways_page_and_nowhere_else(portal: Portal) -> None:
    policy = portal.browser().get("/sign-in").headers["content-security-policy"]
    assert "form-action 'self' http://localhost:9090;" in policy


def test_what_nobody_expected_says_nothing_of_itself(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    browser = portal.signed_in()
    monkeypatch.setattr("functions.portal.overview.open_rows", lambda *_: 1 / 0)
    page = browser.get(f"/accounts/{scenes.NORTH}")
    assert page.status == 500 and "division" not in page.text and "ZeroDivisionError" not in page.text
    logged = capsys.readouterr().out
    assert "ZeroDivisionError" in logged and '"PortalErrors": 1' in logged and scenes.NORTH not in logged


def test_style_and_script_are_kept_for_a_year_under_names_with_a_hash(portal: Portal) -> None:
    browser = portal.browser()
    name = re.search(r'href="(/static/saldo\.[0-9a-f]{12}\.css)"', browser.get("/sign-in").text)
    assert name is not None
    assert "immutable" in browser.get(name.group(1)).headers["cache-control"]
    assert browser.get("/static/saldo.css").status == 404
    assert browser.get("/static/..%2Fendpoint.py").status == 404


def test_too_large_or_broken_forms_are_refused(portal: Portal) -> None:
    browser = portal.signed_in()
    browser.get("/profile")
    assert browser.post("/profile/language", {"x": "a" * 400_001}).status == 400
    assert browser.post("/profile/language", [("x", "1")] * 4001).status == 400
    assert ORIGIN
