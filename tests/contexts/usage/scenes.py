"""Meters, files and rows of usage, on tables and files in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import IO, Any, cast

from saldo.accounts.records import account_item, entity_item
from saldo.kernel.errors import NotFound
from saldo.storage.files import Files
from saldo.storage.schema import AGENDA_FIELDS
from saldo.storage.store import Store
from saldo.usage.ingest_rows import UsageRow
from saldo.usage.model import Aggregation, Meter
from saldo.usage.service import Usage
from tests.contexts.conftest import FrozenClock
from tests.contexts.sellers import ACCOUNT, CLERK, ENTITY, account, entity
from tests.simulation.dynamodb import MemoryDynamoDB

TOKENS = Meter("tokens", ENTITY, Aggregation.SUM, {"en": "Tokens"}, {"en": "tokens"})
CALLS = Meter("calls", ENTITY, Aggregation.COUNT, {"en": "Calls"}, {"en": "calls"})
PEOPLE = Meter("people", ENTITY, Aggregation.UNIQUE, {"en": "People"}, {"en": "people"}, "person")
LEVEL = Meter("level", ENTITY, Aggregation.LATEST, {"en": "Level"}, {"en": "GB"})
OTHER_SELLERS = "acct_eu_of_another"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HEADER = "source,id,account_id,meter,at,value"


class MemoryFiles(Files):
    """A bucket in memory, handing files out in small chunks."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.bucket = "imports"
        self.files = dict(files)

    def chunks(self, key: str, size: int = 7) -> Iterator[bytes]:
        if key not in self.files:
            raise NotFound("no such file")
        body = self.files[key]
        return (body[i : i + size] for i in range(0, len(body), size))

    def put_from(self, key: str, body: IO[bytes], content_type: str) -> None:
        self.files[key] = body.read()


class World:
    """One seller with two customers and four meters."""

    def __init__(self) -> None:
        self.table = MemoryDynamoDB(AGENDA_FIELDS)
        self.store = Store(cast(Any, self.table), "records")
        self.clock = FrozenClock(NOW)
        self.usage = Usage(self.store, self.clock)
        here = [account(), account("acct_eu_second"), account(OTHER_SELLERS, entity_id="ent_eu_another")]
        self.store.put_many([entity_item(entity()), *(account_item(a) for a in here)])
        for meter in (TOKENS, CALLS, PEOPLE, LEVEL):
            self.usage.define_meter(meter, CLERK)

    def items(self, kind: str) -> list[dict[str, Any]]:
        return [item for item in self.store.scan() if item["kind"] == kind]


def row(number: int, **fields: str) -> UsageRow:
    """A good row; fields named here replace its own."""
    good = {
        "source": "gateway-1",
        "id": f"evt-{number}",
        "account_id": ACCOUNT,
        "meter": "tokens",
        "at": "2026-11-05T10:00:00Z",
        "value": "100",
    }
    return UsageRow(number, f"row {number}", good | {k.replace("__", "."): v for k, v in fields.items()})
