"""What customers order. A key's name is the party that orders."""

from __future__ import annotations

from functions.api import services
from functions.api.call import Call
from functions.api.endpoint import Routes, Rule
from functions.api.operation import PLAIN_JSON, Operation
from functions.api.repeating import HEADER
from functions.api.v1.models import DiscrepancyOut, OrderIn, OrderReceipt
from functions.http.answers import JSON, Answer
from saldo.access.model_api_keys import Scope
from saldo.kernel.errors import Refusal
from saldo.orders.model_orders import Channel
from saldo.orders.reading import order_from_json

routes = Routes("api_orders")
MOST_BYTES = 500_000

RECEIVE = Operation(
    id="createOrder",
    tag="Orders",
    summary="Take in an order",
    description=(
        "What agrees with customer, contract and price is placed; what does not waits for a person, with its "
        "discrepancies. Lines of a purchase order that came before are not taken again; the answer then says "
        "`repeated`. An Idempotency-Key names the delivery for ever."
    ),
    takes={PLAIN_JSON: OrderIn},
    answers=OrderReceipt,
    status=202,
    refusals={"invalid_input": "every field at fault is named", "invalid_order": "every field at fault is named"},
)


@routes.post("/api/v1/orders", Rule(RECEIVE, scope=Scope.ORDERS_WRITE, most_bytes=MOST_BYTES))
def create_order(call: Call) -> Answer:
    request = order_from_json(call.document, f"api:{call.key.name}", Channel.API)
    name = call.headers.get(HEADER, "")
    try:
        receipt = services.orders().receive(call.entity_id, request, call.actor, key=name, origin=call.key.id)
    except Refusal as refusal:
        if refusal.code == "key_reused":
            raise Refusal("idempotency_key_reused", "this Idempotency-Key stood for another order before") from refusal
        raise
    found = [DiscrepancyOut(line=d.line, code=d.code.value, message=d.message) for d in receipt.discrepancies]
    answer = OrderReceipt(
        id=receipt.order_id,
        account=receipt.account_id or None,
        status=receipt.status.value,
        repeated=receipt.repeated,
        discrepancies=found,
        before=list(receipt.before),
    )
    return Answer(answer.model_dump_json(), 202, JSON)
