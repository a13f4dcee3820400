"""Disputing an invoice in the portal: checked, sent, talked about; the rest paid in the same flow; decided by staff."""

from __future__ import annotations

import re

import pytest

from saldo.disputes.model import DisputeState
from saldo.invoicing.reading import open_rows
from tests.contexts.sellers import ENTITY
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser, Page
from tests.functions.portal.conftest import Portal

HOME = f"/accounts/{scenes.NORTH}"
STAFF = f"/staff/{ENTITY}"
WORDS = {"reason": "price", "words": "The price was <b>agreed</b> otherwise"}


def largest(portal: Portal):
    return max(open_rows(portal.region.store, scenes.NORTH), key=lambda r: r.open_minor)


def dispute(portal: Portal, browser: Browser, then: str = "show", **fields: object) -> Page:
    """Fill in, check, send."""
    form = f"{HOME}/invoices/{largest(portal).invoice_id}/dispute"
    assert browser.get(form).status == 200
    pairs = [(k, one) for k, v in ({**WORDS, **fields}).items() for one in (v if isinstance(v, list) else [v])]
    checked = browser.post(form + "/check", pairs)
    assert checked.status == 200, checked.text
    hidden = {k: v for k, v in checked.hidden().items() if k != "form_key"}
    return browser.post(form, {**hidden, "then": then})


def act(browser: Browser, page: str, verb: str, **fields: str) -> Page:
    return browser.post(f"{page}/{verb}", {"seen": seen(browser, page), **fields})


def seen(browser: Browser, page: str) -> str:
    return browser.get(page).hidden()["seen"]


def test_a_disputed_invoice_says_so_on_its_page_in_the_list_and_is_not_chosen_to_be_paid(portal: Portal) -> None:
    browser, row = portal.signed_in("admin"), largest(portal)
    sent = dispute(portal, browser)
    assert sent.status == 303 and "/disputes/dsp_" in sent.location
    page = browser.follow(sent)
    assert "With the seller" in page.text and "&lt;b&gt;agreed" in page.text and "<b>agreed" not in page.text
    shown = browser.get(f"{HOME}/invoices/{row.invoice_id}").text
    assert "Of this in dispute" in shown and sent.location.rpartition("/")[2] in shown
    assert "in dispute" in browser.get(f"{HOME}/invoices").text
    assert not re.search(rf'value="{row.invoice_id}"[^>]*checked', browser.get(f"{HOME}/pay?all=open").text)
    assert row.number in browser.get(f"{HOME}/disputes").text


def test_one_line_is_disputed_and_the_rest_is_paid_in_the_same_flow(portal: Portal) -> None:
    browser, row = portal.signed_in("admin"), largest(portal)
    sent = dispute(portal, browser, "pay", lines=["1"])
    assert sent.location == f"{HOME}/pay?pay={row.invoice_id}"
    now = largest_by(portal, row.invoice_id)
    assert 0 < now.disputed_minor < now.open_minor
    form = browser.follow(sent)
    typed = re.search(rf'name="amount.{row.invoice_id}"[^>]*value="([^"]+)"', form.text)
    assert typed is not None
    checked = browser.post(f"{HOME}/pay/check", {"pay": row.invoice_id, f"amount.{row.invoice_id}": typed[1]})
    assert checked.status == 200, "what is in dispute is a reason of its own"
    minor = checked.hidden()[f"minor.{row.invoice_id}"]
    assert int(minor) == now.open_minor - now.disputed_minor


def largest_by(portal: Portal, invoice_id: str):
    return next(r for r in open_rows(portal.region.store, scenes.NORTH) if r.invoice_id == invoice_id)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"reason": ""}, "reason"),
        ({"words": " "}, "words"),
        ({"amount": "much"}, "amount"),
        ({"amount": "9999999"}, "amount"),
        ({"lines": "1", "line.1": "9999999"}, "line.1"),
        ({"lines": "99"}, "line.99"),
    ],
)
def test_what_cannot_be_disputed_is_told_field_by_field_and_nothing_is_written(
    portal: Portal, fields: dict[str, str], wrong: str
) -> None:
    browser, row = portal.signed_in("admin"), largest(portal)
    form = f"{HOME}/invoices/{row.invoice_id}/dispute"
    browser.get(form)
    page = browser.post(form + "/check", {**WORDS, **fields})
    assert page.status == 422 and f'href="#{wrong}"' in page.text
    assert largest_by(portal, row.invoice_id).disputed_minor == 0


def test_a_form_sent_twice_is_one_dispute(portal: Portal) -> None:
    browser, row = portal.signed_in("admin"), largest(portal)
    form = f"{HOME}/invoices/{row.invoice_id}/dispute"
    browser.get(form)
    hidden = {k: v for k, v in browser.post(form + "/check", WORDS).hidden().items() if k != "form_key"}
    key = browser.get(form).hidden()["form_key"]
    first, again = (browser.post(form, {**hidden, "form_key": key, "then": "show"}, key=False) for _ in range(2))
    assert first.location == again.location != ""


