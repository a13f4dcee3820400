"""Statements of account for any range of dates."""

from __future__ import annotations

from datetime import date

from functions.portal.answers import CSV, Answer, download
from functions.portal.endpoint import Routes, roles
from functions.portal.pages import page
from functions.portal.presenters.invoices import date_from
from functions.portal.presenters.spreadsheets import csv_text
from functions.portal.presenters.statements import Statement, export_rows, statement_view, statements
from functions.portal.records_of_reading import note_read
from functions.portal.visit import Visit
from saldo.access.model_visibility import Document
from saldo.access.rules import READERS
from saldo.access.rules_visibility import seen_from
from saldo.invoicing.listing import InvoiceRow
from saldo.invoicing.reading import numbers_between
from saldo.kernel.errors import Problems, Refusal
from saldo.kernel.periods import add_months
from saldo.ledger import service as ledger

routes = Routes("statements")


@routes.get("/accounts/{account_id}/statement", roles(READERS, Document.STATEMENT))
def statement(visit: Visit) -> Answer:
    problems: list[tuple[str, str]] = []
    try:
        from_on, to_on = _range(visit)
    except Refusal as refusal:
        problems = [(p.field, visit.words(f"problem.{p.code}")) for p in refusal.problems]
        from_on, to_on = _usual(visit)
    found, rows = _read(visit, from_on, to_on)
    views = [statement_view(s, from_on, to_on, rows, visit.home, visit.words) for s in found]
    values = {"views": views, "from_on": from_on, "to_on": to_on, "tab": "statement", "problems": problems}
    return page(visit, "statement", status=422 if problems else 200, **values)


@routes.get("/accounts/{account_id}/statement.csv", roles(READERS, Document.STATEMENT))
def export(visit: Visit) -> Answer:
    from_on, to_on = _range(visit)
    found, rows = _read(visit, from_on, to_on)
    note_read(visit, "statement.exported", f"{from_on} {to_on}")
    text = csv_text(export_rows(found, rows, from_on, visit.words))
    return download(text, CSV, f"{visit.words('file.statement')}-{from_on}-{to_on}.csv")


def _read(visit: Visit, from_on: date, to_on: date) -> tuple[list[Statement], dict[str, InvoiceRow]]:
    account_id = visit.account.account_id
    found = statements(ledger.entries(visit.records, account_id, as_of=to_on), from_on, to_on)
    return found, numbers_between(visit.records, account_id, from_on, to_on)


def _range(visit: Visit) -> tuple[date, date]:
    problems = Problems()
    usual = _usual(visit)
    from_on, to_on = (date_from(visit.asked(name), name, problems) for name in ("from", "to"))
    from_on, to_on = from_on or usual[0], to_on or usual[1]
    if not problems and to_on < from_on:
        problems.add("to", "before_from", "the last date lies before the first")
    since = seen_from(visit.account.visibility, visit.today)
    if since is not None:  # older entries count in the opening balance and are not shown
        from_on, to_on = max(from_on, since), max(to_on, since)
    problems.refuse_if_any("not a range of dates", "invalid_range")
    return from_on, to_on


def _usual(visit: Visit) -> tuple[date, date]:
    """Three months up to today, from the first day of a month."""
    return add_months(visit.today.replace(day=1), -3), visit.today
