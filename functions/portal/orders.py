"""Orders of an account: where each stands, what of it was invoiced and what is still to come."""

from __future__ import annotations

from functions.portal.answers import Answer
from functions.portal.endpoint import Routes, roles
from functions.portal.lists import Kind, list_page
from functions.portal.pages import page
from functions.portal.presenters.orders import order_rows, order_view
from functions.portal.visit import Visit
from saldo.access.rules import READERS
from saldo.kernel.errors import NotFound
from saldo.kernel.ids import check_id
from saldo.orders import records_orders as records
from saldo.orders.model_orders import OrderStatus
from saldo.orders.showing import progress_of

routes = Routes("orders")
_ORDERS = Kind(
    "orders",
    records.PREFIX,
    {status.value: f"orders.state.{status}" for status in OrderStatus},
    records.order_from,
    lambda order, asked: asked.holds(
        order.request.order_on, order.status, order.request.purchase_order, order.id, order.request.cost_centre
    ),
)


@routes.get("/accounts/{account_id}/orders", roles(READERS))
def orders(visit: Visit) -> Answer:
    return list_page(
        visit, _ORDERS, lambda found: order_rows(found.rows, visit.account.currency, visit.words), "orders"
    )


@routes.get("/accounts/{account_id}/orders/{order_id}", roles(READERS, ahead=(records.order_key("", "{order_id}")[1],)))
def order(visit: Visit) -> Answer:
    item = visit.records.get(*records.order_key(visit.account.account_id, check_id(visit.params["order_id"], "ord")))
    if item is None:
        raise NotFound("no such order")
    found = records.order_from(item)
    view = order_view(found, progress_of(visit.records, found), visit.account.currency, visit.words)
    return page(visit, "order", view=view, tab="orders")
