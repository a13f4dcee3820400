"""An identity provider in memory, whose tokens are real: RS256, signed by a key of its own."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import struct
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha1
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from saldo.access.model import Challenge, ChallengeKind, Tokens
from saldo.kernel.clock import Clock
from saldo.kernel.errors import Refusal

ISSUER = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_test"
CLIENT = "portal-client"


@lru_cache(maxsize=4)
def rsa_key(name: str = "first") -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def coded(value: bytes | dict[str, Any]) -> str:
    plain = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(plain).rstrip(b"=").decode()


def key_set(*names: str) -> bytes:
    """A JSON Web Key Set of these keys."""
    keys = []
    for name in names or ("first",):
        numbers = rsa_key(name).public_key().public_numbers()
        modulus, exponent = numbers.n.to_bytes(256, "big"), numbers.e.to_bytes(3, "big")
        keys.append(
            {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": name, "n": coded(modulus), "e": coded(exponent)}
        )
    return json.dumps({"keys": keys}).encode()


def signed(claims: dict[str, Any], name: str = "first", **head: str) -> str:
    text = f"{coded({'alg': 'RS256', 'kid': name, **head})}.{coded(claims)}"
    return f"{text}.{coded(rsa_key(name).sign(text.encode(), PKCS1v15(), SHA256()))}"


def claims(subject: str, now: float, **changes: Any) -> dict[str, Any]:
    usual = {"sub": subject, "iss": ISSUER, "aud": CLIENT, "token_use": "id", "iat": int(now), "exp": int(now) + 300}
    return usual | changes


def totp(secret: str, at: float) -> str:
    """RFC 6238 with SHA-1, 30 seconds, 6 digits."""
    mac = hmac.new(base64.b32decode(secret), struct.pack(">Q", int(at // 30)), sha1).digest()
    offset = mac[-1] & 0x0F
    return f"{(struct.unpack('>I', mac[offset : offset + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


@dataclass
class Person:
    subject: str
    password: str
    secret: str = ""
    pending: str = ""


@dataclass
class IdentityInMemory:
    """Implements `saldo.access.ports.IdentityProvider`; keeps what was mailed in `mailed`."""

    clock: Clock
    people: dict[str, Person] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    mailed: dict[str, str] = field(default_factory=dict)
    issuer: str = ISSUER
    client: str = CLIENT

    def enrol(self, email: str, password: str) -> str:
        person = self.people.setdefault(email, Person(f"subject-{email}", password))
        person.password = password
        return person.subject

    def find(self, email: str) -> str:
        person = self.people.get(email)
        return person.subject if person else ""

    def sign_in(self, email: str, password: str) -> Tokens | Challenge:
        person = self.people.get(email)
        if person is None or person.password != password:
            raise Refusal("sign_in_failed", "no")
        if person.secret:
            state = secrets.token_hex(16)
            self.sessions[state] = email
            return Challenge(ChallengeKind.TOTP, email, state)
        return self._tokens(email)

    def _tokens(self, email: str) -> Tokens:
        told = claims(self.people[email].subject, self.clock().timestamp(), iss=self.issuer, aud=self.client)
        return Tokens(signed(told), f"access {email}")

    def answer_totp(self, challenge: Challenge, code: str) -> Tokens | Challenge:
        email = self.sessions.pop(challenge.state, "")
        if email != challenge.email or not email:
            raise Refusal("sign_in_failed", "no")
        self._check(self.people[email].secret, code)
        return self._tokens(email)

    def _check(self, secret: str, code: str) -> None:
        if code != totp(secret, self.clock().timestamp()):
            raise Refusal("code_wrong", "no")

    def answer_new_password(self, challenge: Challenge, password: str) -> Tokens | Challenge:
        raise Refusal("sign_in_failed", "this provider never asks")

    def answer_totp_setup(self, challenge: Challenge, code: str) -> Tokens | Challenge:
        raise Refusal("sign_in_failed", "this provider never asks")

    def start_totp_setup(self, access_token: str) -> str:
        person = self.people[access_token.removeprefix("access ")]
        person.pending = base64.b32encode(secrets.token_bytes(20)).decode()
        return person.pending

    def confirm_totp(self, access_token: str, code: str) -> None:
        person = self.people[access_token.removeprefix("access ")]
        self._check(person.pending, code)
        person.secret, person.pending = person.pending, ""

    def forgot_password(self, email: str) -> None:
        if email in self.people:
            self.mailed[email] = "123456"

    def confirm_forgot(self, email: str, code: str, password: str) -> None:
        if not self.mailed.get(email) or self.mailed[email] != code:
            raise Refusal("code_wrong", "no")
        if len(password) < 12:
            raise Refusal("password_weak", "no")
        del self.mailed[email]
        self.people[email].password = password


STAFF_ISSUER = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_staff"
STAFF_CLIENT = "staff-client"


@dataclass
class StaffIdentityInMemory(IdentityInMemory):
    """A pool that lets nobody in without a one-time code: who has none sets it up at the first sign-in."""

    issuer: str = STAFF_ISSUER
    client: str = STAFF_CLIENT

    def sign_in(self, email: str, password: str) -> Tokens | Challenge:
        outcome = super().sign_in(email, password)
        if isinstance(outcome, Challenge):
            return outcome
        state = secrets.token_hex(16)
        self.sessions[state] = email
        return Challenge(ChallengeKind.TOTP_SETUP, email, state, self.start_totp_setup(f"access {email}"))

    def answer_totp_setup(self, challenge: Challenge, code: str) -> Tokens | Challenge:
        email = self.sessions.get(challenge.state, "")
        if email != challenge.email or not email:
            raise Refusal("sign_in_failed", "no")
        self.confirm_totp(f"access {email}", code)
        return self._tokens(email)
