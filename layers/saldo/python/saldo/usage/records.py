"""How meters, usage events and rejected rows lie in the table.

`<entity>` / `meter#<meter>`: how events are counted.
`<account>` / `usage#<event name>#<yyyymm>#<part>`: a month's events (month of the event in UTC), packed and compressed,
parts of about 40 kB; part 0 knows how many parts there are and carries the version that every change moves on. Events
lie in the order in which they were accepted and never move, so how many of a month were known says which ones.
`<entity>` / `guard#usage_file#<sha-256>`: a file was imported, with what became of it.
`records_windows.py` and `records_quarantine.py` know the other keys of this room.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from pynamodb.attributes import BooleanAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute

from saldo.kernel.exact import plain
from saldo.kernel.periods import Period
from saldo.kernel.rounding import Rounding
from saldo.storage.items import Item, Key
from saldo.storage.records import Record
from saldo.storage.store import Store
from saldo.usage.model import Aggregation, CountWindow, LatePolicy, Meter, OfWindows, Repeats, UsageEvent

METER_PREFIX = "meter#"
USAGE_PREFIX = "usage#"
SOLD_PREFIX = "subscription#"
PART_BYTES = 40_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class MeterRecord(Record):
    aggregation = UnicodeAttribute()
    names = JSONAttribute()
    unit_names = JSONAttribute()
    unique_by = UnicodeAttribute()
    counts = UnicodeAttribute(default="")
    filters = JSONAttribute(default=dict)
    group_by = JSONAttribute(default=list)
    carries = BooleanAttribute(default=False)
    grace_s = NumberAttribute(default=0)
    late = UnicodeAttribute(default=LatePolicy.CARRY.value)
    repeats = UnicodeAttribute(default=Repeats.FIRST.value)
    per = UnicodeAttribute(null=True)
    factor = UnicodeAttribute(default="1")
    rounding = UnicodeAttribute(null=True)
    digits = NumberAttribute(default=0)
    whole_days = BooleanAttribute(default=False)
    by_subscription = BooleanAttribute(default=False)
    of_windows = UnicodeAttribute(default=OfWindows.SUM.value)
    percentile = UnicodeAttribute(default="0")
    increment = UnicodeAttribute(null=True)
    least = UnicodeAttribute(null=True)


_PLAIN = (
    "names",
    "unit_names",
    "unique_by",
    "counts",
    "carries",
    "grace_s",
    "digits",
    "whole_days",
    "by_subscription",
)


def meter_key(entity_id: str, meter_id: str) -> Key:
    return entity_id, METER_PREFIX + meter_id


def meter_item(meter: Meter) -> Item:
    pk, sk = meter_key(meter.entity_id, meter.id)
    fields: dict[str, Any] = {name: getattr(meter, name) for name in _PLAIN}
    fields |= {"filters": {name: list(values) for name, values in meter.filters.items()}}
    fields |= {"group_by": list(meter.group_by), "late": meter.late.value, "repeats": meter.repeats.value}
    fields |= {"per": meter.per and meter.per.value, "rounding": meter.rounding and meter.rounding.value}
    fields |= {
        "factor": plain(meter.factor),
        "of_windows": meter.of_windows.value,
        "percentile": plain(meter.percentile),
    }
    fields |= {"increment": None if meter.increment is None else plain(meter.increment)}
    fields |= {"least": None if meter.least is None else plain(meter.least)}
    return MeterRecord(pk, sk, aggregation=meter.aggregation.value, **fields).as_item()


def meter_from(item: Item) -> Meter:
    record = MeterRecord.from_item(item)
    return Meter(
        id=item["sk"].removeprefix(METER_PREFIX),
        entity_id=item["pk"],
        aggregation=Aggregation(record.aggregation),
        filters={name: tuple(values) for name, values in record.filters.items()},
        group_by=tuple(record.group_by),
        late=LatePolicy(record.late),
        repeats=Repeats(record.repeats),
        per=CountWindow(record.per) if record.per else None,
        factor=Decimal(record.factor),
        rounding=Rounding(record.rounding) if record.rounding else None,
        of_windows=OfWindows(record.of_windows),
        percentile=Decimal(record.percentile),
        increment=Decimal(record.increment) if record.increment else None,
        least=Decimal(record.least) if record.least else None,
        **{name: getattr(record, name) for name in _PLAIN},
    )


@dataclass(frozen=True, slots=True, order=True)
class MonthKey:
    """The chunk of one account, event name and UTC month (`202311`). `meter_id` is the name that meters count."""

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


@dataclass(frozen=True, slots=True)
class Batch:
    """So many events that were accepted together. origin: what brought them, a file's or a batch's name."""

    accepted_at: datetime
    origin: str
    count: int


@dataclass(frozen=True, slots=True)
class Part:
    """A part's events in the order in which they were accepted, and when that was."""

    events: list[UsageEvent]
    batches: list[Batch]


