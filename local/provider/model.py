"""What the provider knows: its people, its client, its keys, and what it does wrong when asked to."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

CODE_HOLDS_S, TOKEN_HOLDS_S = 60, 300
Claims = dict[str, Any]
# What may be wrong with a token, by name: the claims as they would be → as they are.
FAULTS: Mapping[str, Callable[[Claims, float], Claims]] = {
    "wrong_nonce": lambda c, _: c | {"nonce": "another"},
    "no_nonce": lambda c, _: {k: v for k, v in c.items() if k != "nonce"},
    "expired": lambda c, now: c | {"iat": int(now) - 600, "exp": int(now) - 300},
    "ahead": lambda c, now: c | {"iat": int(now) + 600, "exp": int(now) + 900},
    "a_little_ahead": lambda c, now: c | {"iat": int(now) + 30, "exp": int(now) + 330},
    "wrong_audience": lambda c, _: c | {"aud": "somebody-else"},
    "several_audiences": lambda c, _: c | {"aud": [c["aud"], "somebody-else"]},
    "wrong_issuer": lambda c, _: c | {"iss": "https://elsewhere.example"},
    "access_token": lambda c, _: c | {"token_use": "access"},
}
HEAD_FAULTS = frozenset({"unsigned", "by_public_key", "foreign_key"})


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the organisation. `claims`: what else the provider says of them."""

    subject: str
    email: str
    name: str
    claims: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Granted:
    """What a code stands for."""

    person: Person
    client_id: str
    redirect_uri: str
    nonce: str
    challenge: str
    until_s: float


@dataclass
class Provider:
    """One organisation's. `secrets_of`: client id → its secret. `also`: further claims of every token."""

    issuer: str
    now_s: Callable[[], float]
    secrets_of: dict[str, str] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    also: Callable[[Person], Claims] = lambda _: {}
    fault: str = ""
    codes: dict[str, Granted] = field(default_factory=dict)
    keys: list[tuple[str, RSAPrivateKey]] = field(default_factory=list)

    def rotate(self) -> None:
        """A new key signs from now on; the old ones are withdrawn."""
        from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

        self.keys = [(secrets.token_hex(4), generate_private_key(65537, 2048))]

    def grant(self, email: str, asked: Mapping[str, str]) -> str:
        """A code for somebody who signed in here."""
        code, until = secrets.token_urlsafe(24), self.now_s() + CODE_HOLDS_S
        facts = (asked["client_id"], asked["redirect_uri"], asked.get("nonce", ""), asked.get("code_challenge", ""))
        self.codes[code] = Granted(self.people[email], *facts, until)
        return code

    def redeem(self, client: tuple[str, str], form: Mapping[str, str]) -> dict[str, Any] | None:
        """The tokens for a code, once; None for whatever does not fit."""
        granted = self.codes.pop(form.get("code", ""), None)
        client_id, secret = client
        if granted is None or granted.client_id != client_id or self.secrets_of.get(client_id, "") != secret:
            return None
        if granted.redirect_uri != form.get("redirect_uri") or self.now_s() >= granted.until_s:
            return None
        verifier = form.get("code_verifier", "")
        if granted.challenge and coded(sha256(verifier.encode()).digest()) != granted.challenge:
            return None
        token = self._id_token(granted)
        return {"id_token": token, "access_token": secrets.token_urlsafe(24), "token_type": "Bearer", "expires_in": 300}

    def _id_token(self, granted: Granted) -> str:
        now, person = self.now_s(), granted.person
        claims: Claims = {"iss": self.issuer, "aud": granted.client_id, "sub": person.subject, "iat": int(now)}
        claims |= {"exp": int(now) + TOKEN_HOLDS_S, "email": person.email, "name": person.name}
        claims |= {"nonce": granted.nonce} if granted.nonce else {}
        claims |= dict(person.claims) | self.also(person)
        if self.fault in FAULTS:
            claims = FAULTS[self.fault](claims, now)
        return self._signed(claims)

    def _signed(self, claims: Claims) -> str:
        import hmac

        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        if not self.keys:
            self.rotate()
        name, key = self.keys[0]
        algorithm = {"unsigned": "none", "by_public_key": "HS256"}.get(self.fault, "RS256")
        text = f"{coded_document({'alg': algorithm, 'kid': name, 'typ': 'JWT'})}.{coded_document(claims)}"
        if self.fault == "unsigned":
            return f"{text}."
        if self.fault == "by_public_key":
            public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            return f"{text}.{coded(hmac.new(public, text.encode(), sha256).digest())}"
        signer = generate_private_key(65537, 2048) if self.fault == "foreign_key" else key
        return f"{text}.{coded(signer.sign(text.encode(), PKCS1v15(), SHA256()))}"

    def key_set(self) -> bytes:
        """The JSON Web Key Set of the keys that sign (RFC 7517)."""
        if not self.keys:
            self.rotate()
        found = []
        for name, key in self.keys:
            numbers = key.public_key().public_numbers()
            modulus, exponent = numbers.n.to_bytes(256, "big"), numbers.e.to_bytes(3, "big")
            facts = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": name}
            found.append({**facts, "n": coded(modulus), "e": coded(exponent)})
        return json.dumps({"keys": found}).encode()


def coded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def coded_document(value: Mapping[str, Any]) -> str:
    return coded(json.dumps(value).encode())
