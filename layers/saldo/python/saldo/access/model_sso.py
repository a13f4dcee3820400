"""How an organisation's people sign in through their own identity provider."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from saldo.access.model import Role


class SsoProtocol(StrEnum):
    OIDC = "oidc"
    SAML = "saml"


@dataclass(frozen=True, slots=True)
class Joining:
    """What somebody of the organisation becomes who was not invited: one role on these accounts."""

    role: Role
    account_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Registration:
    """What an organisation hands in. OIDC: `issuer`, `client_id` and `client_secret` of what it registered for us.
    SAML: `metadata`, the address of its metadata or the document itself.

    `domains`: of the addresses it speaks for. `joining`: None when only those who were invited come in.
    """

    organisation_id: str
    protocol: SsoProtocol
    domains: tuple[str, ...]
    issuer: str = ""
    client_id: str = ""
    client_secret: str = ""
    metadata: str = ""
    joining: Joining | None = None


@dataclass(frozen=True, slots=True)
class AppClient:
    """Our own client at the user pool for one organisation: tokens for it are nobody else's."""

    id: str
    secret: str


@dataclass(frozen=True, slots=True)
class Connection:
    """A registered provider. `provider`: its name in the user pool. `told_as`: issuer or metadata, for people.

    `only`: nobody of the organisation gets in by anything else. `client.secret` is sealed where it is stored.
    """

    organisation_id: str
    protocol: SsoProtocol
    provider: str
    client: AppClient
    domains: tuple[str, ...]
    told_as: str
    connected_at: datetime
    joining: Joining | None = None
    only: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the provider says somebody is. `subject`: the provider's own and lasting name of them."""

    subject: str
    email: str
    name: str


@dataclass(frozen=True, slots=True)
class Flow:
    """A sign-in that left for a provider. `browser`: print of the cookie that it must come back with.

    `invitation`: account and id of the invitation it takes up, "" and "" when it takes up none.
    """

    state: str
    organisation_id: str
    provider: str
    browser: str
    follow: str
    until: datetime
    invitation: tuple[str, str] = ("", "")
