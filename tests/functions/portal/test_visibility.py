"""What an account's people see is decided where records are read, not on pages."""

from __future__ import annotations

import re

import pytest

from functions.portal import services
from saldo.access.model_visibility import USUAL_ACTIONS, Document, SelfService, Visibility
from saldo.access.visibility import VisibilityRules
from saldo.audit.model import Actor
from saldo.kernel.errors import Refusal
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser
from tests.functions.portal.conftest import Portal

HOME = f"/accounts/{scenes.NORTH}"
STAFF = Actor("user_eu_clerk", "staff")


def seen_with(portal: Portal, visibility: Visibility) -> Browser:
    VisibilityRules(services.store(), portal.clock).set(scenes.NORTH, visibility, STAFF, "as agreed")
    return portal.signed_in()


def invoices_on(browser: Browser, query: str = "") -> set[str]:
    return set(re.findall(rf"{HOME}/invoices/(inv_\w+)", browser.get(f"{HOME}/invoices{query}").text))


def settled(portal: Portal) -> str:
    items = portal.access._store.query_all(scenes.NORTH, prefix="invoice#")
    return next(str(i["invoice_id"]) for i in items if i["open_minor"] == 0)


def test_everything_is_seen_until_staff_says_otherwise(portal: Portal) -> None:
    browser = portal.signed_in()
    assert browser.get(f"{HOME}/invoices/{settled(portal)}").status == 200
    assert browser.get(f"{HOME}/statement").status == 200 and browser.get(f"{HOME}/invoices.csv").status == 200


def test_open_items_only_hides_what_is_settled_on_every_page_and_all_history(portal: Portal) -> None:
    paid = settled(portal)
    browser = seen_with(portal, Visibility(open_only=True))
    assert invoices_on(browser) and paid not in invoices_on(browser)
    for path in (f"invoices/{paid}", f"invoices/{paid}/pdf", "statement", "statement.csv"):
        assert browser.get(f"{HOME}/{path}").status == 404, path
    number = next(i["number"] for i in portal.access._store.query_all(scenes.NORTH, prefix="invoice#")
                  if i["invoice_id"] == paid)  # fmt: skip
    assert number not in browser.get(f"{HOME}/invoices.csv").text
    assert "/payments/pay_" not in browser.get(f"{HOME}/payments").text
    assert ">Statement<" not in browser.get(HOME).text


def test_history_back_some_months_begins_there_and_balances_stay_right(portal: Portal) -> None:
    whole = portal.signed_in()
    all_of_it, closing = len(invoices_on(whole)), balance(whole)
    browser = seen_with(portal, Visibility(months=6))
    assert 0 < len(invoices_on(browser)) < all_of_it
    text = browser.get(f"{HOME}/statement?from=2020-01-01&to=2026-11-23").text
    assert 'value="2026-05-23"' in text and balance(browser) == closing


def balance(browser: Browser) -> str:
    text = browser.get(f"{HOME}/statement.csv?from=2026-11-01&to=2026-11-23").text
    return text.strip().splitlines()[-1].rpartition(",")[2]


def test_documents_and_actions_that_are_not_named_are_as_good_as_not_there(portal: Portal) -> None:
    open_now = next(iter(invoices_on(portal.signed_in(), "?status=open")))
    allowed = Visibility(documents=frozenset({Document.STATEMENT}), actions=frozenset())
    browser = seen_with(portal, allowed)
    for path in (f"invoices/{open_now}/pdf", "invoices.csv", "pay", "approvals"):
        assert browser.get(f"{HOME}/{path}").status == 404, path
    page = browser.get(f"{HOME}/invoices/{open_now}")
    assert page.status == 200 and f"{open_now}/pdf" not in page.text and f"{HOME}/pay?" not in page.text
    assert browser.get(f"{HOME}/statement").status == 200


def test_setting_it_ends_the_sessions_of_the_accounts_people_and_needs_a_reason(portal: Portal) -> None:
    browser, stranger = portal.signed_in("viewer"), portal.signed_in("stranger")
    seen_with(portal, Visibility(months=3))
    assert browser.get(HOME).location.startswith("/sign-in")
    assert stranger.get(f"/accounts/{scenes.OTHERS}").status == 200
    with pytest.raises(Refusal, match="reason_required"):
        VisibilityRules(services.store(), portal.clock).set(scenes.NORTH, Visibility(), STAFF, " ")


def test_rules_that_contradict_themselves_are_refused_with_every_reason(portal: Portal) -> None:
    wrong = Visibility(True, 300, actions=frozenset({SelfService.PAY_LINKS}))
    with pytest.raises(Refusal) as no:
        VisibilityRules(services.store(), portal.clock).set(scenes.NORTH, wrong, STAFF, "x")
    assert {p.code for p in no.value.problems} == {"out_of_range", "open_only", "pay_links_without_pay"}
    assert USUAL_ACTIONS


def test_very_many_downloads_ask_for_a_proof_and_then_stop(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("saldo.access.rules_risk.MOST_DOWNLOADS", 3)
    monkeypatch.setattr("saldo.access.rules_risk.BLOCKED_DOWNLOADS", 6)
    plain = portal.signed_in("viewer")
    assert [plain.get(f"{HOME}/invoices.csv").status for _ in range(3)] == [200, 200, 303]
    assert plain.get(f"{HOME}/invoices.csv").location == f"/session/prove?next={HOME}/invoices.csv"
    assert "Set one up first" in plain.get("/session/prove").text
    browser = portal.with_codes()
    statuses = [browser.get(f"{HOME}/invoices.csv").status for _ in range(6)]
    assert statuses == [200, 200, 200, 200, 200, 429]
    assert capsys.readouterr().out.count('"DocumentsTaken": 1') == 10
    portal.clock.advance(minutes=15)
    assert browser.get(f"{HOME}/invoices.csv").status == 200


def test_whoever_proves_it_again_goes_on_downloading(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saldo.access.rules_risk.MOST_DOWNLOADS", 1)
    browser = portal.with_codes()
    portal.clock.advance(minutes=6)
    away = browser.get(f"{HOME}/invoices.csv")
    form = browser.follow(away).hidden()
    proof = {"password": scenes.PASSWORD, "code": portal.code(), "next": form["next"]}
    assert browser.post("/session/prove", proof).location == f"{HOME}/invoices.csv"
    assert browser.get(f"{HOME}/invoices.csv").status == 200
