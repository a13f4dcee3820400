"""Payments made, where each stands, and its receipt."""

from __future__ import annotations

from functions.portal import services
from functions.portal.answers import PDF, Answer, download
from functions.portal.endpoint import Routes, roles
from functions.portal.pages import page
from functions.portal.presenters.payments import payment_rows, payment_view
from functions.portal.records_of_reading import note_read
from functions.portal.visit import Visit
from saldo.access.model_visibility import Document
from saldo.access.rules import READERS
from saldo.invoicing.reading import rows_by_id
from saldo.kernel.errors import NotFound
from saldo.kernel.ids import check_id
from saldo.payments import reading
from saldo.payments.reading import load

routes = Routes("payments")
PAGE = 50


@routes.get("/accounts/{account_id}/payments", roles(READERS))
def payments(visit: Visit) -> Answer:
    seat, cursor = visit.account, visit.asked("cursor")[:600] or None
    found = reading.page(visit.records, seat.account_id, PAGE, cursor)
    rows = payment_rows(found.payments, seat.time_zone, visit.words)
    return page(visit, "payments", rows=rows, older=found.cursor, newer=cursor, tab="payments")


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
