"""Identifiers: a prefix that says what it names, then a part that sorts by time or follows from its content."""

from __future__ import annotations

import re
import secrets
from datetime import date, datetime
from hashlib import blake2b

from saldo.kernel.errors import Refusal

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, lower case
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]  # ten bits each
_SHAPE = re.compile(r"[a-z]{2,8}_[0-9a-z_]{1,64}")


def _base32(number: int, length: int) -> str:
    digits = [_PAIRS[number >> shift & 1023] for shift in range(5 * (length + length % 2) - 10, -1, -10)]
    return "".join(digits)[-length:]


def new_id(prefix: str, at: datetime) -> str:
    """A fresh id: prefix, 9 characters of milliseconds, 9 of randomness. Sorts by `at`."""
    millis = int(at.timestamp() * 1000)
    return f"{prefix}_{_base32(millis, 9)}{_base32(secrets.randbits(45), 9)}"


def derived_id(prefix: str, on: date, *identity: str) -> str:
    """The one id that this identity has on this date: repeating the work yields the same id.

    Sorts by date. 80 bits of the identity's hash: two identities of one day clash once in about 10^12 days
    of a million documents each.
    """
    digest = blake2b("\x1f".join(identity).encode(), digest_size=10).digest()
    day = on.isoformat().replace("-", "")  # an eighth of what `strftime` takes
    return f"{prefix}_{day}{_base32(int.from_bytes(digest, 'big'), 16)}"


def fingerprint(*identity: str) -> str:
    """A short stable name for an identity (26 characters of base 32 over 128 bits), for guard keys."""
    digest = blake2b("\x1f".join(identity).encode(), digest_size=16).digest()
    return _base32(int.from_bytes(digest, "big"), 26)


def check_id(value: str, prefix: str) -> str:
    """The value, if it is an id with this prefix; else Refusal `invalid_id`."""
    if not value.startswith(prefix + "_") or not _SHAPE.fullmatch(value):
        raise Refusal("invalid_id", f"not an id of the form {prefix}_…")
    return value


def is_id(value: str) -> bool:
    """Whether this has the form of an id, of whatever kind."""
    return _SHAPE.fullmatch(value) is not None


def double_id(prefix: str, region_code: str, part: str) -> str:
    """The id of a customer's or seller's double, who lives in simulated time: `acct_eu_test_…`, `ent_eu_test_…`."""
    return f"{prefix}_{region_code}_test_{part}"


def is_double(owner_id: str) -> bool:
    """Whether an owner is a double: nothing of it may reach anybody outside."""
    parts = owner_id.split("_", 3)
    return len(parts) == 4 and parts[2] == "test"


def canary_id(prefix: str, region_code: str) -> str:
    """The id of what belongs to a region's canary (functions/canary): `ent_eu_canary`, `acct_eu_canary`."""
    return f"{prefix}_{region_code}_canary"


def is_canary(owner_id: str) -> bool:
    """Whether an owner is the canary's: no figure of a real seller may have anything of it."""
    return owner_id.split("_", 2)[2:] == ["canary"]
