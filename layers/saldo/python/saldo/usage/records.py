"""How meters, usage events and rejected rows lie in the table.

`<entity>` / `meter#<meter>`: how events are counted.
`<account>` / `usage#<meter>#<yyyymm>#<part>`: a month's events (month of the event in UTC), packed and compressed,
parts of about 40 kB; part 0 knows how many parts there are and carries the version that every change moves on.
`<entity>` / `quarantine#<origin>#<row>`: a row that was not accepted, and why.
`<entity>` / `guard#usage_file#<sha-256>`: a file was imported, with what became of it.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from saldo.kernel.exact import plain
from saldo.kernel.periods import Period
from saldo.storage.items import Item, Key
from saldo.storage.records import Record
from saldo.storage.store import Store
from saldo.usage.model import Aggregation, Meter, UsageEvent

METER_PREFIX = "meter#"
USAGE_PREFIX = "usage#"
PART_BYTES = 40_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class MeterRecord(Record):
    aggregation = UnicodeAttribute()
    names = JSONAttribute()
    unit_names = JSONAttribute()
    unique_by = UnicodeAttribute()


def meter_key(entity_id: str, meter_id: str) -> Key:
    return entity_id, METER_PREFIX + meter_id


def meter_item(meter: Meter) -> Item:
    pk, sk = meter_key(meter.entity_id, meter.id)
    fields = {"names": meter.names, "unit_names": meter.unit_names, "unique_by": meter.unique_by}
    return MeterRecord(pk, sk, aggregation=meter.aggregation.value, **fields).as_item()


def meter_from(item: Item) -> Meter:
    record = MeterRecord.from_item(item)
    return Meter(
        id=item["sk"].removeprefix(METER_PREFIX),
        entity_id=item["pk"],
        aggregation=Aggregation(record.aggregation),
        names=record.names,
        unit_names=record.unit_names,
        unique_by=record.unique_by,
    )


@dataclass(frozen=True, slots=True, order=True)
class MonthKey:
    """The chunk of one account, meter and UTC month (`202311`)."""

    account_id: str
    meter_id: str
    month: str

    def part(self, number: int) -> Key:
        return self.account_id, f"{USAGE_PREFIX}{self.meter_id}#{self.month}#{number:04d}"

    def neighbours(self) -> tuple[MonthKey, MonthKey]:
        year, month = int(self.month[:4]), int(self.month[4:])
        index = year * 12 + month - 1
        before, after = (f"{i // 12:04d}{i % 12 + 1:02d}" for i in (index - 1, index + 1))
        return MonthKey(self.account_id, self.meter_id, before), MonthKey(self.account_id, self.meter_id, after)


def month_of(event: UsageEvent) -> MonthKey:
    return MonthKey(event.account_id, event.meter_id, f"{event.at.astimezone(UTC):%Y%m}")


def months_of(account_id: str, meter_id: str, period: Period, zone: str) -> Iterator[MonthKey]:
    """Every month whose chunk may hold events of a period of the zone's days, oldest first."""
    start, end = period.instants(zone)
    last = end - _MICROSECOND
    for index in range(start.year * 12 + start.month - 1, last.year * 12 + last.month):
        yield MonthKey(account_id, meter_id, f"{index // 12:04d}{index % 12 + 1:02d}")


def part_item(key: MonthKey, number: int, packed: bytes, count: int) -> Item:
    """A part; part 0 is completed by `parts` and `version`."""
    pk, sk = key.part(number)
    return {"pk": pk, "sk": sk, "kind": "usage", "meter_id": key.meter_id, "events": packed, "count": count}


def meter_of_chunk(item: Item) -> str:
    return str(item["meter_id"])


def events_of_chunk(item: Item) -> list[UsageEvent]:
    """A part's events, in the order in which they were accepted."""
    found = json.loads(zlib.decompress(item["events"]))
    sources, account_id, meter_id = found["sources"], item["pk"], item["meter_id"]
    return [
        UsageEvent(
            source=sources[row[0]],
            id=row[1],
            account_id=account_id,
            meter_id=meter_id,
            at=_EPOCH + row[2] * _MICROSECOND,
            value=Decimal(row[3]),
            properties=row[4] if len(row) > 4 else {},
        )
        for row in found["events"]
    ]


def pack(events: Sequence[UsageEvent], most_bytes: int = PART_BYTES) -> list[tuple[bytes, int]]:
    """Events as parts of at most `most_bytes` compressed (with their counts), in the same order.

    Too large a part is halved, so parts are at least about half full; one event alone is always a part.
    """
    packed = _packed(events)
    if len(packed) <= most_bytes or len(events) <= 1:
        return [(packed, len(events))]
    middle = len(events) // 2
    return pack(events[:middle], most_bytes) + pack(events[middle:], most_bytes)


def _packed(events: Iterable[UsageEvent]) -> bytes:
    sources: dict[str, int] = {}
    rows: list[list[Any]] = []
    for event in events:
        source = sources.setdefault(event.source, len(sources))
        micros = (event.at - _EPOCH) // _MICROSECOND
        rows.append([source, event.id, micros, plain(event.value)])
        if event.properties:
            rows[-1].append(event.properties)
    text = json.dumps({"sources": list(sources), "events": rows}, separators=(",", ":"), ensure_ascii=False)
    return zlib.compress(text.encode(), 6)


def read_parts(store: Store, months: Iterable[MonthKey]) -> dict[MonthKey, list[Item]]:
    """Every part of each month in order, none where nothing came in.

    All first parts are read in one go, then the further parts that they tell of; both see everything accepted so far.
    """
    wanted = sorted(months)
    firsts = store.get_many([key.part(0) for key in wanted], consistent=True) if wanted else {}
    counts = {key: firsts[key.part(0)]["parts"] if key.part(0) in firsts else 0 for key in wanted}
    further = [key.part(number) for key in wanted for number in range(1, counts[key])]
    found = firsts | (store.get_many(further, consistent=True) if further else {})
    return {key: [found[key.part(number)] for number in range(counts[key])] for key in wanted}


def quarantine_prefix(origin: str) -> str:
    return f"quarantine#{origin}#"


def quarantine_item(entity_id: str, origin: str, row: int, text: str, problems: Sequence[dict[str, str]]) -> Item:
    """A rejected row: as it came (at most 1,000 characters) and everything wrong with it."""
    return {
        "pk": entity_id,
        "sk": f"{quarantine_prefix(origin)}{row:09d}",
        "kind": "quarantine",
        "row": row,
        "text": text[:1000],
        "problems": [dict(p) for p in problems],
    }


def file_guard_key(entity_id: str, digest: str) -> Key:
    return entity_id, f"guard#usage_file#{digest}"
