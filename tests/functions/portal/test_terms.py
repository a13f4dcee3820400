"""Asking for other payment terms in the portal, and following what becomes of it."""

from __future__ import annotations

import pytest

from functions.portal import services
from saldo.accounts.arrangements import Arrangements
from saldo.accounts.model import Terms
from saldo.accounts.model_payment_terms import MONTH_END, PaymentTerms
from saldo.kernel.clock import system_clock
from saldo.terms.model import TermsState
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser, Page
from tests.functions.portal.conftest import Portal

HOME = f"/accounts/{scenes.NORTH}"


def asking(browser: Browser, **fields: str) -> Page:
    browser.get(f"{HOME}/terms")
    return browser.post(f"{HOME}/terms/check", {"days": "60", "limit": "25,000.00", "why": "growth", **fields})


def asked(browser: Browser, **fields: str) -> Page:
    checked = asking(browser, **fields)
    assert checked.status == 200, checked.text
    return browser.post(f"{HOME}/terms", {k: v for k, v in checked.hidden().items() if k != "form_key"})


def states() -> list[TermsState]:
    return [r.state for r in services.terms_requests(services.store()).of_account(scenes.NORTH)]


def test_what_is_asked_for_is_checked_sent_and_taken_back(portal: Portal) -> None:
    browser = portal.signed_in("admin")
    checked = asking(browser)
    assert "60 days" in checked.text and "€25,000.00" in checked.text and states() == []
    assert asked(browser).location == f"{HOME}/terms" and states() == [TermsState.ASKED]
    page = browser.get(f"{HOME}/terms")
    assert "With the seller" in page.text and "Ask for other terms" not in page.text
    hidden = page.hidden()
    request = services.terms_requests(services.store()).of_account(scenes.NORTH)[0]
    browser.post(f"{HOME}/terms/{request.id}/withdraw", {"seen": hidden["seen"]})
    assert states() == [TermsState.WITHDRAWN]


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"days": "soon"}, "days"), ({"days": "999"}, "days"), ({"limit": "much"}, "limit")],
)
def test_what_cannot_be_asked_is_told_at_its_field(portal: Portal, fields: dict[str, str], field: str) -> None:
    page = asking(portal.signed_in("admin"), **fields)
    assert page.status == 422 and f'href="#{field}"' in page.text and states() == []


def test_who_asks_for_a_limit_alone_keeps_terms_that_are_more_than_days(portal: Portal) -> None:
    due, store = PaymentTerms(30, day=MONTH_END), services.store()
    Arrangements(store, system_clock).change_terms(scenes.NORTH, Terms(), scenes.CLERK, due=due)
    browser = portal.signed_in("admin")
    page = browser.get(f"{HOME}/terms")
    assert "30 days, then end of the month" in page.text
    assert asked(browser, days="").location == f"{HOME}/terms"
    (request,) = services.terms_requests(store).of_account(scenes.NORTH)
    assert (request.asked.due, request.asked.limit_minor) == (due, 2_500_000)


def test_a_viewer_has_no_such_page(portal: Portal) -> None:
    assert portal.signed_in("viewer").get(f"{HOME}/terms").status in (403, 404)
