"""One request, as views see it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from urllib.parse import quote

from functions.http.requests import Fields, Request
from functions.portal.words import Words
from saldo.access.model import Origin, Seat, Session, SignedIn
from saldo.access.model_visibility import Document, SelfService
from saldo.access.rules import PAYERS, WARNING, ends_at, form_key
from saldo.audit.model import Actor
from saldo.kernel.periods import local_date
from saldo.storage.store import Store

_NEWS_FOR = timedelta(minutes=2)
_NEXT = re.compile(r"/(accounts|invoices|notifications|profile)(/[A-Za-z0-9_\-./]*)?(\?[A-Za-z0-9_\-.=&%+]*)?")


@dataclass(slots=True)
class Renewal:
    """What became of the request's session once its user proved again who they are: it goes on under another token."""

    begun: SignedIn | None = None


@dataclass(frozen=True, slots=True)
class Visit(Request):
    """A request whose session, roles and form have been checked. `token` is the session's, or of the sign-in forms.

    `seat` is set on routes that name an account; `store` reaches that account (and its seller) and nothing else.
    """

    form: Fields
    origin: Origin
    words: Words
    token: str = ""
    session: Session | None = None
    seat: Seat | None = None
    store: Store | None = None
    static: Mapping[str, str] = field(default_factory=dict)
    renewal: Renewal = field(default_factory=Renewal)

    @property
    def who(self) -> Session:
        """The session, on routes that have one."""
        assert self.session is not None, "only routes with a session ask who is there"
        return self.renewal.begun.session if self.renewal.begun else self.session

    @property
    def account(self) -> Seat:
        """The account in the path, on routes that name one."""
        assert self.seat is not None, "only routes with an account ask which"
        return self.seat

    @property
    def records(self) -> Store:
        assert self.store is not None, "only routes with an account read records"
        return self.store

    @property
    def actor(self) -> Actor:
        """Who acts; staff who act for a customer do so on behalf of the one who consented."""
        acting, where = self.who.acting, (self.correlation_id, self.origin.address)
        return (
            Actor(acting.staff_id, "staff", *where, acting.consent_of)
            if acting
            else Actor(self.who.user_id, "user", *where)
        )

    @property
    def today(self) -> date:
        """The date in the account's time zone."""
        return local_date(self.now, self.account.time_zone)

    @property
    def may_pay(self) -> bool:
        return self.seat is not None and self.seat.role in PAYERS and self.may("pay")

    def may(self, what: str) -> bool:
        """Whether the account's visibility allows a document or action of this name; for links."""
        allowed = self.account.visibility
        return any(name.value == what and allowed.allows(name) for name in (*Document, *SelfService))

    @property
    def form_key(self) -> str:
        return self.session.form_key if self.session else form_key(self.token)

    @property
    def ends_in_s(self) -> int:
        """Seconds until the session is over unless it is used."""
        return int((ends_at(self.who) - self.now).total_seconds())

    @property
    def warns_in_s(self) -> int:
        return max(1, self.ends_in_s - int(WARNING.total_seconds()))

    @property
    def here(self) -> str:
        """The path of this page, without its query."""
        path = self.path
        for name, value in self.params.items():
            path = path.replace(f"{{{name}}}", quote(value, safe=""))
        return path

    @property
    def just_began(self) -> bool:
        return self.session is not None and self.now - self.session.began_at <= _NEWS_FOR

    @property
    def home(self) -> str:
        return f"/accounts/{self.account.account_id}"

    def asked(self, name: str) -> str:
        """The query's value of this name, "" when absent."""
        return self.query.get(name, [""])[-1].strip()

    def sent(self, name: str) -> str:
        """The form's value of this name, "" when absent."""
        return self.form.get(name, [""])[-1]


def safe_next(path: str) -> str:
    """Where to go after signing in: a page of ours, never another site."""
    return path if _NEXT.fullmatch(path) and "//" not in path and ".." not in path else "/accounts"


_BROWSERS = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    *(("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows")),
    *(("Mac OS X", "macOS"), ("Linux", "Linux")),
)


def device_of(user_agent: str) -> str:
    """`Firefox, Windows`: enough for a person to know their own browser again; "" when unknown."""
    found = [next((name for mark, name in marks if mark in user_agent), "") for marks in (_BROWSERS, _SYSTEMS)]
    return ", ".join(name for name in found if name)
