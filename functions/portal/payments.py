"""Payments made, where each stands, and its receipt."""

from __future__ import annotations

from functions.portal import services
from functions.portal.answers import PDF, Answer, download
from functions.portal.endpoint import Routes, roles
from functions.portal.lists import Kind, asked_of, list_page
from functions.portal.pages import page
from functions.portal.presenters.filters import filter_from, query_of
from functions.portal.presenters.payments import fits, payment_rows, payment_view, payments_file
from functions.portal.records_of_reading import note_read
from functions.portal.table_files import file_links, files, table_file
from functions.portal.visit import Visit
from saldo.access.model_visibility import Document
from saldo.access.rules import READERS
from saldo.invoicing.reading import rows_by_id
from saldo.kernel.errors import NotFound
from saldo.kernel.ids import check_id
from saldo.payments import records
from saldo.payments.model import Payment, PaymentStatus
from saldo.payments.reading import load

routes = Routes("payments")


@routes.get("/accounts/{account_id}/payments", roles(READERS))
def payments(visit: Visit) -> Answer:
    kind, zone = _kind(visit), visit.account.time_zone
    asked, _ = asked_of(visit, kind)
    links = file_links(visit.words, f"{visit.home}/payments", query_of(asked))
    shown = lambda found: payment_rows(found.rows, zone, visit.words)  # noqa: E731 - said where it is used
    return list_page(visit, kind, shown, "payments", files=links)


@files(routes, "/accounts/{account_id}/payments", roles(READERS, Document.LISTS))
def export(visit: Visit) -> Answer:
    """All that fits."""
    kind, zone = _kind(visit), visit.account.time_zone
    asked = filter_from(visit.query, tuple(kind.statuses))
    found = visit.records.query_all(visit.account.account_id, prefix=kind.prefix, newest_first=True)
    rows = [paid for paid in map(kind.row_of, found) if kind.fits(paid, asked)]
    note_read(visit, "payments.exported", f"{len(rows)} payments")
    return table_file(visit, payments_file(rows, zone, visit.words), f"{visit.words('file.payments')}-{visit.today}")


def _kind(visit: Visit) -> Kind[Payment]:
    zone = visit.account.time_zone
    statuses = {status.value: f"payment_status.{status}" for status in PaymentStatus}
    return Kind("payments", records.PREFIX, statuses, records.payment_from, lambda paid, asked: fits(paid, asked, zone))


@routes.get("/accounts/{account_id}/payments/{payment_id}", roles(READERS))
def payment(visit: Visit) -> Answer:
    seat = visit.account
    found = load(visit.records, seat.account_id, check_id(visit.params["payment_id"], "pay"))
    unnamed = [a.invoice_id for a in (*found.applied, *found.allocations) if not a.number]  # of before it was kept
    rows = rows_by_id(visit.records, seat.account_id, unnamed)
    return page(visit, "payment", view=payment_view(found, rows, seat.time_zone, visit.words), tab="payments")


@routes.get("/accounts/{account_id}/payments/{payment_id}/pdf", roles(READERS, Document.RECEIPT))
def receipt_pdf(visit: Visit) -> Answer:
    found = load(visit.records, visit.account.account_id, check_id(visit.params["payment_id"], "pay"))
    if not found.receipt_number:
        raise NotFound("no receipt yet")
    body = services.document(visit.account.account_id, {"payment_id": found.id})
    note_read(visit, "receipt.downloaded", found.id)
    return download(body, PDF, f"{found.receipt_number}.pdf")