def part_item(key: MonthKey, number: int, packed: bytes, count: int) -> Item:
    """A part; part 0 is completed by `parts` and `version`."""
    pk, sk = key.part(number)
    return {"pk": pk, "sk": sk, "kind": "usage", "meter_id": key.meter_id, "events": packed, "count": count}


def meter_of_chunk(item: Item) -> str:
    return str(item["meter_id"])


def month_of_chunk(item: Item) -> MonthKey:
    _, meter_id, month, _ = item["sk"].rsplit("#", 3)
    return MonthKey(item["pk"], meter_id, month)


def events_of_chunk(item: Item) -> list[UsageEvent]:
    """A part's events, in the order in which they were accepted."""
    return part_from(item).events


def part_from(item: Item) -> Part:
    found = json.loads(zlib.decompress(item["events"]))
    sources, account_id, meter_id = found["sources"], item["pk"], item["meter_id"]
    events = [
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
    batches = [Batch(_EPOCH + micros * _MICROSECOND, origin, n) for micros, origin, n in found.get("batches", [])]
    return Part(events, batches)


def pack(
    events: Sequence[UsageEvent], batches: Sequence[Batch] = (), *, keep: int = 0, most_bytes: int = PART_BYTES
) -> list[tuple[bytes, int]]:
    """Events as parts of at most `most_bytes` compressed (with their counts), in the same order.

    Too large a part is halved, so parts are at least about half full; one event alone is always a part. The first
    `keep` stay together: a reader who was told of the parts before an append finds at least what was there.
    """
    packed = _packed(events, batches)
    if len(packed) <= most_bytes or len(events) <= max(keep, 1):
        return [(packed, len(events))]
    middle = max(len(events) // 2, keep)
    here, there = _divided(batches, middle)
    first = pack(events[:middle], here, keep=keep, most_bytes=most_bytes)
    return first + pack(events[middle:], there, most_bytes=most_bytes)


def _divided(batches: Iterable[Batch], at: int) -> tuple[list[Batch], list[Batch]]:
    """Batches of the first `at` events, and of the others."""
    here, there, left = [], [], at
    for batch in batches:
        first = min(batch.count, left)
        left -= first
        here += [replace(batch, count=first)] if first else []
        there += [replace(batch, count=batch.count - first)] if batch.count > first else []
    return here, there


def _packed(events: Iterable[UsageEvent], batches: Iterable[Batch]) -> bytes:
    sources: dict[str, int] = {}
    rows: list[list[Any]] = []
    for event in events:
        source = sources.setdefault(event.source, len(sources))
        rows.append([source, event.id, _micros(event.at), plain(event.value)])
        if event.properties:
            rows[-1].append(event.properties)
    content: dict[str, Any] = {"sources": list(sources), "events": rows}
    if batches:
        content["batches"] = [[_micros(b.accepted_at), b.origin, b.count] for b in batches]
    return zlib.compress(json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode(), 6)


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def read_parts(
    store: Store, months: Iterable[MonthKey], besides: Sequence[Key] = ()
) -> tuple[dict[MonthKey, list[Item]], dict[Key, Item]]:
    """Every part of each month in order, none where nothing came in; and the items of other keys, in the same calls.

    All first parts are read in one go, then the further parts that they tell of; both see everything accepted so far.
    """
    wanted = sorted(months)
    found = store.get_many([*besides, *(key.part(0) for key in wanted)], consistent=True)
    counts = {key: found[key.part(0)]["parts"] if key.part(0) in found else 0 for key in wanted}
    further = [key.part(number) for key in wanted for number in range(1, counts[key])]
    parts = found | store.get_many(further, consistent=True)
    others = {key: found[key] for key in besides if key in found}
    return {key: [parts[key.part(number)] for number in range(counts[key])] for key in wanted}, others


def read_up_to(store: Store, account_id: str, name: str, last_month: str) -> dict[MonthKey, list[Item]]:
    """Every part of an account's events of this name, of months up to this one."""
    bounds = {"first": f"{USAGE_PREFIX}{name}#", "last": f"{USAGE_PREFIX}{name}#{last_month}#~"}
    months: dict[MonthKey, list[Item]] = {}
    for item in store.query_all(account_id, consistent=True, **bounds):
        months.setdefault(month_of_chunk(item), []).append(item)
    return months


def subscription_key(account_id: str, subscription_id: str) -> Key:
    """Where a subscription lies. Usage reads nothing of it: only whether it is there."""
    return account_id, SOLD_PREFIX + subscription_id


def sold_to(store: Store, account_id: str) -> list[str]:
    """Ids of all subscriptions of an account."""
    items = store.query_all(account_id, prefix=SOLD_PREFIX, fields=("pk", "sk"), consistent=True)
    return [str(item["sk"]).removeprefix(SOLD_PREFIX) for item in items]


def file_guard_key(entity_id: str, digest: str) -> Key:
    return entity_id, f"guard#usage_file#{digest}"
