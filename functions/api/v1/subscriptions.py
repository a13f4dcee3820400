"""What customers have subscribed to: read, sold and changed, as a seller's own sign-up and upgrade pages do.

The records are those that runs bill and that the portal shows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from functions.api import services
from functions.api.call import Call
from functions.api.endpoint import Routes, Rule
from functions.api.operation import PLAIN_JSON, Operation
from functions.api.reaching import account_of
from functions.api.tags import tagged
from functions.api.v1.models import NextInvoiceOut
from functions.api.v1.models_subscriptions import ChangeIn, SubscriptionIn, SubscriptionList, SubscriptionOut
from functions.api.v1.presenting import subscription_out
from functions.api.v1.presenting_ahead import next_invoice_out
from functions.http.answers import JSON, Answer
from saldo.access.model_api_keys import Scope
from saldo.accounts.records import account_from
from saldo.kernel.errors import NotFound, Problem, Refusal
from saldo.kernel.ids import check_id, new_id
from saldo.storage.store import Store
from saldo.subscriptions.model import Change
from saldo.subscriptions.reading import requested_change, requested_subscription

routes = Routes("api_subscriptions")
MOST_BYTES = 50_000
_ALL = "/api/v1/accounts/{account_id}/subscriptions"
_ONE = _ALL + "/{subscription_id}"
_CHANGES = _ONE + "/changes"
_READ = {
    "invalid_input": "every field that cannot be read is named",
    "not_found": "there is no such account of this seller, or no such subscription or plan version",
}
_CHANGED = {
    "invalid_change": "every field at fault is named",
    "already_ended": "the subscription has ended, or its end is agreed",
    "being_billed": "a run holds the subscription; again in a minute",
}

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
START = Operation(
    id="createSubscription",
    tag="Subscriptions",
    summary="Sell a version of a plan to an account",
    description="Runs bill it from its first day on. An `id` names it for ever: the same again changes nothing.",
    takes={PLAIN_JSON: SubscriptionIn},
    answers=SubscriptionOut,
    status=201,
    refusals={
        **_READ,
        "invalid_subscription": "every field at fault is named",
        "subscription_exists": "the id stands for a subscription on other terms",
    },
)
CHANGE = Operation(
    id="changeSubscription",
    tag="Subscriptions",
    summary="Change, pause, resume, renew or cancel a subscription",
    description=(
        "The first run on or after its day bills it, with credit for what was paid ahead. Changes may come late, in "
        "any order, and from several systems at once: what they cost follows from the set of them. An `id` names a "
        "change for ever: the same again changes nothing."
    ),
    takes={PLAIN_JSON: ChangeIn},
    answers=SubscriptionOut,
    status=201,
    refusals=_READ | _CHANGED,
)
PREVIEW = Operation(
    id="previewChange",
    tag="Subscriptions",
    summary="What the next invoice would hold of the subscription after a change",
    description="Before tax, by the path that the run goes; nothing is written.",
    takes={PLAIN_JSON: ChangeIn},
    answers=NextInvoiceOut,
    refusals={**_READ, **_CHANGED, "nothing_ahead": "nothing is left that a run would bill"},
)


@routes.get(_ALL, Rule(LIST, scope=Scope.SUBSCRIPTIONS_READ))
def list_subscriptions(call: Call) -> Answer:
    account_id, store = account_of(call)
    found = services.subscriptions(store).of_account(account_id)
    return Answer(SubscriptionList(data=[subscription_out(one) for one in found]).model_dump_json(), kind=JSON)


@routes.get(_ONE, Rule(ONE, scope=Scope.SUBSCRIPTIONS_READ))
def get_subscription(call: Call) -> Answer:
    account_id, store = account_of(call)
    found = services.subscriptions(store).get(account_id, check_id(call.params["subscription_id"], "sub"))
    return tagged(call, subscription_out(found).model_dump_json())


@routes.post(_ALL, Rule(START, scope=Scope.SUBSCRIPTIONS_WRITE, most_bytes=MOST_BYTES))
def create_subscription(call: Call) -> Answer:
    account_id, store = account_of(call, with_seller=True)
    wanted = requested_subscription(call.document, new_id("sub", call.now), account_id, call.entity_id)
    _well_formed(wanted.id, "sub")
    use = services.subscriptions(store)
    with _fields_as_sent():
        use.start(wanted, call.actor)
    return Answer(subscription_out(use.get(account_id, wanted.id)).model_dump_json(), 201, JSON)


@routes.post(_CHANGES, Rule(CHANGE, scope=Scope.SUBSCRIPTIONS_WRITE, most_bytes=MOST_BYTES))
def change_subscription(call: Call) -> Answer:
    account_id, store = account_of(call, with_seller=True)
    change = _change(call, account_id, store)
    with _fields_as_sent():
        after = services.subscriptions(store).change(account_id, _subscription(call), change, call.actor)
    return Answer(subscription_out(after).model_dump_json(), 201, JSON)


@routes.post(_CHANGES + "/preview", Rule(PREVIEW, scope=Scope.SUBSCRIPTIONS_READ, most_bytes=MOST_BYTES))
def preview_change(call: Call) -> Answer:
    account_id, store = account_of(call, with_seller=True)
    change = _change(call, account_id, store)
    with _fields_as_sent():
        ahead = services.self_service(store).preview(account_id, _subscription(call), change)
    return Answer(next_invoice_out(ahead).model_dump_json(by_alias=True), kind=JSON)


def _subscription(call: Call) -> str:
    return check_id(call.params["subscription_id"], "sub")


def _change(call: Call, account_id: str, store: Store) -> Change:
    item = store.get(account_id, "account")
    if item is None:
        raise NotFound("no such account")
    change = requested_change(call.document, new_id("chg", call.now), account_from(item).time_zone)
    _well_formed(change.id, "chg")
    return change


def _well_formed(given: str, prefix: str) -> None:
    try:
        check_id(given, prefix)
    except Refusal as refusal:
        problem = Problem("id", refusal.code, refusal.message)
        raise Refusal("invalid_input", "the id cannot be taken", (problem,)) from refusal


@contextmanager
def _fields_as_sent() -> Iterator[None]:
    """Problems of a plan are told of the field in which the API takes it."""
    try:
        yield
    except Refusal as refusal:
        named = {"plan": "plan_version", "plan_version_id": "plan_version"}
        told = tuple(replace(p, field=named.get(p.field, p.field)) for p in refusal.problems)
        if told == tuple(refusal.problems):
            raise
        raise Refusal(refusal.code, refusal.message, told) from refusal
