"""How producers of usage lie in the table.

`<entity>` / `producer#<id>`: how many events it may send (`per_s`, `burst`, where it is not the default) and what is
left of that: `left` thousandths of an event at `bucket_at`. Each batch moves both on under the condition that nobody
else did.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from saldo.storage.items import Item, Key
from saldo.storage.units import Unit
from saldo.usage.rules_limits import DEFAULT_LIMIT, Bucket, Limit


@dataclass(frozen=True, slots=True)
class Producer:
    """Something that sends usage events of one seller's customers."""

    entity_id: str
    id: str
    limit: Limit = DEFAULT_LIMIT
    bucket: Bucket | None = None


def producer_key(entity_id: str, producer_id: str) -> Key:
    return entity_id, f"producer#{producer_id}"


def producer_from(entity_id: str, producer_id: str, item: Item | None) -> Producer:
    """A producer that is not on record has the default limit and a full bucket."""
    if item is None:
        return Producer(entity_id, producer_id)
    limit = Limit(item["per_s"], item["burst"]) if "per_s" in item else DEFAULT_LIMIT
    bucket = Bucket(item["left"], datetime.fromisoformat(item["bucket_at"])) if "left" in item else None
    return Producer(entity_id, producer_id, limit, bucket)


def move_bucket(unit: Unit, producer: Producer, after: Bucket) -> Unit:
    """Take events out; the unit does not hold when another batch was faster, or the producer got another limit."""
    before = producer.bucket
    when = {
        "left": before.left if before else None,
        "bucket_at": before.at.isoformat() if before else None,
    }
    moved = {"kind": "producer", "left": after.left, "bucket_at": after.at.isoformat()}
    return unit.update(producer_key(producer.entity_id, producer.id), set=moved, when=when)


def limit_producer(unit: Unit, entity_id: str, producer_id: str, limit: Limit) -> Unit:
    """Let a producer send so many events; its bucket is full again."""
    changed = {"kind": "producer", "per_s": limit.per_s, "burst": limit.burst}
    return unit.update(producer_key(entity_id, producer_id), set=changed, remove=("left", "bucket_at"))
