"""Passkeys of users: a public key each; the private one never leaves the authenticator (WebAuthn Level 3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class PasskeyPurpose(StrEnum):
    """What a challenge was made for; it is worth nothing for anything else."""

    SIGN_IN = "sign_in"
    PROVE = "prove"
    ADD = "add"


@dataclass(frozen=True, slots=True)
class Passkey:
    """`id`: print of the credential's id. `credential`: attested credential data, a public key in it (WebAuthn 6.5.1).

    `name` is the user's own and personal. `sign_count`: 0 for ever with keys that are synchronised. `used_at`: None
    when never. `backed_up`: whether it is kept on more than one device.
    """

    user_id: str
    id: str
    organisation_id: str
    name: str
    credential: bytes
    sign_count: int
    backed_up: bool
    added_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Signed:
    """What an authenticator signed, verified. `sign_count`: as it counts."""

    sign_count: int
    backed_up: bool


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A key that an authenticator made, verified."""

    credential: bytes
    credential_id: bytes
    sign_count: int
    backed_up: bool
