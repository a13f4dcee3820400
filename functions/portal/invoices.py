"""The list of invoices, its export, one invoice and its PDF."""

from __future__ import annotations

from functions.portal import services
from functions.portal.answers import PDF, Answer, download, see_other
from functions.portal.endpoint import Routes, roles
from functions.portal.forms import whole
from functions.portal.pages import page
from functions.portal.presenters.expected import besides
from functions.portal.presenters.invoice_lists import list_view, picked_from, register_file, wish_from
from functions.portal.presenters.invoices import invoice_view
from functions.portal.presenters.seller import bank_details, names_another_account
from functions.portal.records_of_reading import note_read
from functions.portal.table_files import files, table_file
from functions.portal.visit import Visit
from saldo.access.model_visibility import Document
from saldo.access.rules import READERS
from saldo.access.rules_people import ADMINS
from saldo.access.rules_views import default_view
from saldo.autopay.records import rule_key
from saldo.invoicing import reading
from saldo.invoicing.listing import ListWish
from saldo.kernel.errors import Refusal
from saldo.kernel.ids import check_id
from saldo.payments.pay_links import pay_link_from, pay_link_key

routes = Routes("invoices")


@routes.get("/accounts/{account_id}/invoices", roles(READERS))
def invoices(visit: Visit) -> Answer:
    """What the address asks for; without any query, the reader's default view."""
    account_id = visit.account.account_id
    default = default_view(visit.who.views, account_id)
    if default and not visit.query:
        return see_other(f"{visit.home}/invoices?{default.query}")
    wish, picked, problems = _asked(visit)
    found = reading.listed(visit.records, account_id, wish, visit.today)
    shown = {row.invoice_id for row in found.rows}
    others = reading.rows_by_id(visit.records, account_id, [i for i in picked if i not in shown])
    views = [view for view in visit.who.views if view.account_id == account_id]
    view = list_view(found, wish, picked, others, views, visit.home, visit.today, visit.words)
    values = {"view": view, "wish": wish, "tab": "invoices", "problems": problems}
    return page(visit, "invoices", status=422 if problems else 200, **values)


def _asked(visit: Visit) -> tuple[ListWish, list[str], list[tuple[str, str]]]:
    """The list, what is ticked on it, and what is wrong with the address."""
    try:
        return wish_from(visit.query), picked_from(visit.query), []
    except Refusal as refusal:
        return ListWish(), [], [(p.field, visit.words(f"problem.{p.code}")) for p in refusal.problems]


@files(routes, "/accounts/{account_id}/invoices", roles(READERS, Document.LISTS))
def export(visit: Visit) -> Answer:
    """What is ticked, or else all that fits."""
    picked, account_id = picked_from(visit.query), visit.account.account_id
    if picked:
        rows = list(reading.rows_by_id(visit.records, account_id, picked).values())
    else:
        rows = reading.register(visit.records, account_id, wish_from(visit.query), visit.today)
    note_read(visit, "register.exported", f"{len(rows)} invoices")
    table = register_file(rows, visit.today, visit.words)
    return table_file(visit, table, f"{visit.words('file.invoices')}-{visit.today}")


@routes.get("/accounts/{account_id}/invoices/{invoice_id}", roles(READERS, looks=("invoice.viewed", "invoice_id")))
def invoice(visit: Visit) -> Answer:
    seat, invoice_id = visit.account, check_id(visit.params["invoice_id"], "inv")
    seller_key = (seat.entity_id, "entity")
    link_key, autopay_key = pay_link_key(seat.account_id, invoice_id), rule_key(seat.account_id)
    keys = (seller_key, link_key, autopay_key, *besides(seat.account_id, invoice_id))
    found = reading.invoice(visit.records, seat.account_id, invoice_id, keys)
    bank = bank_details(found.others.get(seller_key), found.header, visit.now, visit.words)
    view = invoice_view(found, visit.today, seat.time_zone, visit.words, whole(visit.asked("lines")))
    link = pay_link_from(found.others.get(link_key)) if seat.role in ADMINS else None
    rule = found.others.get(autopay_key) if visit.may_pay and view.is_open else None
    autopay = {"leave_out": invoice_id in rule["excluded"]} if rule and rule["is_on"] else None
    return page(visit, "invoice", view=view, bank=bank, link=link, autopay=autopay, tab="invoices")


@routes.get("/accounts/{account_id}/invoices/{invoice_id}/pdf", roles(READERS, Document.INVOICE))
def invoice_pdf(visit: Visit) -> Answer:
    """By way of the page while money is asked for and the PDF may name an account of before: there a word stands beside
    it, and its button (`?told=`) leads to the file."""
    invoice_id = check_id(visit.params["invoice_id"], "inv")
    seller_key = (visit.account.entity_id, "entity")
    found = reading.invoice(visit.records, visit.account.account_id, invoice_id, (seller_key,))
    header = found.header
    if names_another_account(found.others.get(seller_key), header) and not visit.asked("told"):
        return see_other(f"{visit.home}/invoices/{invoice_id}#transfer")
    body = services.document(visit.account.account_id, {"invoice_id": invoice_id})
    note_read(visit, "invoice.downloaded", invoice_id)
    return download(body, PDF, f"{header.number}.pdf")
