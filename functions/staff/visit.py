"""One request of staff, as views see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from functions.http.requests import Fields, Request
from functions.portal.words import Words
from saldo.access.model import Origin
from saldo.access.model_proposals import Decider
from saldo.access.model_staff import Elevation, StaffRole
from saldo.access.rules import form_key
from saldo.access.staff import Presence
from saldo.audit.model import Actor
from saldo.storage.items import Item
from saldo.storage.store import Store


@dataclass(frozen=True, slots=True)
class Desk:
    """The legal entity somebody works at, and what they may do there now."""

    entity_id: str
    name: str
    currency: str
    time_zone: str
    roles: frozenset[StaffRole]
    elevations: tuple[Elevation, ...] = ()


@dataclass(frozen=True, slots=True)
class StaffVisit(Request):
    """A request whose session, roles and form have been checked. `store` reaches the entity in the path (and the
    account in the path, when it is this entity's) and nothing else; `account` is that account's record."""

    form: Fields
    origin: Origin
    words: Words
    token: str = ""
    presence: Presence | None = None
    desk: Desk | None = None
    account: Item | None = None
    store: Store | None = None
    static: Mapping[str, str] = field(default_factory=dict)

    @property
    def session(self) -> None:
        """A customer's: never."""
        return None

    @property
    def who(self) -> Presence:
        assert self.presence is not None, "only routes with a session ask who is there"
        return self.presence

    @property
    def at(self) -> Desk:
        assert self.desk is not None, "only routes with a legal entity ask which"
        return self.desk

    @property
    def customer(self) -> Item:
        assert self.account is not None, "only routes with an account ask which"
        return self.account

    @property
    def records(self) -> Store:
        assert self.store is not None, "only routes with a legal entity read records"
        return self.store

    @property
    def actor(self) -> Actor:
        return Actor(self.who.staff.id, "staff", self.correlation_id, self.origin.address)

    @property
    def decider(self) -> Decider:
        return Decider(self.actor, frozenset(role.value for role in self.at.roles))

    @property
    def form_key(self) -> str:
        return form_key(self.token)

    @property
    def home(self) -> str:
        return f"/staff/{self.at.entity_id}"

    @property
    def account_home(self) -> str:
        return f"{self.home}/accounts/{self.customer['pk']}"

    def may(self, roles: frozenset[StaffRole]) -> bool:
        return bool(self.at.roles & roles)

    def asked(self, name: str) -> str:
        """The query's value of this name, "" when absent."""
        return self.query.get(name, [""])[-1].strip()

    def sent(self, name: str) -> str:
        """The form's value of this name, "" when absent."""
        return self.form.get(name, [""])[-1].strip()
