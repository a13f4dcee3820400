"""Keys with which a seller's own systems call the API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class Scope(StrEnum):
    """What a key may be used for. A route asks for one of them."""

    QUOTES_WRITE = "quotes:write"
    USAGE_WRITE = "usage:write"
    ORDERS_WRITE = "orders:write"
    INVOICES_READ = "invoices:read"
    PAYMENTS_READ = "payments:read"
    SUBSCRIPTIONS_READ = "subscriptions:read"
    SUBSCRIPTIONS_WRITE = "subscriptions:write"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of one seller. `name` says which system it is for: the producer of its usage events and the party of its
    orders. A key that takes another's place has the same.

    `digest` is the SHA-256 of the whole token, in hex: the token itself is shown once and kept nowhere.
    `requests_per_minute` bounds its use; `last_used_on` is a UTC day, None when it was never used.
    """

    id: str
    entity_id: str
    name: str
    scopes: frozenset[Scope]
    digest: str
    requests_per_minute: int
    created_at: datetime
    expires_at: datetime
    last_used_on: date | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made, with its token: the only time anybody sees it."""

    token: str
    key: ApiKey


@dataclass(frozen=True, slots=True)
class TokenParts:
    """What a token says of itself, before it is believed."""

    region_code: str
    key_id: str


@dataclass(frozen=True, slots=True)
class Allowance:
    """Requests of this minute: how many may be made, how many were, and in how many seconds the count begins anew."""

    limit: int
    used: int
    resets_in_s: int

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)

    @property
    def is_spent(self) -> bool:
        return self.used > self.limit


@dataclass(frozen=True, slots=True)
class Admission:
    """Who calls, and how much more they may."""

    key: ApiKey
    allowance: Allowance
