"""The API in this process on an in-memory table: a seller with customers, invoices that a real run issued, and keys."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from chalice.config import Config
from chalice.local import LocalGateway, LocalGatewayException

from functions.api import services
from functions.api.v1.app import app
from saldo.access.api_keys import ApiKeys
from saldo.access.model_api_keys import ApiKey, Scope
from saldo.accounts.records import account_item, customer_item, entity_item
from saldo.audit.model import Actor
from saldo.catalog.records import offer_item, plan_version_item, product_item
from saldo.invoicing.records import PREFIX as HEADERS
from saldo.storage.narrowed import Narrowed
from saldo.storage.store import Store
from saldo.subscriptions.records import PREFIX as SUBSCRIPTIONS
from saldo.usage.accept import AcceptUsage, take_in
from saldo.usage.ingest import Ingest
from tests.contexts.conftest import FrozenClock
from tests.contexts.sellers import account, entity
from tests.functions.security.samples import SAMPLES, Owner
from tests.permissions.gate import Gate, Guarded, acting, deployed_gate
from tests.simulation.world import ENTITY, PLAN, PRODUCT, VERSION, World

OPERATOR = Actor("operator", "staff")
US_ORIGIN = "https://us.saldo.example"
OWN_ACCOUNT = "acct_eu_000001"
OTHER_ENTITY, OTHER_ACCOUNT = "ent_eu_other", "acct_eu_other"
ALL = tuple(scope.value for scope in Scope)
# What may be sold beside VERSION: it bills no meter.
SEATS = replace(VERSION, id="seats_v1", plan_id="plan_seats", components=VERSION.components[:2])
_CACHED = ("settings", "store", "api_keys", "repeats", "usage_acceptance", "quarantine", "orders")


@dataclass
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> str:
        assert self.headers["content-type"] == "application/problem+json", self
        return str(self.json["code"])


@dataclass
class QueueInMemory:
    messages: list[str] = field(default_factory=list)

    def put(self, message: str) -> None:
        self.messages.append(message)


@dataclass
class Roles:
    """STS: credentials by which the gate knows a session's policy, and how often any were asked for."""

    gate: Gate
    clock: FrozenClock
    asked: list[str] = field(default_factory=list)

    def assume_role(
        self,
        *,
        RoleArn: str,  # noqa: N803
        RoleSessionName: str,  # noqa: N803
        Policy: str,  # noqa: N803
        DurationSeconds: int,  # noqa: N803
    ) -> dict[str, Any]:
        self.asked.append(RoleSessionName)
        key, until = self.gate.assume(RoleArn, Policy), self.clock() + timedelta(seconds=DurationSeconds)
        given = {"AccessKeyId": key, "SecretAccessKey": "-", "SessionToken": "-", "Expiration": until}
        return {"Credentials": given}


