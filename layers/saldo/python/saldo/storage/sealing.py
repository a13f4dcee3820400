"""Field encryption: personal fields of a record as one sealed blob, under a data key per organisation.

Envelope encryption as in NIST SP 800-57: KMS wraps a 256-bit data key, AES-256-GCM seals with it. The additional
data binds a blob to its place, so a blob copied to another record, table or region does not open.

A blob is `01 <nonce> <sealed>` under the first version of a data key, `02 <version, 2 bytes> <nonce> <sealed>` under a
later one; both are part of the additional data.
"""

from __future__ import annotations

import hmac
import json
import os
import time
from collections import OrderedDict
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from saldo.kernel.clock import Clock, instant_text, system_clock
from saldo.kernel.errors import Refusal
from saldo.storage.wrapped_keys import WrappedKey, WrappedKeys

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient

_FIRST, _LATER = b"\x01", b"\x02"
_NONCE_BYTES = 12
_NUMBER_BYTES = 2


class CannotOpen(Refusal):
    """The blob was not sealed for this place, or its key is gone."""

    def __init__(self, code: str = "cannot_open", message: str = "the sealed fields cannot be opened here") -> None:
        super().__init__(code, message)


class Erased(CannotOpen):
    """The organisation's data key was shredded: what was sealed with it is gone, and nothing new is sealed for it."""

    def __init__(self) -> None:
        super().__init__("erased", "the personal fields of this customer were erased")


class KeyRing:
    """Data keys per organisation, wrapped in the keys table, opened by KMS and kept for a bounded time.

    `most_keys` and `max_age_s` bound what lies in memory: shredding takes effect within `max_age_s`.
    """

    def __init__(
        self,
        kms: KMSClient,
        dynamodb: DynamoDBClient,
        *,
        table: str,
        kms_key_id: str,
        region_code: str,
        most_keys: int = 1000,
        max_age_s: int = 300,
        clock: Clock = system_clock,
    ) -> None:
        self._kms, self._clock = kms, clock
        self.wrapped_keys = WrappedKeys(dynamodb, table)
        self._kms_key_id, self.region_code = kms_key_id, region_code
        self._most_keys, self._max_age_s = most_keys, max_age_s
        self._open: OrderedDict[str, tuple[float, tuple[bytes, ...]]] = OrderedDict()

    def data_keys(self, organisation_id: str, *, create: bool = False, at_least: int = 1) -> tuple[bytes, ...]:
        """Every version of an organisation's 32-byte key, the one that seals last.

        `at_least`: how many versions are known to exist; fewer in memory are read anew. Raises Erased when the key was
        shredded, CannotOpen when there is none and `create` is off, or no such version.
        """
        kept = self._open.get(organisation_id)
        if kept and time.monotonic() - kept[0] < self._max_age_s and len(kept[1]) >= at_least:
            self._open.move_to_end(organisation_id)
            return kept[1]
        found = self.wrapped_keys.find(organisation_id)
        if found is None and not create:
            raise CannotOpen
        plain = self._create(organisation_id) if found is None else self.unwrap(found)
        if len(plain) < at_least:
            raise CannotOpen
        self._open[organisation_id] = (time.monotonic(), plain)
        while len(self._open) > self._most_keys:
            self._open.popitem(last=False)
        return plain

    def unwrap(self, key: WrappedKey) -> tuple[bytes, ...]:
        """Every version in clear, asked of the KMS key that wraps them; Erased when there is none any more."""
        if key.shredded_at:
            raise Erased
        if not key.wrapped:
            raise CannotOpen
        context, under = self._context(key.organisation_id), self._wrapper_of(key)
        return tuple(
            self._kms.decrypt(CiphertextBlob=one, KeyId=under, EncryptionContext=context)["Plaintext"]
            for one in key.wrapped
        )

    def _wrapper_of(self, key: WrappedKey) -> str:
        """A KMS key that lies in several regions is asked for in our own: the one that wrapped may be lost."""
        under = key.under or self._kms_key_id
        name = under.rpartition("/")[2]
        return name if name.startswith("mrk-") else under

    def current_wrapper(self) -> str:
        """ARN of the KMS key that wraps from now on."""
        return str(self._kms.describe_key(KeyId=self._kms_key_id)["KeyMetadata"]["Arn"])

    def wrap_anew(self, key: WrappedKey) -> bool:
        """Wrap every version under the current KMS key; False when the record changed or was shredded meanwhile."""
        context, plain = self._context(key.organisation_id), self.unwrap(key)
        answers = [self._kms.encrypt(KeyId=self._kms_key_id, Plaintext=one, EncryptionContext=context) for one in plain]
        wrapped = [answer["CiphertextBlob"] for answer in answers]
        return self.wrapped_keys.replace(key, wrapped, answers[-1]["KeyId"], instant_text(self._clock()))

    def add_version(self, key: WrappedKey) -> bool:
        """A new data key for what is sealed from now on; earlier versions still open what they sealed.

        False when the record changed meanwhile. All versions of a key lie under one KMS key: wrap anew first when
        that is not the current one.
        """
        if not key.wrapped:
            raise Erased
        answer = self._kms.generate_data_key_without_plaintext(
            KeyId=self._wrapper_of(key),
            KeySpec="AES_256",
            EncryptionContext=self._context(key.organisation_id),
        )
        wrapped = (*key.wrapped, answer["CiphertextBlob"])
        return self.wrapped_keys.replace(key, wrapped, answer["KeyId"], instant_text(self._clock()))

    def forget(self, organisation_id: str) -> None:
        """Drop what lies in this process's memory."""
        self._open.pop(organisation_id, None)

    def _context(self, organisation_id: str) -> dict[str, str]:
        return {"organisation": organisation_id, "region": self.region_code, "purpose": "records"}

    def _create(self, organisation_id: str) -> tuple[bytes, ...]:
        """Make the key; when another maker was first, its key is the one."""
        answer = self._kms.generate_data_key(
            KeyId=self._kms_key_id, KeySpec="AES_256", EncryptionContext=self._context(organisation_id)
        )
        at, under = instant_text(self._clock()), answer["KeyId"]
        if self.wrapped_keys.add(WrappedKey(organisation_id, (answer["CiphertextBlob"],), under, at, 1)):
            return (answer["Plaintext"],)
        found = self.wrapped_keys.find(organisation_id)
        if found is None:
            raise CannotOpen
        return self.unwrap(found)


