"""Signed words in the form that any library for JSON Web Tokens checks: compact JWS (RFC 7515), ES256 and nothing else.

The header never chooses the algorithm or where keys come from; its key id only picks among the keys at hand.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from saldo.kernel.errors import Refusal
from saldo.storage.signing import SigningKey

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

MOST_CHARACTERS = 8192
_SIZE = 32  # bytes of a number of the curve P-256


class Forged(Refusal):
    """The words are not those that were signed, or not by one of the keys."""


def jwk_of(public: bytes) -> dict[str, str]:
    """The public key (DER) as a JSON Web Key (RFC 7517, RFC 7518); its `kid` is its thumbprint (RFC 7638)."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    key = load_der_public_key(public)
    assert isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1), "signing keys are on P-256"
    numbers = key.public_numbers()
    x, y = (encoded(number.to_bytes(_SIZE, "big")) for number in (numbers.x, numbers.y))
    named = {"crv": "P-256", "kty": "EC", "x": x, "y": y}  # exactly these, in this order, make the thumbprint
    return named | {"kid": thumbprint(named), "use": "sig", "alg": "ES256"}


def thumbprint(jwk: Mapping[str, str]) -> str:
    """RFC 7638: SHA-256 of what makes the key, so that the same key has the same name everywhere."""
    named = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    return encoded(sha256(json.dumps(named, separators=(",", ":")).encode()).digest())


def signed(key: SigningKey, kind: str, claims: Mapping[str, Any]) -> str:
    """The compact JWS of these claims. `kind`: the `typ` that says what it is (RFC 8725, 3.11)."""
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    head = {"alg": "ES256", "kid": jwk_of(key.public())["kid"], "typ": kind}
    said = ".".join(encoded(json.dumps(part, ensure_ascii=False).encode()) for part in (head, claims))
    r, s = decode_dss_signature(key.sign(said.encode()))
    return f"{said}.{encoded(r.to_bytes(_SIZE, 'big') + s.to_bytes(_SIZE, 'big'))}"


def verified(token: str, kind: str, keys: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The claims of a compact JWS that one of these keys (JWKs) signed as this kind. Raises Forged: `signature_form`,
    `signature_kind`, `signature_key` (none of these keys), `signature_wrong`."""
    head, claims, said, signature = parts(token)
    if head.get("alg") != "ES256" or head.get("typ") != kind or "crit" in head:
        raise Forged("signature_kind", f"this is not of the kind {kind}, signed with ES256")
    found = next((key for key in keys if _is_key(key) and thumbprint(key) == head.get("kid")), None)
    if found is None:
        raise Forged("signature_key", "none of these keys has the name that the signature gives")
    if len(signature) != 2 * _SIZE or not _holds(_key_of(found), said, signature):
        raise Forged("signature_wrong", "the signature does not fit what is written")
    return claims


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    """Header, claims, what is signed, the signature; nothing of it is checked. Raises Forged `signature_form`."""
    if len(token) > MOST_CHARACTERS or token.count(".") != 2 or not token.isascii():
        raise Forged("signature_form", "this is no compact JWS")
    head, claims, signature = token.split(".")
    try:
        first, second = json.loads(decoded(head)), json.loads(decoded(claims))
        third = decoded(signature)
    except (ValueError, RecursionError, binascii.Error):
        raise Forged("signature_form", "this is no compact JWS") from None
    if not isinstance(first, dict) or not isinstance(second, dict):
        raise Forged("signature_form", "this is no compact JWS")
    return first, second, f"{head}.{claims}".encode(), third


def encoded(content: bytes) -> str:
    """base64url without padding (RFC 4648, 5; RFC 7515, 2)."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def decoded(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)


def _is_key(key: Mapping[str, Any]) -> bool:
    texts = all(isinstance(key.get(name), str) for name in ("x", "y"))
    return texts and key.get("kty") == "EC" and key.get("crv") == "P-256" and key.get("use", "sig") == "sig"


def _key_of(jwk: Mapping[str, Any]) -> EllipticCurvePublicKey:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicNumbers

    x, y = (int.from_bytes(decoded(jwk[name]), "big") for name in ("x", "y"))
    try:
        return EllipticCurvePublicNumbers(x, y, SECP256R1()).public_key()
    except ValueError:
        raise Forged("signature_key", "the key is no point of its curve") from None


def _holds(key: EllipticCurvePublicKey, said: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
    from cryptography.hazmat.primitives.hashes import SHA256

    r, s = (int.from_bytes(half, "big") for half in (signature[:_SIZE], signature[_SIZE:]))
    try:
        key.verify(encode_dss_signature(r, s), said, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True
