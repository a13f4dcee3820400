"""Verification of OpenID Connect ID tokens (RFC 7519, RFC 7515): RS256 and nothing else.

The token's header never chooses the algorithm, and its key id only picks among keys of the issuer's own set.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from saldo.kernel.clock import Clock
from saldo.kernel.errors import Refusal
from saldo.storage.jws import Forged, decoded, parts

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

_LEAST_BITS = 2048
_SKEW_S = 60
_REFETCH_AFTER = timedelta(minutes=1)
_KEPT_FOR = timedelta(hours=1)  # a key that the issuer withdrew counts no longer than that


class TokenInvalid(Refusal):
    """The token does not hold. `reason` is for the log, never for the reader."""

    def __init__(self, reason: str) -> None:
        super().__init__("token_invalid", "the sign-in could not be verified")
        self.reason = reason


class KeySet:
    """An issuer's signing keys. `fetch` answers its JSON Web Key Set."""

    def __init__(self, fetch: Callable[[], bytes], clock: Clock) -> None:
        self._fetch, self._clock = fetch, clock
        self._keys: dict[str, RSAPublicKey] = {}
        self._fetched_at: datetime | None = None

    def key(self, key_id: object) -> RSAPublicKey:
        """The key of this id. An unknown id fetches the set again, at most once a minute; so does an old set."""
        if not isinstance(key_id, str):
            raise TokenInvalid("key_id")
        now, at = self._clock(), self._fetched_at
        wait = _KEPT_FOR if key_id in self._keys else _REFETCH_AFTER
        if at is None or now - at >= wait:
            self._keys, self._fetched_at = _keys_from(self._fetch()), now
        if key_id not in self._keys:
            raise TokenInvalid("unknown_key")
        return self._keys[key_id]


class RsaTokens:
    """Tokens of one issuer for one audience. `fetch_keys` answers the issuer's JSON Web Key Set."""

    def __init__(
        self, issuer: str, audience: str, fetch_keys: Callable[[], bytes], clock: Clock, keys: KeySet | None = None
    ) -> None:
        self._issuer, self._audience, self._fetch, self._clock = issuer, audience, fetch_keys, clock
        self._keys = keys or KeySet(fetch_keys, clock)

    def for_audience(self, audience: str) -> RsaTokens:
        """The same issuer's tokens for another of its clients; the keys are shared."""
        return RsaTokens(self._issuer, audience, self._fetch, self._clock, self._keys)

    def subject(self, id_token: str) -> str:
        """The `sub` of a valid ID token; TokenInvalid otherwise."""
        return str(self.claims(id_token)["sub"])

    def claims(self, id_token: str, nonce: str = "") -> dict[str, Any]:
        """All claims of a valid ID token; with `nonce`, one that was asked for with it. TokenInvalid otherwise."""
        head, claims, signed, signature = _parts(id_token)
        if head.get("alg") != "RS256" or "crit" in head:
            raise TokenInvalid("algorithm")
        self._check_signature(self._keys.key(head.get("kid")), signed, signature)
        self._check_claims(claims)
        if nonce and not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise TokenInvalid("nonce")
        return claims

    def _check_signature(self, key: RSAPublicKey, signed: bytes, signature: bytes) -> None:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        try:
            key.verify(signature, signed, PKCS1v15(), SHA256())
        except InvalidSignature:
            raise TokenInvalid("signature") from None

    def _check_claims(self, claims: dict[str, Any]) -> None:
        now = self._clock().timestamp()
        if claims.get("iss") != self._issuer:
            raise TokenInvalid("issuer")
        if claims.get("aud") != self._audience:
            raise TokenInvalid("audience")
        if claims.get("token_use") != "id":
            raise TokenInvalid("token_use")
        expires, issued = claims.get("exp"), claims.get("iat")
        if type(expires) is not int or now >= expires:
            raise TokenInvalid("expired")
        if type(issued) is not int or issued > now + _SKEW_S:
            raise TokenInvalid("issued_ahead")
        begins = claims.get("nbf", issued)
        if type(begins) is not int or begins > now + _SKEW_S:
            raise TokenInvalid("not_yet")
        if not isinstance(claims.get("sub"), str) or not claims["sub"]:
            raise TokenInvalid("subject")


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    try:
        return parts(token)
    except Forged:
        raise TokenInvalid("form") from None


def _keys_from(document: bytes) -> dict[str, RSAPublicKey]:
    """RSA signing keys of at least 2048 bits by key id; others are left out."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

    found: dict[str, RSAPublicKey] = {}
    for key in json.loads(document).get("keys", []):
        if key.get("kty") != "RSA" or key.get("use", "sig") != "sig" or key.get("alg", "RS256") != "RS256":
            continue
        modulus, exponent = _number(key["n"]), _number(key["e"])
        if modulus.bit_length() >= _LEAST_BITS:
            found[str(key["kid"])] = RSAPublicNumbers(exponent, modulus).public_key()
    return found


def _number(text: str) -> int:
    return int.from_bytes(decoded(text), "big")
