"""The portal in this process: its own application, a region and an identity provider in memory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import count
from typing import Any

import pytest

from functions.delivery.note_letters import NoteLetters
from functions.portal import services
from functions.staff import services as staff_services
from saldo.access.model import Challenge, Origin, User
from saldo.access.model_staff import Staff, StaffSignedIn
from saldo.access.proof_of_work import ProofOfWork
from saldo.access.service import Access, Realm
from saldo.access.staff import StaffAccess
from saldo.access.tokens import RsaTokens
from saldo.accounts.service import Accounts
from saldo.audit.model import job
from saldo.delivery.model import Letter
from saldo.invoicing.viewings import Viewings
from saldo.payments.ports import Checkout, CheckoutRequest
from saldo.payments.service import Payments
from saldo.storage.held_secrets import HeldSecret
from tests.contexts.conftest import FrozenClock
from tests.contexts.payments.scenes import StoresNothing
from tests.functions.portal import scenes
from tests.functions.portal.browser import ORIGIN, Browser, Page
from tests.functions.portal.identity import (
    CLIENT,
    ISSUER,
    STAFF_CLIENT,
    STAFF_ISSUER,
    IdentityInMemory,
    StaffIdentityInMemory,
    key_set,
    totp,
)
from tests.simulation.region import Region

GATEWAY = "http://localhost:9090"
SECRET = b"gateway secret of the tests"
SECRET_32 = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
US_ORIGIN = "http://localhost:8081"
_CACHED = (
    "bank_statements",
    "notification_centre",
    "settings",
    "narrowed",
    "store",
    "sealer",
    "sessions",
    "access",
    "acting",
    "colleagues",
    "approvals",
    "pay_links",
    "gateway_secret",
    "payments",
    "documents",
    "_kept_versions",
    "_kept_plans",
    "_kept_people",
)


@dataclass
class GatewayInMemory(StoresNothing):
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
    staff: StaffAccess
    staff_identity: StaffIdentityInMemory

    def browser(self) -> Browser:
        return Browser(self.app, origin=services.settings().origin)

    def signed_in(self, who: str = "admin") -> Browser:
        browser = self.browser()
        answer = browser.sign_in(scenes.PEOPLE[who].email, scenes.PASSWORD)
        assert answer.status == 303, answer.text
        return browser

    def staff_token(self, who: str) -> str:
        """What the cookie of a member of staff holds, for browsers that are not of this process."""
        person = scenes.STAFF[who][0]
        asked = self.staff.sign_in(person.email, scenes.PASSWORD, Origin())
        assert isinstance(asked, Challenge)
        secret = asked.secret or self.staff_identity.people[person.email].secret
        begun = self.staff.answer(asked, totp(secret, self.clock().timestamp()), Origin())
        assert isinstance(begun, StaffSignedIn)
        return begun.token

    def staff_in(self, who: str = "analyst") -> Browser:
        """A member of staff, signed in with password and code (a new one each half minute)."""
        browser, email = self.browser(), scenes.STAFF[who][0].email
        form = browser.get("/staff/sign-in").hidden()
        asked = browser.post("/staff/sign-in", {**form, "email": email, "password": scenes.PASSWORD}, key=False)
        hidden = asked.hidden()
        secret = hidden["secret"] or self.staff_identity.people[email].secret
        reply = {**hidden, "reply": totp(secret, self.clock().timestamp())}
        answer = browser.post("/staff/sign-in/answer", reply, key=False)
        assert answer.status == 303, answer.text
        return browser

    def give_codes(self, who: str, language: str = "") -> User:
        """An authenticator for somebody (who may speak another language from now on)."""
        person = scenes.PEOPLE[who]
        self.identity.people[person.email].secret = SECRET_32
        spoken = language or person.language
        user = replace(person, id=self.user_id(who), has_totp=True, language=spoken)
        return self.access.register(user, job("tests"))

    def with_codes(self, who: str = "admin") -> Browser:
        """Somebody with an authenticator, signed in by it a moment ago."""
        person, browser = self.give_codes(who), self.browser()
        browser.sign_in(person.email, scenes.PASSWORD)
        form = browser.page.hidden() if browser.page else {}
        answer = browser.post("/sign-in/answer", {**form, "reply": self.code()}, key=False)
        assert answer.status == 303, answer.text
        return browser

    def solving(self, email: str, password: str) -> Page:
        """Sign in as a browser does that solves what it is asked."""
        browser = self.browser()
        page = browser.sign_in(email, password)
        asked = re.search(r'data-puzzle="([^"]+)"', page.text)
        if asked is None:
            return page
        fields = {**page.hidden(), "email": email, "password": password, "solution": solved(asked[1])}
        return browser.post("/sign-in", fields, key=False)

    def code(self) -> str:
        return totp(SECRET_32, self.clock().timestamp())

    def user_id(self, who: str) -> str:
        return self.access.user_id_of(self.identity.people[scenes.PEOPLE[who].email].subject)

    def mail(self, kind: str) -> list[Letter]:
        """Letters of this kind as they would be handed to the mailer, in the order they were written."""
        items = [i for i in self.access._store.scan() if i["kind"] == "note" and i["note_kind"] == kind]
        made = NoteLetters(self.access._store, services.sealer(), self.accounts, ORIGIN, self.clock)
        letters = (made.letter(i["pk"], i["note_id"]) for i in sorted(items, key=lambda i: i["written_at"]))
        return [letter for letter in letters if letter]

    def followed(self) -> int:
        """What the stream makes of the sessions as they are: how many records of what was looked at."""
        sessions = [i for i in self.access._store.scan() if i["kind"] == "session" and "seats" in i]
        return Viewings(self.access._store).record(sessions)

    @property
    def accounts(self) -> Accounts:
        return Accounts(self.access._store, services.sealer(), self.clock)


def solved(puzzle: str) -> str:
    """What saldo.js does: the first number that fits."""
    bits = int(puzzle.split(".")[0])
    fits = (n for n in count() if int.from_bytes(sha256(f"{puzzle}.{n}".encode()).digest(), "big") >> (256 - bits) == 0)
    return str(next(fits))


def build(environment: Any, origin: str = ORIGIN, gateway_url: str = GATEWAY) -> Portal:
    """The portal of region eu with the scenes told. `environment` takes setenv and setattr."""
    region = Region(scenes.NOW)
    values = {
        "ENV": "test", "REGION_CODE": "eu", "TABLE": "records", "KEYS_TABLE": "keys", "KMS_KEY_ID": "key-1",
        "DETAILS_KEY_ID": "key-details",
        "USER_POOL_ID": "eu-central-1_test", "USER_POOL_CLIENT_ID": CLIENT, "GATEWAY_URL": gateway_url,
        "GATEWAY_QUEUE_URL": "gateway-events", "CUSTOMER_ROLE_ARN": "customer", "UPLOADS_BUCKET": "uploads",
        "DOCUMENTS_BUCKET": "documents", "PORTAL_ORIGINS": json.dumps({"eu": origin, "us": US_ORIGIN}),
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
    access = Access(
        services.store(),
        services.sealer(),
        identity,
        tokens,
        realm,
        clock,
        pauses.append,
        origin=services.settings().origin,
    )
    staff_identity = StaffIdentityInMemory(clock)
    staff_tokens = RsaTokens(STAFF_ISSUER, STAFF_CLIENT, key_set, clock)
    own = Realm("eu", STAFF_ISSUER)
    staff = StaffAccess(services.store(), services.sealer(), staff_identity, staff_tokens, own, clock, pauses.append)
    environment.setattr(staff_services, "access", lambda: staff)
    access._challenger = ProofOfWork(bits=8)
    environment.setattr(services, "_clock", clock)
    environment.setattr(services, "access", lambda: access)
    environment.setattr(services, "payments", lambda: Payments(services.store(), gateway, clock))
    secret = HeldSecret(lambda: SECRET.decode(), clock)
    environment.setattr(services, "gateway_secret", lambda: secret)
    scenes.tell(services.store(), services.sealer())
    for person in scenes.PEOPLE.values():
        access.enrol(person, scenes.PASSWORD, job("tests"))
    for member, posts in scenes.STAFF.values():
        staff.enrol(Staff("", "en", scenes.posts(*posts), scenes.NOW), member, scenes.PASSWORD, job("tests"))
    from app import app

    return Portal(app.checked(), clock, identity, gateway, access, region, pauses, staff, staff_identity)


def forget() -> None:
    """Drop what the process has built so far."""
    from saldo.storage import clients

    clients.client.cache_clear()
    for name in _CACHED:
        getattr(getattr(services, name), "cache_clear", lambda: None)()
    staff_services._kept_names.cache_clear()
    staff_services.kept_customers.cache_clear()


@pytest.fixture
def portal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Portal]:
    yield build(monkeypatch)
    monkeypatch.undo()
    forget()
