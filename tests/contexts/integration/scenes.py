"""A seller that moves to Saldo, on tables and files in memory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, cast

import boto3

from saldo.accounts.model import LegalEntity
from saldo.accounts.service import Accounts
from saldo.audit.model import Actor
from saldo.integration.imports import ImportRequest, ImportSummary, InvoiceImport
from saldo.integration.imports_records import account_id_of
from saldo.ledger.model import OpenItem
from saldo.ledger.service import open_items
from saldo.storage.schema import AGENDA_FIELDS
from saldo.storage.sealing import KeyRing, Sealer
from saldo.storage.store import Store
from tests.contexts.conftest import FrozenClock
from tests.contexts.sellers import CLERK, ENTITY, entity
from tests.contexts.usage.scenes import MemoryFiles
from tests.simulation.dynamodb import MemoryDynamoDB

CONSULTANT = Actor("user_eu_consultant", "staff")


class Files(MemoryFiles):
    def put(self, key: str, body: bytes, content_type: str) -> None:
        self.files[key] = body


class World:
    """One seller without customers. Needs KMS from moto."""

    def __init__(self, files: Mapping[str, bytes], seller: LegalEntity | None = None) -> None:
        self.table = MemoryDynamoDB(AGENDA_FIELDS)
        self.store = Store(cast(Any, self.table), "records")
        self.clock = FrozenClock(datetime(2026, 11, 23, 12, tzinfo=UTC))
        self.files = Files(files)
        kms = boto3.client("kms", region_name="eu-central-1")
        key_id = kms.create_key()["KeyMetadata"]["KeyId"]
        keys = KeyRing(kms, cast(Any, self.table), table="keys", kms_key_id=key_id, region_code="eu")
        self.accounts = Accounts(self.store, Sealer(keys, "records"), self.clock)
        self.accounts.register_entity(seller or entity(), CLERK)

    def run(self, key: str, **options: Any) -> ImportSummary:
        importer = InvoiceImport(self.store, self.files, self.accounts, self.clock)
        return importer.run(ImportRequest(ENTITY, key, **options), CONSULTANT)

    def items(self, kind: str) -> list[dict[str, Any]]:
        return [item for item in self.store.scan() if item["kind"] == kind]

    def essence(self) -> list[tuple[Any, ...]]:
        """Every record but wrapped keys and sealed blobs, which chance has a part in."""
        return sorted(
            (i["pk"], i["sk"], repr({k: v for k, v in i.items() if k != "sealed"}))
            for i in self.store.scan()
            if "sk" in i
        )

    def open_items(self, customer: str, as_of: date) -> list[OpenItem]:
        return open_items(self.store, account_id_of(ENTITY, customer), as_of=as_of)
