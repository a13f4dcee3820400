"""An account's next invoice before its day, and what was used of it so far."""

from __future__ import annotations

from functions.api import services
from functions.api.call import Call
from functions.api.endpoint import Routes, Rule
from functions.api.operation import Operation
from functions.api.reaching import account_of
from functions.api.v1.models import NextInvoiceOut
from functions.api.v1.presenting_ahead import next_invoice_out
from functions.http.answers import JSON, Answer
from saldo.access.model_api_keys import Scope

routes = Routes("api_ahead")

NEXT = Operation(
    id="getNextInvoice",
    tag="Invoices",
    summary="The next invoice of an account: as it stands, and as it is likely to be",
    description="By the run's own path, its tax as an estimate, with each meter's usage so far and its forecast.",
    answers=NextInvoiceOut,
    refusals={
        "not_found": "there is no such account of this seller",
        "nothing_ahead": "nothing is left that a run would bill",
        "usage_in_files": "the account's usage lies in files, which are not counted live",
    },
)


@routes.get("/api/v1/accounts/{account_id}/next-invoice", Rule(NEXT, scope=Scope.INVOICES_READ))
def get_next_invoice(call: Call) -> Answer:
    account_id, reached = account_of(call, with_seller=True)
    ahead = services.forecasts(reached).next_invoice(account_id, call.entity_id)
    return Answer(next_invoice_out(ahead).model_dump_json(by_alias=True), kind=JSON)
