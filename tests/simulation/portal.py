"""The portal, the gateway's pages and what follows from both, on a simulated region: all by their own ways in.

A request goes through the very application that Lambda hosts; users are those of an identity provider in memory, whose
tokens are real; the gateway's news come signed to the webhook, and what that queues goes to the function behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from functions.canary.browser import Page
from local.gateway.answers import Gateway
from local.gateway.asked import Request
from local.gateway.moods import Mood
from saldo.access.service import Access, Realm
from saldo.access.tokens import RsaTokens
from saldo.payments.webhooks import SIGNATURE_HEADER, signed
from tests.functions.portal.identity import CLIENT, ISSUER, IdentityInMemory, key_set
from tests.permissions.gate import acting
from tests.simulation.region import SECRET, Region
from tests.simulation.workflows import invoke, messages
from tests.streams import image

PORTAL, GATEWAY = "http://localhost:8080", "http://gateway.invalid"


@dataclass
class Web:
    """What a browser and the gateway's courier reach. down: hosts that do not answer. silent: no news are brought.
    requests: how many the portal had; the last one's id is `request-<that>`."""

    region: Region
    access: Access
    app: Any
    api: Any
    gateway: Gateway
    down: set[str] = field(default_factory=set)
    silent: bool = False
    requests: int = 0

    def send(self, verb: str, url: str, headers: Mapping[str, str], body: bytes) -> Page:
        from saldo.kernel.errors import Unavailable

        parts = urlsplit(url)
        host = f"{parts.scheme}://{parts.netloc}"
        if host in self.down:
            raise Unavailable("no answer came")
        if host == GATEWAY:
            answer = self.gateway.answer(Request(verb, parts.path, dict(headers), body))
            return Page(answer.status, answer.body.decode(), answer.headers.get("Location", ""))
        return self._portal(verb, parts.path + (f"?{parts.query}" if parts.query else ""), headers, body)

    def _portal(self, verb: str, path: str, headers: Mapping[str, str], body: bytes) -> Page:
        from chalice.config import Config
        from chalice.local import LocalGateway

        class ApiGateway(LocalGateway):  # type: ignore[misc] # Chalice ships no types
            """Gives each request its id, as the real one does."""

            def _generate_lambda_event(gateway, *request: Any) -> Any:  # noqa: N805 - `self` is the web's
                self.requests += 1
                event = super()._generate_lambda_event(*request)
                event["requestContext"]["requestId"] = f"request-{self.requests}"
                return event

        app = self.api if path.startswith("/api/") else self.app
        with acting("api_v1" if app is self.api else "portal"):
            told = ApiGateway(app, Config()).handle_request(verb, path, dict(headers), body)
        multi = {name.lower(): values for name, values in told.get("multiValueHeaders", {}).items()}
        plain = {name.lower(): str(value) for name, value in told["headers"].items()}
        cookies = tuple(multi.get("set-cookie", ()))
        return Page(told["statusCode"], str(told["body"]), plain.get("location", ""), cookies)

    def tell(self) -> int:
        """The gateway's news until now: each signed, to the webhook; then the queue to its function. How many."""
        region = self.region
        region.book.let_time_pass(region.now)
        due = region.book.due_deliveries(region.now, 500)
        for delivery in due:
            headers = {
                "content-type": "application/json",
                SIGNATURE_HEADER.lower(): signed(delivery.body, SECRET, region.now),
            }
            page = self._portal("POST", "/webhooks/gateway", headers, delivery.body)
            assert page.status == 200, page.text
            region.book.delivered(delivery, region.now, None)
        bodies = [body for _, body in region.queues.waiting]
        region.queues.waiting.clear()
        if bodies:
            invoke("payments.gateway_events", messages(*bodies))
        return len(bodies)


@contextmanager
def web(region: Region) -> Iterator[Web]:
    """Within `region.serving()`: the region's portal and gateway are open."""
    from functions.api import services as api_services
    from functions.portal import services

    identity = IdentityInMemory(region.clock)
    tokens = RsaTokens(ISSUER, CLIENT, key_set, region.clock)
    access = Access(
        region.store, region.sealer(), identity, tokens, Realm("eu", ISSUER), region.clock, lambda _seconds: None
    )
    idle: Any = SimpleNamespace(wake=lambda: None)
    gateway = Gateway(region.book, idle, [SECRET], GATEWAY, region.clock, Mood())
    kept = (services.sessions, services.documents, services.colleagues, services.approvals, services.pay_links)
    for made in kept:
        made.cache_clear()
    with patch.object(services, "access", lambda: access):
        services.settings.cache_clear()
        from app import app
        from functions.api.v1.app import app as api

        api_services.api_keys.cache_clear()
        try:
            yield Web(region, access, app.checked(), api.checked(), gateway)
        finally:
            for made in kept:
                made.cache_clear()
            api_services.api_keys.cache_clear()


def picture(region: Region) -> dict[tuple[str, str], Any]:
    """All records as they are now."""
    with region.undisturbed():
        items = region.records.scan(TableName="records")["Items"]
    return {(item["pk"]["S"], item["sk"]["S"]): deepcopy(item) for item in items}


def stream(before: Mapping[tuple[str, str], Any], after: Mapping[tuple[str, str], Any]) -> list[dict[str, Any]]:
    """What the table's stream tells of the way from one picture to the other."""
    told = []
    for number, key in enumerate(sorted(before.keys() | after.keys())):
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        change: dict[str, Any] = {"SequenceNumber": str(number), "Keys": {"pk": {"S": key[0]}, "sk": {"S": key[1]}}}
        change |= ({"OldImage": image(old)} if old else {}) | ({"NewImage": image(new)} if new else {})
        name = "INSERT" if old is None else "MODIFY" if new else "REMOVE"
        told.append({"eventName": name, "dynamodb": change})
    return told
