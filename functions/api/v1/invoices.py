"""What was invoiced."""

from __future__ import annotations

from functions.api import services
from functions.api.call import Call
from functions.api.endpoint import Routes, Rule
from functions.api.operation import Operation
from functions.api.reaching import account_of
from functions.api.tags import tagged
from functions.api.v1.models import InvoiceDetail, InvoicePage, InvoiceQuery
from functions.api.v1.presenting import invoice_detail, invoice_out
from functions.http.answers import JSON, Answer
from saldo.access.model_api_keys import Scope
from saldo.audit.model import AuditRecord
from saldo.audit.records import audit_item
from saldo.invoicing import reading_seller
from saldo.kernel.ids import check_id

routes = Routes("api_invoices")

LIST = Operation(
    id="listInvoices",
    tag="Invoices",
    summary="List issued invoices, page by page",
    description="By account, of each account the newest first. Go on while `has_more`; a page may be short or empty.",
    answers=InvoicePage,
    query=InvoiceQuery,
    refusals={"invalid_cursor": "start again from the first page"},
)
ONE = Operation(
    id="getInvoice",
    tag="Invoices",
    summary="One issued invoice with its lines",
    description="Send the `ETag` back as `If-None-Match` to hear only whether it has changed.",
    answers=InvoiceDetail,
    has_etag=True,
)


@routes.get("/api/v1/invoices", Rule(LIST, scope=Scope.INVOICES_READ))
def list_invoices(call: Call) -> Answer:
    asked = call.asked(InvoiceQuery)
    wish = reading_seller.SellerWish(asked.account or "", asked.status or "", asked.issued_from, asked.issued_to)
    bounds = call.entity_id, wish, call.now, asked.limit, asked.cursor
    found = reading_seller.page(
        services.store(), *bounds, lambda account_id: services.records_of(account_id, name=call.key.id)
    )
    data = [invoice_out(header) for header in found.headers]
    answer = InvoicePage(data=data, has_more=found.cursor is not None, next_cursor=found.cursor)
    return Answer(answer.model_dump_json(), kind=JSON)


@routes.get("/api/v1/accounts/{account_id}/invoices/{invoice_id}", Rule(ONE, scope=Scope.INVOICES_READ))
def get_invoice(call: Call) -> Answer:
    account_id, store = account_of(call)
    invoice_id = check_id(call.params["invoice_id"], "inv")
    found = reading_seller.invoice(store, call.entity_id, account_id, invoice_id)
    answer = tagged(call, invoice_detail(found).model_dump_json(by_alias=True))
    if answer.status != 304:
        seen = AuditRecord(account_id, call.now, call.actor, "invoice.viewed", invoice_id)
        store.put_many([audit_item(seen)])
    return answer
