"""Promising a payment in the portal: checked, made at once or asked for, followed, paid, cancelled; staff decide."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest

from functions.portal import services
from saldo.invoicing.reading import open_rows
from saldo.promises.keeping import Keeping
from saldo.promises.model import PromiseState
from saldo.promises.reading import promise_of
from tests.contexts.sellers import ENTITY
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser, Page
from tests.functions.portal.conftest import Portal
from tests.functions.portal.test_methods import HOME, shop, stored

__all__ = ["shop"]
FIRST = scenes.TODAY + timedelta(days=10)


def newest(portal: Portal) -> Any:
    """The invoice that is due last."""
    return max(open_rows(portal.region.store, scenes.NORTH), key=lambda r: (r.due_on, r.invoice_id))


def by_id(portal: Portal, invoice_id: str) -> Any:
    return next(r for r in open_rows(portal.region.store, scenes.NORTH) if r.invoice_id == invoice_id)


def promising(portal: Portal, browser: Browser, **more: str) -> Page:
    """Fill in and check."""
    row = newest(portal)
    form = browser.get(f"{HOME}/plans/new?pay={row.invoice_id}")
    assert form.status == 200 and re.search(rf'value="{row.invoice_id}"[^>]*checked', form.text)
    fields = {"first_on": FIRST.isoformat(), "count": "2", "every": "week", "method": "", "why": "cash"}
    return browser.post(f"{HOME}/plans/check", {"pay": row.invoice_id, **fields, **more})


def made(browser: Browser, checked: Page, **more: str) -> Page:
    assert checked.status == 200, checked.text
    hidden = {k: v for k, v in checked.hidden().items() if k != "form_key"}
    return browser.post(f"{HOME}/plans", {**hidden, **more})


def promise(sent: Page) -> Any:
    return promise_of(services.store(), scenes.NORTH, sent.location.rpartition("/")[2])


def test_the_check_shows_every_instalment_and_the_same_form_promises_once(portal: Portal) -> None:
    browser, row = portal.signed_in("admin"), newest(portal)
    checked = promising(portal, browser)
    assert "Nothing has been promised yet" in checked.text and by_id(portal, row.invoice_id).promise_id == ""
    sent = made(browser, checked)
    browser.get(HOME)
    again = made(browser, checked)
    assert sent.status == again.status == 303 and sent.location == again.location
    one = promise(sent)
    assert one.state is PromiseState.CURRENT and one.minor == row.open_minor
    assert [i.on for i in one.instalments] == [FIRST, FIRST + timedelta(days=7)]


def test_the_overview_of_a_promise_is_two_calls_once_what_is_open_is_kept_and_three_before(portal: Portal) -> None:
    browser, bill, says = portal.signed_in("admin"), portal.region.records.bill, "You promised a payment by"
    browser.get(HOME)
    made(browser, promising(portal, browser))
    for most in (3, 2):
        before = bill.calls.copy()
        assert says in browser.get(HOME).text and (bill.calls - before).total() == most
        browser.get("/invoices")


def test_the_form_is_two_calls_once_what_is_open_is_kept_and_three_before_also_on_the_way_back(portal: Portal) -> None:
    browser, bill, row = portal.signed_in("admin"), portal.region.records.bill, newest(portal)
    filled = {"pay": row.invoice_id, "first_on": FIRST.isoformat(), "count": "2", "every": "week"}
    scenes.invoice(services.store(), scenes.NORTH, scenes.TODAY, 12_300, 14)
    for most in (3, 2):
        browser.get(f"{HOME}/plans/new")
        before = bill.calls.copy()
        assert row.number in browser.post(f"{HOME}/plans/change", filled).text
        assert (bill.calls - before).total() == most
        browser.get("/invoices")


def test_a_promised_invoice_says_so_and_is_not_late_and_is_paid_by_instalments(portal: Portal) -> None:
    browser, row = portal.signed_in("admin"), newest(portal)
    sent = made(browser, promising(portal, browser))
    page = browser.get(sent.location)
    assert "Plan of 2 instalments" in page.text and "To come" in page.text
    shown = browser.get(f"{HOME}/invoices/{row.invoice_id}").text
    assert "Nobody reminds you of it until then" in shown and "Promised for" in shown
    assert "Promise to pay later" not in shown
    assert "Plan of 2 instalments" in browser.get(f"{HOME}/plans").text
    assert "You promised a payment by" in browser.get(HOME).text
    browser.get(sent.location)
    minor = re.search(rf'name="minor.{row.invoice_id}" value="(\d+)"', page.text)
    assert minor is not None and int(minor[1]) == promise(sent).instalments[0].minor
    checked = browser.post(f"{HOME}/pay/check", {"pay": row.invoice_id, f"minor.{row.invoice_id}": minor[1]})
    assert checked.status == 200, "an instalment needs no reason"


def test_what_goes_beyond_the_limits_is_asked_for_and_can_be_taken_back(portal: Portal) -> None:
    browser = portal.signed_in("admin")
    checked = promising(portal, browser, count="5", every="month")
    assert "more instalments than the seller allows" in checked.text and "Ask the seller" in checked.text
    sent = made(browser, checked)
    assert promise(sent).state is PromiseState.ASKED
    browser.get(sent.location)
    browser.post(f"{sent.location}/cancel", {"seen": browser.page.hidden()["seen"] if browser.page else ""})
    assert promise(sent).state is PromiseState.CANCELLED
    assert "It was taken back" in browser.get(sent.location).text


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"first_on": ""}, "first_on"),
        ({"first_on": "soon"}, "first_on"),
        ({"first_on": "2020-01-01"}, "first_on"),
        ({"count": "0"}, "count"),
        ({"count": "many"}, "count"),
        ({"pay": ""}, "invoices"),
        ({"method": "meth_nobody"}, "method"),
    ],
)
def test_what_cannot_be_promised_is_told_at_its_field_and_nothing_is_written(
    portal: Portal, fields: dict[str, str], field: str
) -> None:
    browser = portal.signed_in("admin")
    page = promising(portal, browser, **fields)
    assert page.status == 422 and f'href="#{field}"' in page.text, page.text
    assert newest(portal).promise_id == ""


def test_the_method_that_is_charged_is_proven_first_and_the_plan_says_so(shop: Portal) -> None:
    browser = shop.with_codes()
    method = stored(shop, browser)
    checked = promising(shop, browser, method=method.id)
    assert "Collected from Visa" in checked.text
    sent = made(browser, checked, password=scenes.PASSWORD, code=shop.code())
    assert promise(sent).method_id == method.id
    assert "Collected from Visa" in browser.get(sent.location).text


def test_a_viewer_sees_plans_and_makes_none_and_another_account_is_not_there(portal: Portal) -> None:
    browser = portal.signed_in("admin")
    sent = made(browser, promising(portal, browser))
    viewer = portal.signed_in("viewer")
    assert viewer.get(sent.location).status == 200 and "Cancel the promise" not in viewer.get(sent.location).text
    assert viewer.get(f"{HOME}/plans/new").status in (403, 404)
    other = sent.location.replace(scenes.NORTH, scenes.OTHERS)
    assert portal.signed_in("admin").get(other).status == 404


def test_a_broken_promise_is_told_and_the_invoice_is_late_again(portal: Portal) -> None:
    browser, row = portal.signed_in("admin"), newest(portal)
    sent = made(browser, promising(portal, browser))
    portal.clock.now += timedelta(days=14)
    assert Keeping(services.promises(services.store())).run(ENTITY, FIRST + timedelta(days=4)).broken == 1
    browser = portal.signed_in("admin")
    assert "It did not come by its day" in browser.get(sent.location).text
    assert "Promise over: Broken" in browser.get(f"{HOME}/invoices/{row.invoice_id}").text
    assert by_id(portal, row.invoice_id).promise_id == ""


def test_another_plan_is_asked_for_with_the_same_invoices_chosen(portal: Portal) -> None:
    browser, row = portal.signed_in("admin"), newest(portal)
    first = promise(made(browser, promising(portal, browser)))
    form = browser.get(f"{HOME}/plans/new?replaces={first.id}")
    assert re.search(rf'value="{row.invoice_id}"[^>]*checked', form.text)
    fields = {"first_on": date(FIRST.year, FIRST.month, FIRST.day).isoformat(), "count": "3", "every": "week"}
    checked = browser.post(f"{HOME}/plans/check", {"pay": row.invoice_id, "replaces": first.id, **fields})
    assert "It changes a plan that was agreed" in checked.text
    assert promise(made(browser, checked)).replaces == first.id
