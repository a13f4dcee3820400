"""Billing details as the seller's people change them at a customer's wish."""

from __future__ import annotations

from datetime import date

import pytest

from functions.portal import services
from saldo.accounts.arrangements import Arrangements
from saldo.accounts.model import BillingProfile, Exemption, ExemptionCertificate, Terms
from saldo.accounts.tax_standing import TaxStanding
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import PREFIX, audit_record
from saldo.invoicing.reading import open_rows
from saldo.invoicing.records import header_key
from saldo.storage.units import Unit
from saldo.support.service import Support
from tests.contexts.sellers import ENTITY
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser, Page
from tests.functions.portal.conftest import Portal
from tests.functions.portal.test_details import WISH, now

ACCOUNT = f"/staff/{ENTITY}/accounts/{scenes.NORTH}"
DETAILS = f"{ACCOUNT}/details"
WHY = "asked for by phone, Ms Harms"
CLERK = Actor("staff_1", "staff")


def trail(portal: Portal, action: str) -> list[AuditRecord]:
    found = map(audit_record, portal.region.store.query_all(scenes.NORTH, prefix=PREFIX))
    return [record for record in found if record.action == action]


def checking(browser: Browser, **fields: str) -> Page:
    seen = browser.get(f"{DETAILS}/change").hidden()["seen"]
    return browser.post(f"{DETAILS}/check", {**WISH, "seen": seen, "why": WHY, **fields})


def confirmed(browser: Browser, checked: Page, **fields: str) -> Page:
    assert checked.status == 200, checked.text
    return browser.post(DETAILS, {k: v for k, v in checked.hidden().items() if k != "form_key"} | fields)


@pytest.mark.parametrize("who", ["analyst", "support"])
def test_a_change_is_told_then_made_with_its_reason_and_stands_in_the_timeline(portal: Portal, who: str) -> None:
    browser = portal.staff_in(who)
    assert f"{DETAILS}/change" in browser.get(f"{ACCOUNT}?show=contact").text
    checked = checking(browser)
    assert "Invoices from now on carry the new details." in checked.text and WHY in checked.text
    assert "Kontor Nord AG" in checked.text and "Kontor Nord GmbH" in checked.text and now()[1].version == 1
    assert confirmed(browser, checked).location == f"{ACCOUNT}?show=contact&done=changed"
    account, profile = now()
    assert (profile.version, profile.legal_name, account.language) == (2, "Kontor Nord AG", "fr")
    (record,) = trail(portal, "profile.changed")
    assert (record.actor.kind, record.reason) == ("staff", WHY)
    assert "Kontor Nord AG" not in repr(record) and "address" in repr(record.after)
    assert "Billing details changed" in browser.get(f"{ACCOUNT}?show=timeline").text
    assert "Kontor Nord AG" in browser.get(f"{ACCOUNT}?show=contact").text


def test_every_look_at_them_is_on_record(portal: Portal) -> None:
    portal.staff_in("support").get(f"{DETAILS}/change")
    assert [record.subject_id for record in trail(portal, "profile.viewed")] == ["profile 1"]


def test_everything_wrong_is_told_at_its_field_and_so_is_a_missing_reason(portal: Portal) -> None:
    page = checking(portal.staff_in("analyst"), legal_name="", tax_id="DE123456789", why=" ")
    assert page.status == 422 and now()[1].version == 1
    assert {name for name in (*WISH, "why") if f'href="#{name}"' in page.text} == {"legal_name", "tax_id", "why"}


def test_without_a_reason_nothing_changes_whatever_the_form_says(portal: Portal) -> None:
    browser = portal.staff_in("analyst")
    assert confirmed(browser, checking(browser), why="").status == 422
    assert confirmed(browser, checking(browser), why="", seen="0").status != 303 and now()[1].version == 1


def test_what_is_ticked_becomes_a_ticket_in_the_customers_language(portal: Portal) -> None:
    browser = portal.staff_in("support")
    checked = checking(browser, language="de")
    shown = [line.split('"')[0] for line in checked.text.split('name="correct" value="')[1:]]
    assert len(shown) == 7, "those that are open, as the policy is at first"
    done = confirmed(browser, checked, correct=shown[0])
    (ticket,) = Support(services.store(), services.sealer(), services.clock).of_account(scenes.NORTH)
    assert done.location == f"{ACCOUNT}/tickets/{ticket.id}" and ticket.answer_due_at is not None
    assert "wie gewünscht" in ticket.messages[0].text and ticket.messages[0].by_staff
    assert ticket.messages[0].text.count("RW-") == 1 and "RW-" in browser.get(done.location).text


def test_an_account_whose_drafts_are_looked_at_is_told_that_they_come_anew(portal: Portal) -> None:
    browser, told = portal.staff_in("analyst"), "has to be looked at again"
    assert told not in checking(browser).text
    Arrangements(services.store(), services.clock).change_terms(scenes.NORTH, Terms(review=True), CLERK)
    assert told in checking(browser).text


def test_a_form_of_before_anothers_change_is_refused_and_one_sent_twice_changes_once(portal: Portal) -> None:
    browser = portal.staff_in("analyst")
    checked = checking(browser)
    assert confirmed(browser, checked).status == 303
    browser.get(DETAILS + "/change")
    assert confirmed(browser, checked).status == 303 and now()[1].version == 2
    browser.get(DETAILS + "/change")
    assert "changed meanwhile" in confirmed(browser, checked, legal_name="Somebody else").text and now()[1].version == 2


def test_answers_can_be_changed_before_they_are_confirmed(portal: Portal) -> None:
    browser = portal.staff_in("analyst")
    sent = {k: v for k, v in checking(browser).hidden().items() if k != "form_key"}
    page = browser.post(f"{DETAILS}/change", sent)
    assert page.status == 200 and "Hinterhaus" in page.text and WHY in page.text


