"""Keys of KMS that sign. The private half never leaves KMS; each key is of one purpose and one region."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


class SigningKey(Protocol):
    """A private key on P-256 that never leaves where it lies."""

    def public(self) -> bytes:
        """Its public half: SubjectPublicKeyInfo in DER."""
        ...

    def sign(self, message: bytes) -> bytes:
        """ECDSA with SHA-256: R and S in DER (FIPS 186-5, RFC 3279)."""
        ...


class KmsSigningKey:
    """A `SigningKey` of KMS: ECC_NIST_P256, for signing alone. Its public half is asked for once."""

    def __init__(self, kms: KMSClient, key_id: str) -> None:
        self._kms, self._key_id = kms, key_id
        self._public: bytes | None = None

    def public(self) -> bytes:
        if self._public is None:
            self._public = self._kms.get_public_key(KeyId=self._key_id)["PublicKey"]
        return self._public

    def sign(self, message: bytes) -> bytes:
        """At most 4,096 bytes; KMS hashes them itself, so that nothing else can be passed off as their digest."""
        return self._kms.sign(KeyId=self._key_id, Message=message, MessageType="RAW", SigningAlgorithm="ECDSA_SHA_256")[
            "Signature"
        ]
