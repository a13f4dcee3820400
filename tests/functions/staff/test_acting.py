"""Staff look as the customer does: by consent, for a time, marked, on both trails, and without paying."""

from __future__ import annotations

import pytest

from functions.http.answers import Answer
from functions.http.requests import Request
from functions.portal.endpoint import declared, edge, roles
from saldo.access.rules import READERS
from saldo.audit.records import PREFIX, audit_record
from saldo.kernel.errors import NotFound
from tests.contexts.sellers import ENTITY
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser, Page
from tests.functions.portal.conftest import Portal
from tests.functions.portal.paths import filled

ACT = f"/staff/{ENTITY}/accounts/{scenes.NORTH}/act"
HOME = f"/accounts/{scenes.NORTH}"
BANNER = "for the customer"


def consented(portal: Portal, hours: str = "8") -> Browser:
    admin = portal.signed_in("admin")
    admin.get(f"{HOME}/consent")
    assert admin.post(f"{HOME}/consent", {"hours": hours}).status == 303
    return admin


def begin(browser: Browser, why: str = "asked about RW-2026") -> Page:
    browser.get(ACT)
    return browser.post(ACT, {"why": why})


def trail(portal: Portal, owner: str) -> list[tuple[str, str]]:
    found = [audit_record(item) for item in portal.region.store.query_all(owner, prefix=PREFIX)]
    return [(r.action, r.actor.on_behalf_of) for r in found]


def test_without_consent_nobody_looks(portal: Portal) -> None:
    support = portal.staff_in("support")
    assert "has not consented" in support.get(ACT).text
    assert begin(support).status in (403, 422) and "saldo" not in support.cookies


def test_with_consent_every_page_is_marked_and_on_both_trails(portal: Portal) -> None:
    consented(portal)
    support = portal.staff_in("support")
    assert begin(support, why="").status == 422
    page = support.follow(begin(support))
    assert page.status == 200 and BANNER in page.text and "/profile" not in page.text
    for path in (f"{HOME}/invoices", f"{HOME}/statement", f"{HOME}/payments"):
        assert BANNER in support.get(path).text, path
    for owner in (scenes.NORTH, ENTITY):
        told = trail(portal, owner)
        acted = [on_behalf for action, on_behalf in told if action.startswith("acting.")]
        assert len(acted) == 5 and all(who.startswith("user_") for who in acted), told


def test_no_payment_no_profile_no_other_account_no_change(portal: Portal) -> None:
    consented(portal)
    support = portal.staff_in("support")
    page = support.follow(begin(support))
    key = page.hidden()["form_key"]
    for (method, path), rule in declared.items():
        if rule.anyone or (method == "GET" and rule.acting) or path == "/sign-out":
            continue
        where = filled(path, scenes.NORTH)
        answer = support.get(where) if method == "GET" else support.post(where, {"form_key": key}, key=False)
        assert answer.status == 404, (method, path)
    assert support.get(f"/accounts/{scenes.SOUTH}").status == 404


def test_who_looks_changes_nothing_even_where_every_role_may(portal: Portal) -> None:
    path, rule = "/accounts/{account_id}/anything", roles(READERS)
    assert rule.acting
    consented(portal)
    support = portal.staff_in("support")
    token = begin(support) and support.cookies["saldo"]
    sent, account = {"cookie": f"saldo={token}"}, {"account_id": scenes.NORTH}
    seen = edge.seen(Request("POST", path, account, {}, b"", sent, "", portal.clock(), "", "", ""))
    with pytest.raises(NotFound):
        edge.answer(seen, rule, lambda visit: Answer("changed"))


def test_taking_it_back_ends_it_at_once(portal: Portal) -> None:
    admin = consented(portal)
    support = portal.staff_in("support")
    assert support.follow(begin(support)).status == 200
    admin.get(f"{HOME}/consent")
    assert admin.post(f"{HOME}/consent/revoke", {}).status == 303
    assert support.get(HOME).status == 404 and "not consented" in support.get(ACT).text


def test_it_ends_with_the_time_that_was_given(portal: Portal) -> None:
    consented(portal, "1")
    support = portal.staff_in("support")
    begin(support)
    for _ in range(5):
        portal.clock.advance(minutes=12)
        last = support.get(HOME).status
    assert last == 404


def test_stopping_leads_back_and_is_on_both_trails(portal: Portal) -> None:
    consented(portal)
    support = portal.staff_in("support")
    support.follow(begin(support))
    answer = support.post("/sign-out", {})
    assert answer.location == ACT.removesuffix("/act") and "saldo" not in support.cookies
    assert support.follow(answer).status == 200
    assert all(any(a == "acting.ended" for a, _ in trail(portal, owner)) for owner in (scenes.NORTH, ENTITY))


def test_only_admins_consent_and_only_some_roles_look(portal: Portal) -> None:
    assert portal.signed_in("payer").get(f"{HOME}/consent").status == 404
    consented(portal)
    for who in ("analyst", "approver", "admin", "auditor"):
        assert portal.staff_in(who).get(ACT).status == 404
    admin = portal.signed_in("admin")
    admin.get(f"{HOME}/consent")
    assert admin.post(f"{HOME}/consent", {"hours": "9999"}).status == 400
