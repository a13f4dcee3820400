"""The portal in this process: its own application, a region and an identity provider in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from functions.portal import services
from saldo.access.service import Access, Realm
from saldo.access.tokens import RsaTokens
from saldo.audit.model import job
from saldo.payments.ports import Checkout, CheckoutRequest
from saldo.payments.service import Payments
from tests.contexts.conftest import FrozenClock
from tests.functions.portal import scenes
from tests.functions.portal.browser import ORIGIN, Browser
from tests.functions.portal.identity import CLIENT, ISSUER, IdentityInMemory, key_set
from tests.simulation.region import Region

GATEWAY = "http://localhost:9090"
SECRET = b"gateway secret of the tests"
US_ORIGIN = "http://localhost:8081"
_CACHED = ("settings", "store", "sealer", "sessions", "access", "gateway_secret", "payments", "documents")


@dataclass
class GatewayInMemory:
    """Opens checkouts; nothing is paid by itself."""

    url: str = GATEWAY
    name: str = "simulator"
    opened: dict[str, CheckoutRequest] = field(default_factory=dict)

    def create_checkout(self, request: CheckoutRequest) -> Checkout:
        self.opened[request.payment_id] = request
        return Checkout(f"ref_{request.payment_id}", f"{self.url}/pay/{request.payment_id}")

    def find_checkout(self, payment_id: str) -> Checkout | None:
        return Checkout(f"ref_{payment_id}", f"{self.url}/pay/{payment_id}") if payment_id in self.opened else None

    def look_up(self, ref: str) -> None:
        return None


@dataclass
class Portal:
    """Everything a test of pages may ask for."""

    app: Any
    clock: FrozenClock
    identity: IdentityInMemory
    gateway: GatewayInMemory
    access: Access
    region: Region
    pauses: list[float]

    def browser(self) -> Browser:
        return Browser(self.app)

    def signed_in(self, who: str = "admin") -> Browser:
        browser = self.browser()
        answer = browser.sign_in(scenes.PEOPLE[who].email, scenes.PASSWORD)
        assert answer.status == 303, answer.text
        return browser


def build(environment: Any, origin: str = ORIGIN, gateway_url: str = GATEWAY) -> Portal:
    """The portal of region eu with the scenes told. `environment` takes setenv and setattr."""
    region = Region(scenes.NOW)
    values = {
        "ENV": "test", "REGION_CODE": "eu", "TABLE": "records", "KEYS_TABLE": "keys", "KMS_KEY_ID": "key-1",
        "USER_POOL_ID": "eu-central-1_test", "USER_POOL_CLIENT_ID": CLIENT, "GATEWAY_URL": gateway_url,
        "GATEWAY_QUEUE_URL": "gateway-events", "PORTAL_ORIGINS": json.dumps({"eu": origin, "us": US_ORIGIN}),
    }  # fmt: skip
    for name, value in values.items():
        environment.setenv(f"SALDO_{name}", value)
    environment.setattr("saldo.storage.clients.session", lambda: region)
    forget()
    return _assembled(environment, region)


def _assembled(environment: Any, region: Region) -> Portal:
    clock, pauses = FrozenClock(scenes.NOW), list[float]()
    identity, gateway = IdentityInMemory(clock), GatewayInMemory(services.settings().gateway_url)
    tokens = RsaTokens(ISSUER, CLIENT, key_set, clock)
    realm = Realm("eu", ISSUER)
    access = Access(services.store(), services.sealer(), identity, tokens, realm, clock, pauses.append)
    environment.setattr(services, "_clock", clock)
    environment.setattr(services, "access", lambda: access)
    environment.setattr(services, "payments", lambda: Payments(services.store(), gateway, clock))
    environment.setattr(services, "gateway_secret", lambda: SECRET)
    scenes.tell(services.store(), services.sealer())
    for person in scenes.PEOPLE.values():
        access.enrol(person, scenes.PASSWORD, job("tests"))
    from app import app

    return Portal(app, clock, identity, gateway, access, region, pauses)


def forget() -> None:
    """Drop what the process has built so far."""
    from saldo.storage import clients

    clients.client.cache_clear()
    for name in _CACHED:
        getattr(getattr(services, name), "cache_clear", lambda: None)()


@pytest.fixture
def portal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Portal]:
    yield build(monkeypatch)
    monkeypatch.undo()
    forget()
