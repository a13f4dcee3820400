"""What customers paid: the same reading as the portal's pages of payments."""

from __future__ import annotations

from functions.api.call import Call
from functions.api.endpoint import Routes, Rule
from functions.api.operation import Operation
from functions.api.reaching import account_of
from functions.api.tags import tagged
from functions.api.v1.models import PageQuery, PaymentOut, PaymentPage
from functions.api.v1.presenting import payment_out
from functions.http.answers import JSON, Answer
from saldo.access.model_api_keys import Scope
from saldo.kernel.ids import check_id
from saldo.payments import reading

routes = Routes("api_payments")

LIST = Operation(
    id="listPayments",
    tag="Payments",
    summary="List an account's payments, page by page",
    description="The newest first. Go on with `cursor` while `has_more`.",
    answers=PaymentPage,
    query=PageQuery,
    refusals={"invalid_cursor": "start again from the first page"},
)
ONE = Operation(
    id="getPayment",
    tag="Payments",
    summary="One payment, and the invoices that it was applied to",
    description="Send the `ETag` back as `If-None-Match` to hear only whether it has changed.",
    answers=PaymentOut,
    has_etag=True,
)


@routes.get("/api/v1/accounts/{account_id}/payments", Rule(LIST, scope=Scope.PAYMENTS_READ))
def list_payments(call: Call) -> Answer:
    asked = call.asked(PageQuery)
    account_id, store = account_of(call)
    found = reading.page(store, account_id, asked.limit, asked.cursor or None)
    data = [payment_out(payment) for payment in found.payments]
    answer = PaymentPage(data=data, has_more=found.cursor is not None, next_cursor=found.cursor)
    return Answer(answer.model_dump_json(), kind=JSON)


@routes.get("/api/v1/accounts/{account_id}/payments/{payment_id}", Rule(ONE, scope=Scope.PAYMENTS_READ))
def get_payment(call: Call) -> Answer:
    account_id, store = account_of(call)
    found = reading.load(store, account_id, check_id(call.params["payment_id"], "pay"))
    return tagged(call, payment_out(found).model_dump_json())
