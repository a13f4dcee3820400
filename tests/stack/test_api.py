"""The API as it is deployed: behind the same host as the portal, through API Gateway, in a function of its own."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

import pytest

from local.cli.site import store_of
from local.stack import LocalStack
from saldo.access.api_keys import ApiKeys
from saldo.access.model_api_keys import Scope
from saldo.accounts.records import entity_item
from saldo.audit.model import Actor
from saldo.kernel.clock import system_clock
from tests.contexts.sellers import entity
from tests.founding import lay

pytestmark = pytest.mark.stack
SELLER = "ent_eu_apiseller"
BATCH = "application/cloudevents-batch+json"


@dataclass
class Caller:
    origin: str
    token: str

    def call(self, path: str, body: Any = None, kind: str = "application/json", token: str = "") -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token or self.token}", "Content-Type": kind}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.origin + path, data=data, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())


@pytest.fixture(scope="module")
def caller(stacks: dict[str, LocalStack]) -> Caller:
    stack = stacks["eu"]
    store = store_of(stack)
    lay(store, [entity_item(entity(SELLER))], system_clock())
    keys = ApiKeys(store, system_clock)
    made = keys.create(SELLER, "stack-tests", [s.value for s in Scope], 1, 600, Actor("tests", "operator"))
    return Caller(stack.portal_origin, made.token)


def test_a_quote_is_answered_with_a_key_and_with_none_refused(caller: Caller) -> None:
    document = {"billing": {"on": "2026-01-31"}, "items": [{"unit_price": "80.00", "quantity": "2.5"}]}
    status, answer = caller.call("/api/v1/quotes", document)
    assert (status, answer["invoices"][0]["total"]) == (200, "200.00")
    status, answer = caller.call("/api/v1/quotes", document, token="sk_eu_wrong")
    assert (status, answer["code"]) == (401, "invalid_key")


def test_lists_and_the_description_are_there(caller: Caller) -> None:
    assert caller.call("/api/v1/invoices?limit=5") == (200, {"data": [], "has_more": False, "next_cursor": None})
    status, description = caller.call("/api/v1/openapi.json")
    assert (status, description["openapi"]) == (200, "3.1.0")


def test_a_batch_goes_through_the_queue_and_its_rejected_events_are_told(caller: Caller) -> None:
    event = {"specversion": "1.0", "source": "t", "id": "1", "subject": "acct_eu_gone", "time": "2026-01-01T00:00:00Z"}
    status, receipt = caller.call("/api/v1/usage-events", [{**event, "data": {"meter": "none", "value": 1}}], BATCH)
    assert (status, receipt["events"]) == (202, 1)
    until = time.monotonic() + 60
    while not (rejected := caller.call(f"/api/v1/usage-batches/{receipt['batch_id']}/rejected")[1]["rejected"]):
        assert time.monotonic() < until, "the batch was not taken in"
        time.sleep(0.5)
    assert {p["code"] for p in rejected[0]["problems"]} >= {"unknown_account", "unknown_meter"}


def test_the_portal_is_still_where_it_was(caller: Caller) -> None:
    with urllib.request.urlopen(caller.origin + "/sign-in", timeout=20) as page:
        assert page.status == 200 and "text/html" in page.headers["Content-Type"]
