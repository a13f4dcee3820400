"""A remittance list that is pasted in: every row checked, what is wrong as a file, what is right on to the payment."""

from __future__ import annotations

from collections.abc import Sequence

from functions.portal.answers import CSV, Answer, download
from functions.portal.endpoint import Routes, roles
from functions.portal.pages import page
from functions.portal.paying import choice_page
from functions.portal.presenters.paying import Wanted, payables_of, typed_amount
from functions.portal.presenters.spreadsheets import csv_text
from functions.portal.visit import Visit
from saldo.access.model_visibility import SelfService
from saldo.access.rules import PAYERS
from saldo.invoicing.listing import InvoiceRow
from saldo.invoicing.reading import open_rows
from saldo.kernel.errors import Refusal
from saldo.payments.rules_remittance import RemittanceRow, rows_of
from saldo.storage.classified import EXPORTS

routes = Routes("remittance")
_PAY = roles(PAYERS, SelfService.PAY)
_MOST = 100_000


@routes.get("/accounts/{account_id}/pay/list", _PAY)
def form(visit: Visit) -> Answer:
    return _page(visit, [], [])


@routes.post("/accounts/{account_id}/pay/list", _PAY)
def check(visit: Visit) -> Answer:
    """All rows in order: on to the payment with each amount filled in; else every problem at once."""
    rows = open_rows(visit.records, visit.account.account_id)
    try:
        found = _read(visit, rows)
    except Refusal as refusal:
        return _page(visit, [], [("list", visit.words.known(f"problem.{refusal.code}", "failure.422.text"))])
    wrong = [row for row in found if row.code]
    if wrong:
        return _page(visit, wrong, [("list", visit.words.count("remittance.wrong", len(wrong)))])
    by_id = {row.invoice_id: row for row in rows}
    paid = [row.allocation for row in found if row.allocation]
    typed = {a.invoice_id: visit.words.amount(a.minor, by_id[a.invoice_id].currency) for a in paid}
    return choice_page(visit, rows, Wanted(tuple(typed), typed), ())


@routes.post("/accounts/{account_id}/pay/list.csv", _PAY)
def wrong_rows(visit: Visit) -> Answer:
    """The rows that are wrong, each with what is wrong, for whoever made the list."""
    found = _read(visit, open_rows(visit.records, visit.account.account_id))
    head = [visit.words(f"remittance.{name}") for name in EXPORTS["remittance"]]
    lines = [[r.number, r.amount, r.currency, _text(visit, r)] for r in found if r.code]
    return download(csv_text([head, *lines]), CSV, f"{visit.words('remittance.file')}-{visit.today}.csv")


def _read(visit: Visit, rows: Sequence[InvoiceRow]) -> list[RemittanceRow]:
    def minor_of(amount: str, currency: str) -> int:
        return typed_amount(amount, currency, visit.words.language)

    return rows_of(visit.sent("list")[:_MOST], payables_of(rows).values(), minor_of)


def _text(visit: Visit, row: RemittanceRow) -> str:
    return visit.words.known(f"problem.{row.code}", "problem.other")


def _page(visit: Visit, wrong: Sequence[RemittanceRow], problems: Sequence[tuple[str, str]]) -> Answer:
    lines = [(str(r.line), r.number, r.amount, r.currency, _text(visit, r)) for r in wrong]
    shown = {"wrong": lines, "typed": visit.sent("list")[:_MOST], "problems": problems}
    return page(visit, "pay_list", status=422 if problems else 200, tab="invoices", **shown)
