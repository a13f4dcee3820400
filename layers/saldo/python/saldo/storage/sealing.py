"""Field encryption: personal fields of a record as one sealed blob, under a data key per organisation.

Envelope encryption as in NIST SP 800-57: KMS wraps a 256-bit data key, AES-256-GCM seals with it. The additional
data binds a blob to its place, so a blob copied to another record, table or region does not open.
"""

from __future__ import annotations

import json
import os
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from saldo.kernel.errors import Refusal

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient

_VERSION = b"\x01"
_NONCE_BYTES = 12


class CannotOpen(Refusal):
    """The blob was not sealed for this place, or its key is gone."""

    def __init__(self) -> None:
        super().__init__("cannot_open", "the sealed fields cannot be opened here")


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
    ) -> None:
        self._kms, self._dynamodb = kms, dynamodb
        self._table, self._kms_key_id, self.region_code = table, kms_key_id, region_code
        self._most_keys, self._max_age_s = most_keys, max_age_s
        self._open: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    def data_key(self, organisation_id: str, *, create: bool = False) -> bytes:
        """The 32-byte key of an organisation. Raises CannotOpen when there is none and `create` is off."""
        kept = self._open.get(organisation_id)
        if kept and time.monotonic() - kept[0] < self._max_age_s:
            self._open.move_to_end(organisation_id)
            return kept[1]
        wrapped = self._wrapped(organisation_id)
        if wrapped is None and not create:
            raise CannotOpen
        plain = self._create(organisation_id) if wrapped is None else self._unwrap(organisation_id, wrapped)
        self._open[organisation_id] = (time.monotonic(), plain)
        while len(self._open) > self._most_keys:
            self._open.popitem(last=False)
        return plain

    def _context(self, organisation_id: str) -> dict[str, str]:
        return {"organisation": organisation_id, "region": self.region_code, "purpose": "records"}

    def _wrapped(self, organisation_id: str) -> bytes | None:
        answer = self._dynamodb.get_item(TableName=self._table, Key={"pk": {"S": organisation_id}}, ConsistentRead=True)
        found = answer.get("Item")
        return bytes(found["wrapped"]["B"]) if found and "wrapped" in found else None

    def _unwrap(self, organisation_id: str, wrapped: bytes) -> bytes:
        answer = self._kms.decrypt(
            CiphertextBlob=wrapped, KeyId=self._kms_key_id, EncryptionContext=self._context(organisation_id)
        )
        return answer["Plaintext"]

    def _create(self, organisation_id: str) -> bytes:
        """Make the key; when another maker was first, its key is the one."""
        answer = self._kms.generate_data_key(
            KeyId=self._kms_key_id, KeySpec="AES_256", EncryptionContext=self._context(organisation_id)
        )
        item: Any = {"pk": {"S": organisation_id}, "wrapped": {"B": answer["CiphertextBlob"]}}
        try:
            self._dynamodb.put_item(TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(pk)")
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            wrapped = self._wrapped(organisation_id)
            if wrapped is None:
                raise CannotOpen from None
            return self._unwrap(organisation_id, wrapped)
        return answer["Plaintext"]


class Sealer:
    """Seals and opens the personal fields of one table's records."""

    def __init__(self, keys: KeyRing, table: str) -> None:
        self._keys, self._table = keys, table

    def seal(self, organisation_id: str, key: tuple[str, str], kind: str, fields: Mapping[str, Any]) -> bytes:
        """`fields` (JSON values) as one blob bound to record `key` and field set `kind` (named with its version)."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(_NONCE_BYTES)
        plain = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        data_key = self._keys.data_key(organisation_id, create=True)
        return _VERSION + nonce + AESGCM(data_key).encrypt(nonce, plain, self._place(key, kind))

    def open(self, organisation_id: str, key: tuple[str, str], kind: str, blob: bytes) -> dict[str, Any]:
        """What `seal` sealed for the same place; CannotOpen for anything else."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if blob[:1] != _VERSION:
            raise CannotOpen
        nonce, sealed = blob[1 : 1 + _NONCE_BYTES], blob[1 + _NONCE_BYTES :]
        try:
            plain = AESGCM(self._keys.data_key(organisation_id)).decrypt(nonce, sealed, self._place(key, kind))
        except InvalidTag:
            raise CannotOpen from None
        return dict(json.loads(plain))

    def _place(self, key: tuple[str, str], kind: str) -> bytes:
        return json.dumps([_VERSION.hex(), self._keys.region_code, self._table, *key, kind]).encode()
