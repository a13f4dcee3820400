"""Paying from a list of rows: each checked, every problem at once, amounts carried on to the check."""

from __future__ import annotations

from functions.portal import services
from saldo.invoicing.listing import InvoiceRow
from saldo.invoicing.reading import open_rows
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser, Page
from tests.functions.portal.conftest import GATEWAY, Portal

HOME = f"/accounts/{scenes.NORTH}"


def rows() -> list[InvoiceRow]:
    return sorted(open_rows(services.store(), scenes.NORTH), key=lambda r: r.open_minor)


def pasted(browser: Browser, text: str, path: str = "list") -> Page:
    browser.get(f"{HOME}/pay/list")
    return browser.post(f"{HOME}/pay/{path}", {"list": text})


def test_rows_in_order_lead_to_the_payment_with_their_amounts(portal: Portal) -> None:
    browser, (first, second, *_) = portal.signed_in(), rows()
    whole = f"{second.number},{second.open_minor / 100:.2f},EUR"
    shown = pasted(browser, f"number,amount,currency\n{first.number},10.00,EUR\n{whole}\n")
    assert shown.status == 200 and shown.text.count(" checked") == 2 and 'value="10.00"' in shown.text
    chosen = [("pay", first.invoice_id), ("pay", second.invoice_id), (f"amount.{first.invoice_id}", "10.00")]
    assert browser.post(f"{HOME}/pay/check", chosen).status == 422  # paid in part, and no reason yet
    check = browser.post(f"{HOME}/pay/check", [*chosen, ("reason", "rest comes in May")])
    hidden = {k: v for k, v in check.hidden().items() if k not in ("form_key", "pay")}
    fields = [*hidden.items(), ("pay", first.invoice_id), ("pay", second.invoice_id)]
    assert browser.post(f"{HOME}/pay/confirm", fields).location.startswith(GATEWAY)
    (request,) = portal.gateway.opened.values()
    assert request.amount.minor == 1000 + second.open_minor


def test_every_wrong_row_is_named_at_once_and_nothing_is_paid(portal: Portal) -> None:
    browser, (first, second, third, *_) = portal.signed_in(), rows()
    text = f"""{first.number};99999.00;EUR
RW-0000;1.00;EUR
{second.number};1.00;USD
{third.number};much;EUR
{third.number};1.00;EUR

{third.number};;EUR"""
    page = pasted(browser, text)
    assert page.status == 422 and "6 rows cannot be paid" in page.text and not portal.gateway.opened
    for line in ("1", "2", "3", "4", "5", "7"):
        assert f'<th scope="row">{line}</th>' in page.text


def test_wrong_rows_come_back_as_a_file_that_no_spreadsheet_runs(portal: Portal) -> None:
    answer = pasted(portal.signed_in(), '=HYPERLINK("http://x"),1.00,EUR\n', "list.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert "'=HYPERLINK" in answer.text and "\n=HYPERLINK" not in answer.text


def test_a_german_reads_and_writes_commas(portal: Portal) -> None:
    first = rows()[0]
    shown = pasted(portal.signed_in("payer"), f"Rechnung\tBetrag\tWährung\n{first.number}\t10,50\teur\n")
    assert shown.status == 200 and 'value="10,50"' in shown.text


def test_no_rows_and_too_many_are_told(portal: Portal) -> None:
    browser = portal.signed_in()
    assert pasted(browser, "  \n").status == 422
    assert pasted(browser, "x,1,EUR\n" * 1001).status == 422