def test_a_viewer_reads_disputes_and_cannot_make_one(portal: Portal) -> None:
    location = dispute(portal, portal.signed_in("admin")).location
    viewer, row = portal.signed_in("viewer"), largest(portal)
    assert "The price was" in viewer.get(location).text and "<textarea" not in viewer.get(location).text
    assert viewer.get(f"{HOME}/invoices/{row.invoice_id}/dispute").status == 404


def test_staff_answer_the_customer_is_told_by_mail_without_the_words_and_takes_it_back(portal: Portal) -> None:
    payer, clerk = portal.signed_in("admin"), portal.staff_in("support")
    location = dispute(portal, payer).location
    queue = clerk.get(f"{STAFF}/disputes")
    assert "Price" in queue.text and location.rpartition("/")[2] in queue.text
    page = f"{STAFF}{location}"
    assert act(clerk, page, "say", words="Which price do you mean?").status == 303
    (letter,) = portal.mail("dispute_news")
    assert "Which price" not in repr(letter) and letter.url.endswith(location)
    assert "Which price do you mean?" in payer.get(location).text
    assert act(payer, location, "withdraw").status == 303
    assert "Withdrawn" in payer.get(location).text
    assert location.rpartition("/")[2] not in clerk.get(f"{STAFF}/disputes").text


def test_staff_refuse_with_a_reason_and_it_is_reopened_once(portal: Portal) -> None:
    payer, clerk = portal.signed_in("admin"), portal.staff_in("support")
    location = dispute(portal, payer).location
    page = f"{STAFF}{location}"
    assert act(clerk, page, "refuse", words="").status == 422
    assert act(clerk, page, "refuse", words="As in your contract").status == 303
    assert largest(portal).disputed_minor == 0
    assert act(payer, location, "reopen", words="Not in ours").status == 303
    assert act(clerk, page, "refuse", words="It is on page 3").status == 303
    assert "Reopen the dispute" not in payer.get(location).text


def test_staff_credit_a_part_and_the_rest_is_due_again(portal: Portal) -> None:
    payer, clerk, row = portal.signed_in("admin"), portal.staff_in("support"), largest(portal)
    location = dispute(portal, payer).location
    page = f"{STAFF}{location}"
    told = {"reason": "price", "amount": "119.00", "why": "agreed by phone", "seen": seen(clerk, page)}
    checked = clerk.post(f"{page}/credit/check", told)
    assert checked.status == 200, checked.text
    clerk.post(f"{page}/credit", {k: v for k, v in checked.hidden().items() if k != "form_key"})
    now = largest_by(portal, row.invoice_id)
    assert (now.disputed_minor, now.open_minor) == (0, row.open_minor - 11900)
    assert "Credited" in payer.get(location).text


def test_a_large_credit_is_agreed_to_by_a_second_person_who_thereby_decides_the_dispute(portal: Portal) -> None:
    payer, clerk = portal.signed_in("admin"), portal.staff_in("analyst")
    location = dispute(portal, payer).location
    page = f"{STAFF}{location}"
    told = {"reason": "price", "amount": "", "why": "our mistake", "seen": seen(clerk, page)}
    checked = clerk.post(f"{page}/credit/check", told)
    clerk.post(f"{page}/credit", {k: v for k, v in checked.hidden().items() if k != "form_key"})
    assert "Credit being agreed" in payer.get(location).text
    approver = portal.staff_in("approver")
    proposal = re.search(r"/proposals/(prop_\w+)", approver.get(f"{STAFF}/proposals").text)
    assert proposal is not None
    where = f"{STAFF}/proposals/{proposal[1]}"
    agreed = approver.post(f"{where}/agree", {"seen": approver.get(where).hidden()["seen"]})
    assert agreed.status == 303, agreed.text
    found = portal.region.store.get(scenes.NORTH, f"dispute#{location.rpartition('/')[2]}")
    assert found is not None and found["status"] == DisputeState.CREDITED


def test_one_dispute_is_two_calls_for_both_sides_and_a_file_is_on_it_as_soon_as_it_is_said(portal: Portal) -> None:
    browser, clerk = portal.signed_in("admin"), portal.staff_in("analyst")
    page = dispute(portal, browser).location
    theirs = f"{STAFF}{page}"
    calls: list[str] = []
    for one, path in ((browser, page), (clerk, theirs)):
        one.get(path)
        portal.region.wire.watch = calls.append
        assert one.get(path).status == 200
        portal.region.wire.watch = None
        assert len(calls) == 2, calls
        calls.clear()
    about = f"{HOME}/invoices/{largest(portal).invoice_id}/files"
    form = browser.get(about)
    sent = browser.post(about, {**form.hidden(), "title": "The offer as signed"})
    assert sent.status in (200, 303), sent.text
    for one, path in ((browser, page), (clerk, theirs)):
        assert "The offer as signed" in one.get(path).text == one.get(path).text
