"""A seller whose customer has sealed fields, invoices and payments, on tables with point-in-time backups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from saldo.accounts.model import Organisation
from saldo.accounts.records import organisation_item
from saldo.accounts.records_profiles import profile_items
from saldo.accounts.shredding import Shredding
from saldo.recovery.copies import MARK, Copies
from saldo.recovery.drill import RestoreDrill
from saldo.recovery.model import DrillReport
from saldo.storage.store import Store
from tests.contexts import sellers
from tests.contexts.conftest import Region
from tests.contexts.payments.scenes import OWED, Shop, shop_on
from tests.founding import lay

BEGAN = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass
class Backups:
    """moto's DynamoDB with backups that go back in time: moto restores what is there now, this what was there then."""

    dynamodb: Any
    kept: list[tuple[datetime, dict[str, list[Any]]]] = field(default_factory=list)
    first: dict[str, datetime] = field(default_factory=dict)
    spoil: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.dynamodb, name)

    def take(self, at: datetime, *tables: str) -> None:
        self.kept.append((at, {table: self.items(table) for table in tables}))

    def items(self, table: str) -> list[Any]:
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=table)
        return [item for page in pages for item in page["Items"]]

    def describe_continuous_backups(self, TableName: str) -> Any:  # noqa: N803 - the name boto3 gives it
        answer = self.dynamodb.describe_continuous_backups(TableName=TableName)
        told = answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        if told["PointInTimeRecoveryStatus"] == "ENABLED":
            told["EarliestRestorableDateTime"] = self.first.get(TableName, BEGAN)
            told["LatestRestorableDateTime"] = self.kept[-1][0]
        return answer

    def restore_table_to_point_in_time(self, **asked: Any) -> None:
        at = asked.get("RestoreDateTime") or self.kept[-1][0]
        self.dynamodb.restore_table_to_point_in_time(**asked)
        table, made = asked["SourceTableName"], asked["TargetTableName"]
        keys = ("pk",) if "keys" in table else ("pk", "sk")
        for item in self.items(made):
            self.dynamodb.delete_item(TableName=made, Key={k: item[k] for k in keys})
        then = [tables for taken_at, tables in self.kept if taken_at <= at][-1]
        for item in then[table]:
            self.dynamodb.put_item(TableName=made, Item=item)
        if self.spoil and "records" in table:
            self.spoil(Store(self.dynamodb, made))


@dataclass
class Disaster:
    """A region with one customer who owes 100.00, 50.00 and 20.00 EUR, and its backups."""

    region: Region
    shop: Shop
    backups: Backups

    def backup(self) -> datetime:
        """What the tables hold at this moment can be restored from now on; a few minutes pass."""
        self.shop.clock.advance(minutes=5)
        at = self.shop.clock()
        self.backups.take(at, "records", "keys")
        self.shop.clock.advance(minutes=5)
        return at

    def drill(self, at: datetime | None = None, *, keep: bool = False) -> DrillReport:
        region = self.region
        drill = RestoreDrill(
            self.backups,  # type: ignore[arg-type]  # a client with one method of its own
            region.kms,
            table="records",
            keys_table="keys",
            kms_key_id=region.keys.current_wrapper(),
            region_code="eu",
            clock=self.shop.clock,
            copies=Copies(self.backups, pause=lambda _s: None),  # type: ignore[arg-type]
        )
        return drill.run(at, lambda _step: None, keep=keep)

    def shredding(self) -> Shredding:
        return Shredding(self.region.store, self.region.keys, self.shop.clock)

    def copies(self) -> Sequence[str]:
        return [name for name in self.region.dynamodb.list_tables()["TableNames"] if MARK in name]


def disaster(region: Region) -> Disaster:
    for table in ("records", "keys"):
        on = {"PointInTimeRecoveryEnabled": True}
        region.dynamodb.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=on)
    shop = shop_on(region.dynamodb, OWED)
    organisation = Organisation(sellers.ORGANISATION, "Kontor Nord", "DE")
    profiles = profile_items(sellers.profile(), sellers.ORGANISATION, region.sealer)
    lay(region.store, [organisation_item(organisation), *profiles], shop.clock())
    return Disaster(region, shop, Backups(region.dynamodb))
