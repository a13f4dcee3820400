"""Rooms with storage, on an in-process AWS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from saldo.storage import schema
from saldo.storage.sealing import KeyRing, Sealer
from saldo.storage.store import Store
from tests.in_process_aws import in_process_aws


class FrozenClock:
    """Time that moves only when told."""

    def __init__(self, now: datetime = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **delta: float) -> None:
        self.now += timedelta(**delta)


@dataclass
class Region:
    """One region's storage, empty."""

    dynamodb: Any
    kms: Any
    store: Store
    keys: KeyRing
    sealer: Sealer
    clock: FrozenClock


@pytest.fixture
def region() -> Iterator[Region]:
    with in_process_aws():
        dynamodb = boto3.client("dynamodb", region_name="eu-central-1")
        kms = boto3.client("kms", region_name="eu-central-1")
        dynamodb.create_table(**schema.records_table("records"))
        dynamodb.create_table(**schema.keys_table("keys"))
        key_id = kms.create_key()["KeyMetadata"]["KeyId"]
        keys = KeyRing(kms, dynamodb, table="keys", kms_key_id=key_id, region_code="eu")
        yield Region(dynamodb, kms, Store(dynamodb, "records"), keys, Sealer(keys, "records"), FrozenClock())