@dataclass
class Api:
    """Everything a test of the API may ask for."""

    world: World
    clock: FrozenClock
    keys: ApiKeys
    roles: Roles
    queue: QueueInMemory = field(default_factory=lambda: QueueInMemory())
    tokens: dict[str, str] = field(default_factory=dict)
    has: dict[str, dict[str, str]] = field(default_factory=dict)  # account → part of a path → id of that account's

    def take_in_what_waits(self) -> None:
        """What the function behind the queue does."""
        for message in self.queue.messages:
            take_in(Ingest(self.world.store, self.clock), json.loads(message))
        self.queue.messages.clear()

    def token(self, *scopes: str, entity_id: str = ENTITY.id, **options: int) -> str:
        return self.new_key(*scopes, entity_id=entity_id, **options)[0]

    def new_key(self, *scopes: str, entity_id: str = ENTITY.id, days: int = 30, rate: int = 600) -> tuple[str, ApiKey]:
        made = self.keys.create(entity_id, "tests", scopes or ALL, days, rate, OPERATOR)
        return made.token, made.key

    def get(self, path: str, token: str | None = "", **headers: str) -> Reply:
        return self.send("GET", path, b"", token, headers)

    def post(self, path: str, body: Any, token: str | None = "", **headers: str) -> Reply:
        """`body`: bytes as they are, anything else as JSON. `token` "": a key with every scope; None: no key."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.send("POST", path, raw, token, {"content-type": "application/json", **headers})

    def send(self, method: str, path: str, body: bytes, token: str | None, headers: dict[str, str]) -> Reply:
        if token == "":
            token = self.tokens.setdefault("all", self.token())
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent |= {"authorization": f"Bearer {token}"} if token else {}
        try:
            with acting("api_v1"):
                answer = LocalGateway(app.checked(), Config()).handle_request(method, path, sent, body)
        except LocalGatewayException as error:
            return Reply(error.CODE, {k.lower(): str(v) for k, v in error.headers.items()}, "")
        found = {name.lower(): str(value) for name, value in answer["headers"].items()}
        return Reply(answer["statusCode"], found, str(answer["body"]))


def build(environment: Any, accounts: int = 3) -> Api:
    """The API of region eu; `environment` takes setenv and setattr."""
    values = {"REGION_CODE": "eu", "TABLE": "records", "CUSTOMER_ROLE_ARN": "customer"}
    values["PORTAL_ORIGINS"] = json.dumps({"eu": "https://eu.saldo.example", "us": US_ORIGIN})
    for name, value in values.items():
        environment.setenv(f"SALDO_{name}", value)
    forget()
    world, clock = World(), FrozenClock(datetime(2026, 2, 20, 9, tzinfo=UTC))
    gate = deployed_gate(os.environ)
    table: Any = Guarded(lambda: gate, "dynamodb", world.client)
    world.store = Store(table, "records")
    world.found(accounts)
    offered = [offer_item(PLAN), offer_item(replace(PLAN, id=SEATS.plan_id)), plan_version_item(ENTITY.id, SEATS)]
    world.store.put_many([product_item(PRODUCT), *offered])
    world.run(date(2026, 1, 1))
    world.run(date(2026, 2, 1))
    _others(world.store)
    environment.setattr(services, "_clock", clock)
    environment.setattr(services, "store", lambda: world.store)
    keys = ApiKeys(world.store, clock)
    environment.setattr(services, "api_keys", lambda: keys)
    roles = Roles(gate, clock)
    narrowed = Narrowed(table, Guarded(lambda: gate, "sts", roles), "customer", clock)
    environment.setattr(services, "narrowed", lambda: narrowed)
    made = Api(world, clock, keys, roles)
    made.has = _possessions(world.store)
    acceptance = AcceptUsage(world.store, made.queue, clock)
    environment.setattr(services, "usage_acceptance", lambda: acceptance)
    return made


def _possessions(store: Store) -> dict[str, dict[str, str]]:
    """Of our customer a payment more than what runs made; of another seller's one of everything."""
    unsealed: Any = None  # nothing that is made here is personal
    ours = Owner(store, unsealed, OWN_ACCOUNT, ENTITY.id, "org_eu_customer", "user_eu_somebody")
    theirs = replace(ours, account_id=OTHER_ACCOUNT, entity_id=OTHER_ENTITY)
    own = {"invoice_id": next(store.query_all(OWN_ACCOUNT, prefix=HEADERS))["invoice_id"]}
    own |= {"subscription_id": next(store.query_all(OWN_ACCOUNT, prefix=SUBSCRIPTIONS))["sk"].partition("#")[2]}
    own |= {"account_id": OWN_ACCOUNT, "payment_id": SAMPLES["payment_id"](ours)}
    return {OWN_ACCOUNT: own, OTHER_ACCOUNT: {name: SAMPLES[name](theirs) for name in own}}


def _others(store: Store) -> None:
    """Another seller with a customer, who must never be seen."""
    foreign = account(OTHER_ACCOUNT, entity_id=OTHER_ENTITY)
    store.put_many([entity_item(entity(OTHER_ENTITY)), account_item(foreign), customer_item(foreign)])
    store.put_many([plan_version_item(OTHER_ENTITY, version) for version in (VERSION, SEATS)])


def forget() -> None:
    for name in _CACHED:
        getattr(getattr(services, name), "cache_clear", lambda: None)()


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    yield build(monkeypatch)
    monkeypatch.undo()
    forget()
