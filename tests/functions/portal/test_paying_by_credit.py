"""Credit in the pay flow: shown when choosing, set off when confirmed, kept where the payer wants to keep it."""

from __future__ import annotations

from typing import Any

import pytest

from functions.portal import services
from saldo.audit.model import Actor
from saldo.invoicing.corrections import Corrections, CreditRequest
from saldo.invoicing.reading import open_rows
from saldo.invoicing.rules_corrections import Reason
from saldo.invoicing.wallet_records import wallet_from, wallet_key
from saldo.ledger.model import EntryKind, LedgerAccount, Posting, entry_for
from saldo.ledger.records import post
from saldo.storage.units import Unit
from saldo.tax.table import TableTax, shipped_table
from tests.contexts.sellers import ENTITY
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser, Page
from tests.functions.portal.conftest import Portal
from tests.functions.portal.test_methods import HOME, shop

__all__ = ["shop"]
CLERK = Actor("staff_eu_x", "staff")
CREDIT = 1_000


def notes() -> int:
    return wallet_from(services.store().get(*wallet_key(scenes.NORTH))).credit_note_minor


def smallest() -> Any:
    return min(open_rows(services.store(), scenes.NORTH), key=lambda r: r.open_minor)


@pytest.fixture
def credited(shop: Portal) -> Portal:
    """A part of an invoice that was paid is credited: it is the customer's."""
    items = services.store().query_all(scenes.NORTH, prefix="invoice#")
    paid = next(i for i in items if i["status"] == "paid" and i["document"] == "invoice" and i["total_minor"] > 5_000)
    asked = CreditRequest(scenes.NORTH, paid["invoice_id"], "r1", Reason.GOODWILL, CLERK, total_minor=CREDIT)
    Corrections(services.store(), shop.clock, TableTax(shipped_table())).credit(asked)
    assert notes() == CREDIT
    return shop


def checked(browser: Browser, **fields: str) -> Page:
    row = smallest()
    assert "to your credit" in browser.get(f"{HOME}/pay?pay={row.invoice_id}").text
    page = browser.post(f"{HOME}/pay/check", {"pay": row.invoice_id, **fields})
    assert page.status == 200, page.text
    return page


def confirm(browser: Browser, page: Page, credit: str) -> Page:
    fields = {k: v for k, v in page.hidden().items() if k != "form_key"}
    return browser.post(f"{HOME}/pay/confirm", {**fields, "credit": credit})


def test_the_rest_is_charged_and_the_same_form_sets_off_once(credited: Portal) -> None:
    browser, row = credited.signed_in("admin"), smallest()
    page = checked(browser)
    assert "Use the credit and pay" in page.text and "€10.00" in page.text
    sent = confirm(browser, page, "use")
    assert sent.status == 303 and notes() == 0
    (latest,) = services.payments().of_account(scenes.NORTH, limit=1)
    assert latest.amount.minor == row.open_minor - CREDIT
    browser.get(f"{HOME}/pay")
    assert confirm(browser, page, "use").location == sent.location
    assert smallest().open_minor <= row.open_minor - CREDIT


def test_choosing_what_to_pay_is_two_calls_also_where_money_lies_unapplied(credited: Portal) -> None:
    browser, bill = credited.signed_in("admin"), credited.region.records.bill
    legs = Posting(LedgerAccount.UNAPPLIED_CASH, -500), Posting(LedgerAccount.OPENING_BALANCE, 500)
    lies = entry_for(EntryKind.INVOICE_IMPORTED, booked_on=scenes.TODAY, entity_id=ENTITY, account_id=scenes.NORTH,
                     currency="EUR", source_id="lies", postings=legs)  # fmt: skip
    services.store().write_one(post(Unit("lies"), lies, correlation_id=""))
    for most in (3, 2):
        before = bill.calls.copy()
        assert browser.get(f"{HOME}/pay").status == 200 and (bill.calls - before).total() == most
        browser.get("/invoices")


def test_credit_can_be_kept(credited: Portal) -> None:
    browser, row = credited.signed_in("admin"), smallest()
    confirm(browser, checked(browser), "keep")
    (latest,) = services.payments().of_account(scenes.NORTH, limit=1)
    assert latest.amount.minor == row.open_minor and notes() == CREDIT


def test_where_credit_pays_for_all_no_gateway_is_asked(credited: Portal) -> None:
    browser, row = credited.signed_in("admin"), smallest()
    before = [p.id for p in services.payments().of_account(scenes.NORTH)]
    page = checked(browser, **{f"amount.{row.invoice_id}": "5.00", "reason": "a first part"})
    assert "Settle with your credit" in page.text
    assert confirm(browser, page, "use").location == f"{HOME}/invoices/{row.invoice_id}"
    assert notes() == CREDIT - 500 and [p.id for p in services.payments().of_account(scenes.NORTH)] == before


def test_credit_that_changed_meanwhile_is_shown_again(credited: Portal) -> None:
    browser = credited.signed_in("admin")
    page = checked(browser)
    other = checked(credited.signed_in("admin"), **{f"amount.{smallest().invoice_id}": "5.00", "reason": "a part"})
    second = credited.signed_in("admin")
    second.get(f"{HOME}/pay")
    confirm(second, other, "use")
    again = confirm(browser, page, "use")
    assert again.status == 422 and notes() == CREDIT - 500


def test_a_credit_note_falls_due_never_and_leads_to_its_invoice(credited: Portal) -> None:
    items = list(services.store().query_all(scenes.NORTH, prefix="invoice#"))
    (note,) = [i for i in items if i["document"] == "credit_note"]
    page = credited.signed_in("admin").get(f"{HOME}/invoices/{note['invoice_id']}").text
    assert f'href="{HOME}/invoices/{note["of_invoice"]}">The invoice that it takes back' in page
    assert "<dt>Due</dt>" not in page and "-€" not in page and "\N{MINUS SIGN}€" in page
