"""What customers have subscribed to: the records that runs bill and that the portal shows."""

from __future__ import annotations

from functions.api import services
from functions.api.call import Call
from functions.api.endpoint import Routes, Rule
from functions.api.operation import Operation
from functions.api.reaching import account_of
from functions.api.tags import tagged
from functions.api.v1.models import SubscriptionList, SubscriptionOut
from functions.http.answers import JSON, Answer
from saldo.access.model_api_keys import Scope
from saldo.kernel.ids import check_id

routes = Routes("api_subscriptions")

LIST = Operation(
    id="listSubscriptions",
    tag="Subscriptions",
    summary="All subscriptions of an account",
    description="Those that ended too, by their ids; not in pages.",
    answers=SubscriptionList,
    refusals={"not_found": "there is no such account of this seller"},
)
ONE = Operation(
    id="getSubscription",
    tag="Subscriptions",
    summary="One subscription with its terms and what was agreed for later",
    description="Send the `ETag` back as `If-None-Match` to hear only whether it has changed.",
    answers=SubscriptionOut,
    has_etag=True,
)


@routes.get("/api/v1/accounts/{account_id}/subscriptions", Rule(LIST, scope=Scope.SUBSCRIPTIONS_READ))
def list_subscriptions(call: Call) -> Answer:
    from functions.api.v1.presenting import subscription_out

    account_id, store = account_of(call)
    found = services.subscriptions(store).of_account(account_id)
    return Answer(SubscriptionList(data=[subscription_out(one) for one in found]).model_dump_json(), kind=JSON)


@routes.get("/api/v1/accounts/{account_id}/subscriptions/{subscription_id}", Rule(ONE, scope=Scope.SUBSCRIPTIONS_READ))
def get_subscription(call: Call) -> Answer:
    from functions.api.v1.presenting import subscription_out

    account_id, store = account_of(call)
    found = services.subscriptions(store).get(account_id, check_id(call.params["subscription_id"], "sub"))
    return tagged(call, subscription_out(found).model_dump_json())
