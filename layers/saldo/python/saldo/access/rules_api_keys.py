"""Decisions on API keys: what a token looks like, when a key counts, how often it may be used."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from saldo.access.model_api_keys import Allowance, ApiKey, Scope, TokenParts
from saldo.access.rules import WINDOW
from saldo.kernel.errors import Problems
from saldo.kernel.ids import fingerprint
from saldo.kernel.regions import AWS_REGIONS

REQUESTS_PER_MINUTE = 600
MOST_REQUESTS_PER_MINUTE = 6000
MOST_DAYS = 730
# Guessing one of 2^256 secrets is hopeless at any speed; this bounds what the attempts cost us.
MOST_WRONG_KEYS_OF_A_NETWORK = 60
_TOKEN = re.compile(r"sk_([a-z]{2})_([0-9a-z]{18})_[0-9a-f]{64}")
_MINUTE_S = 60
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


def key_id_of(region_code: str, part: str) -> str:
    return f"key_{region_code}_{part}"


def token_of(key_id: str, secret: str) -> str:
    """`sk_<region>_<18 characters of the key's id>_<64 of the secret>`: scanners of leaks know it by its shape.

    secret: 32 random bytes in hex.
    """
    return f"sk_{key_id.removeprefix('key_')}_{secret}"


def token_parts(token: str) -> TokenParts | None:
    """What a token names, None for a text of any other shape."""
    found = _TOKEN.fullmatch(token)
    return TokenParts(found[1], key_id_of(found[1], found[2])) if found and found[1] in AWS_REGIONS else None


def is_alive(key: ApiKey, now: datetime) -> bool:
    return key.revoked_at is None and now < key.expires_at


def minute_of(now: datetime) -> int:
    """The window in which requests are counted: whole minutes since 1970."""
    return int(now.timestamp()) // _MINUTE_S


def allowance_of(key: ApiKey, used: int, now: datetime) -> Allowance:
    """used: requests of this minute, this one included."""
    return Allowance(key.requests_per_minute, used, _MINUTE_S - int(now.timestamp()) % _MINUTE_S)


def wrong_keys_owner(network: str, now: datetime) -> str:
    """Owner of the counter of wrong keys from a network in this window."""
    return f"attempts_{fingerprint('api', network, str(int(now.timestamp() // WINDOW.total_seconds())))}"


def wrong_keys_forgotten_in_s(now: datetime) -> int:
    window_s = int(WINDOW.total_seconds())
    return window_s - int(now.timestamp()) % window_s


def scopes_from(texts: Iterable[str], problems: Problems) -> frozenset[Scope]:
    """The scopes of these names; each unknown one is a problem, and so are none."""
    wanted = {text.strip() for text in texts} - {""}
    known = {scope.value for scope in Scope}
    for text in sorted(wanted - known):
        problems.add("scopes", "unknown_scope", f"no scope {text!r}; there are {', '.join(sorted(known))}")
    if not wanted:
        problems.add("scopes", "missing", "a key without scopes could do nothing")
    return frozenset(Scope(text) for text in wanted & known)


def check_request(name: str, days: int, requests_per_minute: int, problems: Problems) -> None:
    """Whether a key may be made like this."""
    if not _NAME.fullmatch(name):
        problems.add("name", "invalid_name", "lower-case letters, digits, dots, dashes and lines, at most 64")
    if not 1 <= days <= MOST_DAYS:
        problems.add("days", "out_of_range", f"a key lives 1 to {MOST_DAYS} days")
    if not 1 <= requests_per_minute <= MOST_REQUESTS_PER_MINUTE:
        problems.add("requests_per_minute", "out_of_range", f"must be from 1 to {MOST_REQUESTS_PER_MINUTE}")


def expires_at(created_at: datetime, days: int) -> datetime:
    return created_at + timedelta(days=days)
