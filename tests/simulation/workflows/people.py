"""What people and their programs are let in by: registered, invited, their keys and choices, single sign-on."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from saldo.access.api_keys import ApiKeys
from saldo.access.beginning import Arrival, Beginning
from saldo.access.colleagues import Colleagues
from saldo.access.model import Failures, Grant, Origin, Proof, Role, Session, User
from saldo.access.model_notices import NoticeKind, Way
from saldo.access.model_passkeys import Passkey
from saldo.access.model_sso import AppClient, Registration, SsoProtocol
from saldo.access.model_staff import Post, Staff, StaffPerson, StaffRole
from saldo.access.model_views import SavedView
from saldo.access.model_visibility import SelfService, Visibility
from saldo.access.notice_choices import ChosenNotices
from saldo.access.passkeys import Passkeys
from saldo.access.records import session_from, session_key
from saldo.access.records_passkeys import passkey_item
from saldo.access.records_views import TABLE_VIEWS
from saldo.access.rules import digest_of
from saldo.access.saved_views import SavedViews
from saldo.access.service import Access, Realm
from saldo.access.sso import SingleSignOn
from saldo.access.staff import StaffAccess
from saldo.access.visibility import VisibilityRules
from saldo.kernel.errors import NotFound, Refusal, Unavailable
from saldo.storage.units import Unit
from tests.simulation.region import ENTITY_ID, Region
from tests.simulation.workflows import workflow
from tests.simulation.workflows.letting_in import HERE, actor, peopled, user_id
from tests.simulation.workflows.scenes import CLERK, founded

NOT_ASKED: Any = None  # an identity provider, of whom nothing is asked here
NEW, WHO = "neu@customer.example", "org_eu_000000"
BY_CHANCE = "named by chance: done again it has another name"
COUNTED = {"api_key": "it counts how often it was used", "attempts": "they count how often was tried"}


# -- programs ----------------------------------------------------------------------------------------------------------


def _keys(region: Region) -> ApiKeys:
    return ApiKeys(region.store, region.clock)


def _made(region: Region) -> None:
    new = _keys(region).create(ENTITY_ID, "warehouse", ["usage:write"], 30, 600, CLERK)
    region.notes["token"], region.notes["key"] = new.token, new.key.id


@workflow("api keys: made", prepare=founded, apart={"api_key": BY_CHANCE})
def make_key(region: Region) -> None:
    """A token is told once: one whose key nobody was told of is revoked, and another made."""
    if "token" not in region.notes:
        for lost in _keys(region).of_entity(ENTITY_ID):
            _keys(region).revoke(lost.id, CLERK, "nobody has it")
        _made(region)
    with region.undisturbed():
        (living,) = [key for key in _keys(region).of_entity(ENTITY_ID) if key.revoked_at is None]
        assert living.id == region.notes["key"]


def with_key(region: Region) -> None:
    founded(region)
    _made(region)


@workflow("api keys: revoked", prepare=with_key)
def revoke_key(region: Region) -> None:
    _keys(region).revoke(region.notes["key"], CLERK, "leaked")


@workflow("api keys: let in, and not", prepare=with_key, apart=COUNTED)
def admit(region: Region) -> None:
    assert _keys(region).admit(region.notes["token"], "198.51.100.0/24").key.entity_id == ENTITY_ID
    with suppress(Refusal):
        _keys(region).admit(region.notes["token"][:-4] + "0000", "198.51.100.0/24")


@workflow("api: a POST that is sent again", prepare=with_key)
def once(region: Region) -> None:
    """The view does its own work once, too: whoever died may have done it, and not have told so."""
    from functions.api import repeating, services
    from functions.http.answers import Answer

    def view(_call: object) -> Answer:
        region.store.write_one(Unit("view").insert({"pk": HERE, "sk": "did#1", "kind": "did"}))
        return Answer("done", 201)

    def refused(_call: object) -> Answer:
        raise Refusal("invalid_input", "not so")

    def call(name: str) -> Any:
        key, headers = SimpleNamespace(id=region.notes["key"]), {repeating.HEADER: name}
        return SimpleNamespace(method="POST", headers=headers, raw_body=b"{}", path="/api/v1/x", key=key)

    services.repeats.cache_clear()
    try:
        with suppress(Refusal):
            repeating.once(call("k-0"), refused)
        told = repeating.once(call("k-1"), view)
    except Refusal as refusal:
        raise Unavailable("asked again in a moment") from refusal
    finally:
        services.repeats.cache_clear()
    assert (told.body, told.status) == ("done", 201)


# -- customers' people -------------------------------------------------------------------------------------------------


def signed_in(region: Region) -> None:
    peopled(region)
    arrival = Arrival(user_id("payer"), Origin(), Proof.CODE, Failures(0, 0))
    region.notes["token"] = Beginning(region.store, region.sealer(), region.clock).begin(arrival).token


def _session(region: Region) -> Session:
    """As it began, however long ago."""
    with region.undisturbed():
        item = region.store.get(*session_key(digest_of(region.notes["token"])))
    assert item is not None
    return session_from(item)


def _access(region: Region) -> Access:
    return Access(region.store, region.sealer(), NOT_ASKED, NOT_ASKED, Realm("eu", "issuer"), region.clock)


@workflow("people: registered anew, with more", prepare=signed_in)
def register(region: Region) -> None:
    grants = (Grant(HERE, Role.ACCOUNT_ADMIN), Grant("acct_eu_000001", Role.VIEWER))
    _access(region).register(User(user_id("payer"), WHO, "payer@customer.example", "Payer", "en", grants), CLERK)


@workflow("people: what they see of their account", prepare=signed_in)
def visibility(region: Region) -> None:
    everything = Visibility(actions=frozenset(SelfService))
    VisibilityRules(region.store, region.clock).set(HERE, everything, CLERK, "asked for")


@workflow("people: what they are told of", prepare=peopled)
def choices(region: Region) -> None:
    chosen = ChosenNotices(region.store, region.sealer(), region.clock)
    chosen.choose(user_id("payer"), {(NoticeKind.INVOICE_READY, Way.EMAIL): True}, actor("payer"))
    chosen.read_until(user_id("payer"), region.now)


@workflow("people: a view is kept", prepare=signed_in, apart={TABLE_VIEWS: "it counts how often it was written"})
def view(region: Region) -> None:
    SavedViews(region.store, region.clock).save(_session(region), SavedView("v1", HERE, "Open", "status=open"))


def with_passkey(region: Region) -> None:
    signed_in(region)
    passkey = Passkey(user_id("payer"), "p1", WHO, "Laptop", b"public", 0, False, region.now, None)
    region.store.write_one(Unit("passkey").insert(passkey_item(passkey, region.sealer())))


@workflow("people: a passkey is renamed and removed", prepare=with_passkey, apart={"note": BY_CHANCE})
def passkey(region: Region) -> None:
    own = Passkeys(region.store, region.sealer(), NOT_ASKED, "http://localhost:8080", region.clock)
    with suppress(NotFound):  # gone already
        own.rename(_session(region), "p1", "Old laptop")
        own.remove(_session(region), "p1")


def _colleagues(region: Region) -> Colleagues:
    return Colleagues(region.store, region.sealer(), region.clock)


@workflow("people: invited", prepare=peopled, apart={"invitation": BY_CHANCE, "note": BY_CHANCE})
def invite(region: Region) -> None:
    """As a person does, who looks before doing it again."""
    with region.undisturbed():
        is_asked = any(one.email == NEW for one in _colleagues(region).people(HERE).invitations)
    if not is_asked:
        _colleagues(region).invite(HERE, NEW, "Neu", Role.VIEWER, "en", actor("admin"))


def invited(region: Region) -> None:
    peopled(region)
    region.notes["invitation"] = _colleagues(region).invite(HERE, NEW, "Neu", Role.VIEWER, "en", actor("admin")).id


@workflow("people: an invitation is withdrawn", prepare=invited)
def withdraw(region: Region) -> None:
    with suppress(NotFound):  # withdrawn already
        _colleagues(region).withdraw(HERE, region.notes["invitation"], actor("admin"))


def many_sessions(region: Region) -> None:
    """More than end in one unit."""
    signed_in(region)
    for _ in range(41):
        region.now += timedelta(seconds=1)
        arrival = Arrival(user_id("payer"), Origin(), Proof.CODE, Failures(0, 0))
        Beginning(region.store, region.sealer(), region.clock).begin(arrival)


@workflow("people: suspended with very many sessions", prepare=many_sessions)
def suspend(region: Region) -> None:
    _colleagues(region).suspend(HERE, user_id("payer"), actor("admin"))


class _Federation:
    """A user pool that does what it is told; it is not on the region's wire."""

    def connect(self, provider: str, given: Registration) -> AppClient:
        return AppClient(f"client of {provider} {given.issuer}", "secret")

    def disconnect(self, connection: object) -> None: ...

    def drop_client(self, client_id: str) -> None: ...


