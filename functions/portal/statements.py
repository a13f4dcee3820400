"""Statements of account for any range of dates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from functions.portal.answers import Answer
from functions.portal.endpoint import Routes, roles
from functions.portal.forms import whole
from functions.portal.pages import page
from functions.portal.presenters.filters import date_from
from functions.portal.presenters.statements import statement_file, statement_view, without_number
from functions.portal.records_of_reading import note_read
from functions.portal.table_files import file_links, files, table_file
from functions.portal.visit import Visit
from saldo.access.model_visibility import Document
from saldo.access.rules import READERS
from saldo.access.rules_visibility import seen_from
from saldo.invoicing.reading import rows_by_id
from saldo.kernel.errors import Problems, Refusal
from saldo.kernel.periods import add_months
from saldo.ledger import statements as read
from saldo.ledger.model_statement import Statement
from saldo.ledger.records import BALANCE
from saldo.ledger.records_statement import DAY_SUMS

routes = Routes("statements")


@routes.get("/accounts/{account_id}/statement", roles(READERS, Document.STATEMENT, ahead=(BALANCE, DAY_SUMS)))
def statement(visit: Visit) -> Answer:
    problems: list[tuple[str, str]] = []
    try:
        from_on, to_on = _range(visit)
    except Refusal as refusal:
        problems = [(p.field, visit.words(f"problem.{p.code}")) for p in refusal.problems]
        from_on, to_on = _usual(visit)
    found = read.statement(visit.records, visit.account.account_id, from_on, to_on, _page(visit), visit.today)
    numbers = _numbers(visit, found.statements)
    views = [statement_view(s, from_on, to_on, found.page, numbers, visit.home, visit.words) for s in found.statements]
    turned = [_at(visit, from_on, to_on, n) if 1 <= n <= found.pages else "" for n in (found.page - 1, found.page + 1)]
    links = file_links(visit.words, f"{visit.home}/statement", f"from={from_on}&to={to_on}")
    values = {"views": views, "from_on": from_on, "to_on": to_on, "found": found, "turned": turned, "files": links}
    return page(visit, "statement", status=422 if problems else 200, problems=problems, tab="statement", **values)


@files(routes, "/accounts/{account_id}/statement", roles(READERS, Document.STATEMENT))
def export(visit: Visit) -> Answer:
    from_on, to_on = _range(visit)
    found = read.whole(visit.records, visit.account.account_id, from_on, to_on, visit.today)
    numbers = _numbers(visit, found)
    note_read(visit, "statement.exported", f"{from_on} {to_on}")
    table = statement_file(found, numbers, from_on, visit.words)
    return table_file(visit, table, f"{visit.words('file.statement')}-{from_on}-{to_on}")


def _numbers(visit: Visit, found: Sequence[Statement]) -> dict[str, str]:
    """Of invoices that were booked before their number was kept beside the entry: one call more, if there are any."""
    rows = rows_by_id(visit.records, visit.account.account_id, without_number(found))
    return {invoice_id: row.number for invoice_id, row in rows.items()}


def _page(visit: Visit) -> int:
    return whole(visit.asked("page")) or 1


def _at(visit: Visit, from_on: date, to_on: date, page: int) -> str:
    turned = f"&page={page}" if page > 1 else ""
    return f"{visit.home}/statement?from={from_on}&to={to_on}{turned}"


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
