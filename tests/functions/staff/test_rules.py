"""Every route of staff against everybody it is not for."""

from __future__ import annotations

import re

import pytest

import app  # the routes are declared as it is imported
from functions.staff.endpoint import Routes, StaffRule, declared, staff
from saldo.access.model_staff import StaffRole
from tests.contexts.sellers import ENTITY
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser, Page
from tests.functions.portal.conftest import Portal

assert app.app.routes
ENTITY_ROUTES = sorted((m, p) for (m, p), rule in declared.items() if rule.roles)


def filled(path: str, entity_id: str = ENTITY, account_id: str = scenes.NORTH) -> str:
    return re.sub(r"\{(\w+)\}", "x_nothing", path.replace("{entity_id}", entity_id).replace("{account_id}", account_id))


def ask(browser: Browser, method: str, path: str, key: str = "") -> Page:
    return browser.get(path) if method == "GET" else browser.post(path, {"form_key": key}, key=False)


def form_key(browser: Browser) -> str:
    return browser.get(f"/staff/{ENTITY}").hidden()["form_key"]


def same(pages: list[Page]) -> bool:
    return len({(p.status, re.sub(r'value="[^"]*"', "", p.text)) for p in pages}) == 1


@pytest.mark.parametrize("rule", [StaffRule(), staff(frozenset())])
def test_a_route_that_allows_nobody_fails_at_import(rule: StaffRule) -> None:
    with pytest.raises(TypeError, match="who may use it"):
        Routes("planted").get("/staff/planted", rule)


def test_a_route_with_a_legal_entity_asks_for_a_role_there() -> None:
    with pytest.raises(TypeError, match="roles and a legal entity"):
        Routes("planted").get("/staff/{entity_id}/planted", StaffRule(signed_in=True))


def test_the_pages_of_signing_in_are_all_that_is_open() -> None:
    assert {p for (_, p), rule in declared.items() if rule.anyone} == {"/staff/sign-in", "/staff/sign-in/answer"}


@pytest.mark.parametrize("who", scenes.STAFF)
def test_without_a_role_that_is_named_every_route_says_the_same_404(portal: Portal, who: str) -> None:
    browser, roles = portal.staff_in(who), set(scenes.STAFF[who][1])
    key = form_key(browser)
    refused = [ask(browser, m, filled(p), key) for m, p in ENTITY_ROUTES if not declared[m, p].roles & roles]
    nothing = browser.get(f"/staff/{ENTITY}/orders/ord_nothing")
    assert refused and same([*refused, nothing]) and nothing.status == 404


def test_another_seller_and_anothers_account_are_as_good_as_none(portal: Portal) -> None:
    browser = portal.staff_in("analyst")
    key = form_key(browser)
    pages = [ask(browser, m, filled(p, scenes.OTHER_ENTITY), key) for m, p in ENTITY_ROUTES]
    pages += [ask(browser, m, filled(p, "ent_eu_nobody"), key) for m, p in ENTITY_ROUTES]
    with_account = [(m, p) for m, p in ENTITY_ROUTES if "{account_id}" in p]
    pages += [ask(browser, m, filled(p, account_id="acct_eu_nobody"), key) for m, p in with_account]
    assert same(pages) and pages[0].status == 404


def test_a_customers_session_is_nobody_here_and_that_of_staff_nobody_there(portal: Portal) -> None:
    customer, clerk = portal.signed_in("admin"), portal.staff_in("admin")
    for method, path in declared:
        if not declared[method, path].anyone:
            assert ask(customer, method, filled(path)).status == 404, path
    for path in ("/accounts", "/profile", f"/accounts/{scenes.NORTH}", f"/accounts/{scenes.NORTH}/pay"):
        assert clerk.get(path).status == 404, path
    assert clerk.get("/").location == "/staff"


def test_a_token_in_the_other_cookie_opens_nothing(portal: Portal) -> None:
    customer, clerk = portal.signed_in("admin"), portal.staff_in("admin")
    swapped = Browser(portal.app, {"saldo-staff": customer.cookies["saldo"], "saldo": clerk.cookies["saldo-staff"]})
    assert swapped.get(f"/staff/{ENTITY}").status == 404
    assert swapped.get(f"/accounts/{scenes.NORTH}").status == 404


def test_nobody_is_sent_to_sign_in(portal: Portal) -> None:
    browser = portal.browser()
    for (method, path), rule in declared.items():
        if not rule.anyone:
            assert ask(browser, method, filled(path)).location.startswith("/staff/sign-in"), path


def test_ids_of_another_region_are_not_here(portal: Portal) -> None:
    assert portal.staff_in("analyst").get("/staff/ent_us_seller").status == 404


def test_a_form_from_elsewhere_changes_nothing(portal: Portal) -> None:
    browser = portal.staff_in("support")
    key, foreign = form_key(browser), form_key(portal.staff_in("analyst"))
    for sent, headers in (
        ({"language": "de"}, {}),
        ({"language": "de", "form_key": foreign}, {}),
        ({"language": "de", "form_key": key}, {"origin": "https://evil.example"}),
    ):
        assert browser.post("/staff/language", sent, key=False, **headers).status == 403
    assert browser.post("/staff/language", {"language": "de", "form_key": key}, key=False).status == 303
    assert '<html lang="de">' in browser.get(f"/staff/{ENTITY}").text


def test_roles_that_must_be_two_peoples_cannot_be_ones(portal: Portal) -> None:
    from saldo.access.model_staff import Staff, StaffPerson
    from saldo.audit.model import job
    from saldo.kernel.errors import Refusal

    both = scenes.posts(StaffRole.ADMINISTRATOR, StaffRole.FINANCE_APPROVER)
    with pytest.raises(Refusal, match="roles_apart"):
        portal.staff.enrol(Staff("", "en", both, scenes.NOW), StaffPerson("x@y.example", "X"), "p", job("tests"))