def _sso(region: Region) -> SingleSignOn:
    federation: Any = _Federation()
    return SingleSignOn(region.store, region.sealer(), federation, region.clock)


@workflow("single sign-on: connected, and the only way in", prepare=peopled)
def connect(region: Region) -> None:
    facts = (("customer.example",), "https://id.customer.example", "client", "secret")
    given = Registration(WHO, SsoProtocol.OIDC, *facts)
    _sso(region).connect(given, "a letter", CLERK, "asked for")
    _sso(region).require(WHO, True, CLERK, "asked for")


def connected(region: Region) -> None:
    peopled(region)
    connect(region)


@workflow("single sign-on: disconnected", prepare=connected)
def disconnect(region: Region) -> None:
    with suppress(NotFound):  # disconnected already
        _sso(region).disconnect(WHO, CLERK, "asked for")


# -- the seller's people -----------------------------------------------------------------------------------------------


@workflow("staff: registered", prepare=founded)
def register_staff(region: Region) -> None:
    realm = Realm("eu", "issuer")
    access = StaffAccess(region.store, region.sealer(), NOT_ASKED, NOT_ASKED, realm, region.clock)
    posts = (Post(ENTITY_ID, StaffRole.SUPPORT, region.now),)
    access.register(Staff("staff_eu_one", "en", posts, region.now), StaffPerson("one@seller.example", "One"), CLERK)


@workflow("staff: a run is asked for again", prepare=founded)
def run_again(region: Region) -> None:
    from functions.staff import runs

    sent = {"as_of": region.now.date().isoformat()}
    visit: Any = SimpleNamespace(
        at=SimpleNamespace(entity_id=ENTITY_ID), now=region.now, actor=CLERK, sent=sent.__getitem__, home="/staff/e"
    )
    runs.again(visit)
