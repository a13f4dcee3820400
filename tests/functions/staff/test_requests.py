"""Requests to pay later and for other terms, as the seller's people decide them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from functions.portal import services
from saldo.accounts.model_payment_terms import PaymentTerms
from saldo.invoicing.reading import open_rows
from saldo.promises.model import Every, Promise, PromiseState, Wanted
from saldo.promises.reading import promise_of
from saldo.promises.service import Wish
from saldo.terms.model import Asked, TermsState
from saldo.terms.model import Why as TermsWhy
from tests.contexts.sellers import ENTITY
from tests.functions.portal import scenes
from tests.functions.portal.browser import Page
from tests.functions.portal.conftest import Portal

HOME = f"/staff/{ENTITY}"
ACCOUNT = f"{HOME}/accounts/{scenes.NORTH}"


def request(portal: Portal, smallest: bool = True) -> Promise:
    """Five monthly instalments are more than the seller allows without being asked."""
    from saldo.audit.model import Actor

    rows = sorted(open_rows(portal.region.store, scenes.NORTH), key=lambda r: r.open_minor, reverse=not smallest)
    wanted = Wanted((rows[0].invoice_id,), scenes.TODAY + timedelta(days=10), 5, Every.MONTH)
    actor = Actor(portal.user_id("admin"), "user")
    desk = services.promises(services.store())
    return desk.make(Wish(scenes.NORTH, wanted, f"form-key-{smallest}", rows[0].open_minor, actor))


def state(one: Promise) -> PromiseState:
    return promise_of(services.store(), scenes.NORTH, one.id).state


def acted(portal: Portal, who: str, path: str, verb: str, **fields: str) -> Page:
    browser = portal.staff_in(who)
    hidden = browser.get(path).hidden()
    return browser.post(f"{path}/{verb}", {k: v for k, v in hidden.items() if k != "form_key"} | fields)


def test_a_small_request_is_agreed_to_by_one(portal: Portal) -> None:
    one = request(portal)
    page = portal.staff_in("analyst").get(f"{HOME}/promises")
    assert one.id in page.text
    assert "What customers promise without asking" in page.text
    sent = acted(portal, "analyst", f"{ACCOUNT}/promises/{one.id}", "agree")
    assert sent.location == f"{ACCOUNT}/promises/{one.id}" and state(one) is PromiseState.CURRENT
    assert one.id not in portal.staff_in("analyst").get(f"{HOME}/promises").text
    assert one.id in portal.staff_in("support").get(f"{ACCOUNT}?show=promises").text


def test_a_large_request_takes_a_second_person(portal: Portal) -> None:
    one = request(portal, smallest=False)
    path = f"{ACCOUNT}/promises/{one.id}"
    assert acted(portal, "analyst", path, "agree", why="").status == 422
    sent = acted(portal, "analyst", path, "agree", why="a good customer")
    assert "/proposals/prop_" in sent.location and state(one) is PromiseState.ASKED
    assert acted(portal, "analyst", sent.location, "agree").status != 303 and state(one) is PromiseState.ASKED
    acted(portal, "approver", sent.location, "agree")
    assert state(one) is PromiseState.CURRENT


def test_a_request_is_refused_with_a_reason(portal: Portal) -> None:
    one = request(portal)
    path = f"{ACCOUNT}/promises/{one.id}"
    assert acted(portal, "analyst", path, "refuse", why_not="").status == 422
    acted(portal, "analyst", path, "refuse", why_not="too_late")
    assert state(one) is PromiseState.REFUSED
    assert "The days are too far away" in portal.staff_in("analyst").get(path).text


@pytest.mark.parametrize("verb", ["agree", "refuse"])
def test_who_only_reads_decides_nothing(portal: Portal, verb: str) -> None:
    one = request(portal)
    path = f"{ACCOUNT}/promises/{one.id}"
    assert "Refuse" not in portal.staff_in("support").get(path).text
    assert acted(portal, "support", path, verb, why_not="history").status == 404 and state(one) is PromiseState.ASKED


def test_other_terms_take_two_people_and_are_on_the_same_page(portal: Portal) -> None:
    from saldo.audit.model import Actor

    desk = services.terms_requests(services.store())
    actor = Actor(portal.user_id("admin"), "user")
    asked = desk.ask(scenes.NORTH, Asked(PaymentTerms(60), 2_500_000), TermsWhy.USUAL, "form-key-1", actor)
    path = f"{ACCOUNT}/terms/{asked.id}"
    assert asked.id in portal.staff_in("analyst").get(f"{HOME}/promises").text
    assert acted(portal, "analyst", path, "propose", why="").status == 422
    sent = acted(portal, "analyst", path, "propose", why="they grow")
    shown = portal.staff_in("approver").get(sent.location)
    assert "Payment terms" in shown.text and "25000.00 EUR" in shown.text
    acted(portal, "approver", sent.location, "agree")
    assert desk.get(scenes.NORTH, asked.id).state is TermsState.AGREED
    assert "60 days" in portal.staff_in("support").get(f"{ACCOUNT}?show=promises").text


def test_what_waits_is_counted_where_staff_begin(portal: Portal) -> None:
    request(portal)
    assert "Requests of customers" in portal.staff_in("analyst").get(HOME).text
