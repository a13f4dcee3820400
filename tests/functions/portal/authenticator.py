"""An authenticator in software: makes ES256 keys and signs with them, as WebAuthn Level 3 has it; also wrongly."""

from __future__ import annotations

import base64
import json
import secrets
import struct
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from tests.functions.portal.browser import ORIGIN

UP, UV, BE, BS, AT = 0x01, 0x04, 0x08, 0x10, 0x40


def coded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


@dataclass
class Key:
    id: bytes
    private: ec.EllipticCurvePrivateKey
    user: str
    count: int = 0


@dataclass
class Authenticator:
    """`origin`, `rp_id` and `flags` as the browser and the device would say them."""

    origin: str = ORIGIN
    rp_id: str = "localhost"
    flags: int = UP | UV
    framed: bool = False
    counts: bool = True
    keys: list[Key] = field(default_factory=list)

    def create(self, asked: dict[str, Any]) -> str:
        key = Key(secrets.token_bytes(32), ec.generate_private_key(ec.SECP256R1()), asked["user"]["id"])
        self.keys.append(key)
        numbers = key.private.public_key().public_numbers()
        x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
        cose = b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20" + x + b"\x22\x58\x20" + y  # RFC 9053, 7.1.1
        told = self._told(key, AT) + bytes(16) + struct.pack(">H", len(key.id)) + key.id + cose
        attestation = b"\xa3cfmtdnonegattStmt\xa0hauthDataX" + bytes([len(told)]) + told  # CBOR, RFC 8949
        response = {"clientDataJSON": self._client("webauthn.create", asked), "attestationObject": coded(attestation)}
        return self._answer(key, response)

    def get(self, asked: dict[str, Any], key: Key | None = None) -> str:
        key = key or self.keys[-1]
        key.count += self.counts
        told, client = self._told(key), self._client("webauthn.get", asked)
        plain = base64.urlsafe_b64decode(client + "=" * (-len(client) % 4))
        signature = key.private.sign(told + sha256(plain).digest(), ec.ECDSA(SHA256()))
        response = {"clientDataJSON": client, "authenticatorData": coded(told), "signature": coded(signature)}
        return self._answer(key, response | {"userHandle": key.user})

    def _told(self, key: Key, more: int = 0) -> bytes:
        return sha256(self.rp_id.encode()).digest() + bytes([self.flags | more]) + struct.pack(">I", key.count)

    def _client(self, kind: str, asked: dict[str, Any]) -> str:
        told = {"type": kind, "challenge": asked["challenge"], "origin": self.origin, "crossOrigin": self.framed}
        return coded(json.dumps(told).encode())

    def _answer(self, key: Key, response: dict[str, str]) -> str:
        whole = {"id": coded(key.id), "rawId": coded(key.id), "type": "public-key", "response": response}
        return json.dumps({**whole, "clientExtensionResults": {}, "authenticatorAttachment": "platform"})