class Sealer:
    """Seals and opens the personal fields of one table's records."""

    def __init__(self, keys: KeyRing, table: str) -> None:
        """`table`: the name that seals are bound to. A restored copy's seals are bound to the original's name."""
        self._keys, self._table = keys, table

    def seal(self, organisation_id: str, key: tuple[str, str], kind: str, fields: Mapping[str, Any]) -> bytes:
        """`fields` (JSON values) as one blob bound to record `key` and field set `kind` (named with its version)."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(_NONCE_BYTES)
        plain = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        data_keys = self._keys.data_keys(organisation_id, create=True)
        head = _head(len(data_keys))
        return head + nonce + AESGCM(data_keys[-1]).encrypt(nonce, plain, self._place(head, key, kind))

    def open(self, organisation_id: str, key: tuple[str, str], kind: str, blob: bytes) -> dict[str, Any]:
        """What `seal` sealed for the same place; Erased when its key was shredded, CannotOpen for anything else."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        number, head = _number_of(blob)
        nonce, sealed = blob[len(head) : len(head) + _NONCE_BYTES], blob[len(head) + _NONCE_BYTES :]
        data_key = self._keys.data_keys(organisation_id, at_least=number)[number - 1]
        try:
            plain = AESGCM(data_key).decrypt(nonce, sealed, self._place(head, key, kind))
        except InvalidTag:
            raise CannotOpen from None
        return dict(json.loads(plain))

    def sign(self, organisation_id: str, purpose: str, text: str) -> bytes:
        """HMAC-SHA-256 of a text under a key derived from the organisation's data key for this purpose (one step of
        HKDF-Expand, RFC 5869): it says nothing of the data key, and dies with it. Erased as in `seal`."""
        return self._signed(self._keys.data_keys(organisation_id, create=True)[-1], purpose, text)

    def is_signed(self, organisation_id: str, purpose: str, text: str, signature: bytes) -> bool:
        """Whether `sign` gave this signature, under any version of the data key; compared in constant time."""
        keys = self._keys.data_keys(organisation_id)
        return any(hmac.compare_digest(self._signed(key, purpose, text), signature) for key in keys)

    def _signed(self, data_key: bytes, purpose: str, text: str) -> bytes:
        info = json.dumps(["sign/1", self._keys.region_code, self._table, purpose]).encode()
        derived = hmac.new(data_key, info + b"\x01", sha256).digest()
        return hmac.new(derived, text.encode(), sha256).digest()

    def _place(self, head: bytes, key: tuple[str, str], kind: str) -> bytes:
        return json.dumps([head.hex(), self._keys.region_code, self._table, *key, kind]).encode()


def _head(number: int) -> bytes:
    return _FIRST if number == 1 else _LATER + number.to_bytes(_NUMBER_BYTES, "big")


def _number_of(blob: bytes) -> tuple[int, bytes]:
    """Which version of the data key sealed a blob, and the bytes that say so."""
    if blob[:1] == _FIRST:
        return 1, _FIRST
    number = int.from_bytes(blob[1 : 1 + _NUMBER_BYTES], "big")
    if blob[:1] != _LATER or number < 2:
        raise CannotOpen
    return number, _head(number)
