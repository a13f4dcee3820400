"""The portal in this process: its own application, moto beneath, an identity provider in memory."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.portal import services
from saldo.access.service import Access, Realm
from saldo.access.tokens import RsaTokens
from saldo.audit.model import job
from saldo.payments.ports import Checkout, CheckoutRequest
from saldo.payments.service import Payments
from saldo.storage import clients, schema
from tests.contexts.conftest import FrozenClock
from tests.functions.portal import scenes
from tests.functions.portal.browser import ORIGIN, Browser
from tests.functions.portal.identity import CLIENT, ISSUER, IdentityInMemory, key_set
from tests.permissions.gate import GuardedSession, deployed_gate

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
    queue_url: str
    pauses: list[float]

    def browser(self) -> Browser:
        return Browser(self.app)

    def signed_in(self, who: str = "admin") -> Browser:
        browser = self.browser()
        answer = browser.sign_in(scenes.PEOPLE[who].email, scenes.PASSWORD)
        assert answer.status == 303, answer.text
        return browser


def build(environment: Any, origin: str = ORIGIN, gateway_url: str = GATEWAY) -> Portal:
    """The portal of region eu with the scenes told; call inside `mock_aws`. `environment` takes setenv."""
    dynamodb = boto3.client("dynamodb", region_name="eu-central-1")
    dynamodb.create_table(**schema.records_table("records"))
    dynamodb.create_table(**schema.keys_table("keys"))
    kms_key = boto3.client("kms", region_name="eu-central-1").create_key()["KeyMetadata"]["KeyId"]
    queue_url = boto3.client("sqs", region_name="eu-central-1").create_queue(QueueName="gateway-events")["QueueUrl"]
    values = {
        "ENV": "test", "REGION_CODE": "eu", "TABLE": "records", "KEYS_TABLE": "keys", "KMS_KEY_ID": kms_key,
        "USER_POOL_ID": "eu-central-1_test", "USER_POOL_CLIENT_ID": CLIENT, "GATEWAY_URL": gateway_url,
        "GATEWAY_QUEUE_URL": queue_url, "PORTAL_ORIGINS": json.dumps({"eu": origin, "us": US_ORIGIN}),
    }  # fmt: skip
    for name, value in values.items():
        environment.setenv(f"SALDO_{name}", value)
    forget()
    _under_its_policies(environment)
    return _assembled(environment, queue_url)


def _under_its_policies(environment: Any) -> None:
    """While a browser waits for a page, AWS lets the portal do what its deployed role may do, and no more."""
    gate = deployed_gate(os.environ)
    session = GuardedSession(boto3.session.Session(), lambda: gate)
    environment.setattr(clients, "session", lambda: session)


def _assembled(environment: Any, queue_url: str) -> Portal:
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

    return Portal(app, clock, identity, gateway, access, queue_url, pauses)


def forget() -> None:
    """Drop what the process has built so far."""
    clients.client.cache_clear()
    getattr(clients.session, "cache_clear", lambda: None)()
    for name in _CACHED:
        getattr(getattr(services, name), "cache_clear", lambda: None)()


@pytest.fixture
def portal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Portal]:
    with mock_aws():
        yield build(monkeypatch)
    monkeypatch.undo()
    forget()