@pytest.mark.parametrize("who", ["collector", "approver", "admin", "auditor"])
def test_others_look_and_change_nothing(portal: Portal, who: str) -> None:
    browser = portal.staff_in(who)
    shown = browser.get(f"{ACCOUNT}?show=contact")
    assert "Kontor Nord GmbH" in shown.text and "/details/change" not in shown.text
    assert browser.get(f"{DETAILS}/change").status == 404
    assert browser.post(DETAILS, WISH | {"seen": "1", "why": WHY}).status == 404 and now()[1].version == 1


def test_once_a_customer_is_erased_there_is_nothing_to_change(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BillingProfile, "is_erased", True)
    browser = portal.staff_in("analyst")
    assert "/details/change" not in browser.get(f"{ACCOUNT}?show=contact").text
    assert browser.get(f"{DETAILS}/change").status == 404


def test_what_the_pages_ask_of_the_table(portal: Portal) -> None:
    """Session with the account and the profile, and one write: that it was looked at."""
    browser = portal.staff_in("analyst")
    for path in (f"{ACCOUNT}?show=contact", f"{DETAILS}/change"):
        browser.get(path)
        calls: list[str] = []
        portal.region.wire.watch = calls.append
        assert browser.get(path).status == 200 and len(calls) <= 2, (path, calls)
        portal.region.wire.watch = None


def _invoice(portal: Portal, *, largest: bool) -> str:
    rows = sorted(open_rows(portal.region.store, scenes.NORTH), key=lambda r: r.open_minor)
    return f"{ACCOUNT}/invoices/{rows[-1 if largest else 0].invoice_id}"


def _billed_again(browser: Browser, invoice: str, why: str = "asked for with the change") -> Page:
    browser.get(invoice)
    checked = browser.post(f"{invoice}/credit/check", {"again": "1", "why_again": why})
    if checked.status != 200:
        return checked
    assert "New invoice with tax" in checked.text and why in checked.text
    return browser.post(f"{invoice}/credit", {k: v for k, v in checked.hidden().items() if k != "form_key"})


def test_an_invoice_of_older_details_is_billed_again_to_those_of_now_by_two_people(portal: Portal) -> None:
    analyst, approver, invoice = portal.staff_in("analyst"), portal.staff_in("approver"), _invoice(portal, largest=True)
    assert "Bill again" not in analyst.get(invoice).text, "it is of the details of now"
    confirmed(analyst, checking(analyst))
    assert "Bill again with the details of now" in analyst.get(invoice).text
    assert 'href="#why_again"' in _billed_again(analyst, invoice, why="").text
    asked = _billed_again(analyst, invoice)
    assert "/proposals/prop_" in asked.location and not trail(portal, "credit_note.issued")
    shown = approver.get(asked.location)
    assert "Version of the billing details" in shown.text and "Billing details changed" in shown.text
    seen = shown.hidden()["seen"]
    assert approver.post(f"{asked.location}/agree", {"seen": seen}).status == 303
    (note,), (new,) = trail(portal, "credit_note.issued"), trail(portal, "invoice.issued")
    assert note.after["total_minor"] == -1_284_700 and new.reason == "master_data"
    header = portal.region.store.get(*header_key(scenes.NORTH, new.subject_id)) or {}
    assert header["buyer_profile"] == 2
    assert "Bill again" not in analyst.get(invoice).text


def test_what_was_agreed_to_is_not_billed_to_yet_other_details(portal: Portal) -> None:
    analyst, approver, invoice = portal.staff_in("analyst"), portal.staff_in("approver"), _invoice(portal, largest=True)
    confirmed(analyst, checking(analyst))
    asked = _billed_again(analyst, invoice)
    confirmed(analyst, checking(analyst, legal_name="Kontor Nord SE"))
    seen = approver.get(asked.location).hidden()["seen"]
    refused = approver.post(f"{asked.location}/agree", {"seen": seen})
    assert refused.status in (409, 422) and not trail(portal, "credit_note.issued")


def test_a_move_abroad_tells_what_it_does_and_refuses_the_old_tax_number(portal: Portal) -> None:
    exemption = Exemption("cert_a", frozenset({"DE"}), frozenset(), date(2020, 1, 1), date(2099, 1, 1))
    standing = TaxStanding(services.store(), services.sealer(), services.clock)
    standing.add_certificate(ExemptionCertificate(scenes.NORTH, "A-1", exemption), CLERK)
    browser, paris = portal.staff_in("analyst"), {"country": "fr", "city": "Paris", "postcode": "75001"}
    refused = checking(browser, **paris, tax_id=now()[1].tax_id)
    assert refused.status == 422 and "tax number of the country that is left" in refused.text
    checked = checking(browser, **paris, tax_id="FR40303265045")
    for told in ("is that of FR", "tax number of DE counts no more", "certificate for DE ends", "Currency (EUR)"):
        assert told in checked.text, told
    assert 'name="correct"' in checked.text, "what is open is offered for correction"
    assert confirmed(browser, checked).status == 303 and now()[0].country == "FR"
    assert "country: DE → FR" in browser.get(f"{ACCOUNT}?show=timeline").text
    works = {"country": "AT", "exemptions": "[]"}
    services.store().write_one(Unit("taxed at its works").update((scenes.NORTH, "account"), set=works))
    back = checking(browser, tax_id="ATU13585627", country="DE")
    assert "Tax stays that of AT" in back.text and "is that of DE" not in back.text
    again = _billed_again(browser, _invoice(portal, largest=True))
    portal.staff_in("approver").get(again.location)
    assert "/proposals/prop_" in again.location
