"""Events as producers send them: checked against their limits, put on a queue, taken in from there.

A batch is accepted when it lies on the queue. Its rows are checked when it is taken in; those that are wrong wait in
the quarantine under the batch's id.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol  # a producer's JSON is of any shape until it is read

from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock, instant_text
from saldo.kernel.errors import Problem, Refusal, Unavailable
from saldo.kernel.ids import fingerprint
from saldo.storage.items import Key
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.usage import records_producers as records
from saldo.usage.ingest import Ingest, IngestReport
from saldo.usage.ingest_files import row_of_event
from saldo.usage.records_producers import Producer
from saldo.usage.rules_limits import Limit, take

MOST_EVENTS = 1_000
MOST_BYTES = 240_000  # a message of the queue holds 256 KiB
_MOST_ATTEMPTS = 5
_PRODUCER = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


class BatchQueue(Protocol):
    """Where accepted batches wait."""

    def put(self, message: str) -> None:
        """Keep a message until it is taken in. Raises Unavailable when it cannot."""


class TooManyEvents(Refusal):
    """A producer sends faster than it may; after `retry_after_s` seconds this batch fits."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("too_many_events", f"this producer sends too fast; try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Accepted:
    """A batch that will be taken in. The same content has the same `batch_id`. `left`: events that could come now."""

    batch_id: str
    events: int
    left: int

    def as_dict(self) -> dict[str, Any]:
        return {"batch_id": self.batch_id, "events": self.events, "left": self.left}


@dataclass(frozen=True, slots=True)
class AcceptedOne:
    """What became of a single event: `accepted`, `duplicate`, or `rejected` with every problem (then quarantined)."""

    status: str
    batch_id: str
    problems: tuple[Problem, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {"status": self.status, "batch_id": self.batch_id, "problems": [p.as_dict() for p in self.problems]}


class AcceptUsage:
    """Takes events of one region's producers. Each producer's last bucket is remembered, so that a batch costs one
    write and one message."""

    def __init__(self, store: Store, queue: BatchQueue, clock: Clock) -> None:
        self._store, self._queue, self._clock = store, queue, clock
        self._ingest = Ingest(store, clock)
        self._seen: dict[Key, Producer] = {}

    def accept_batch(self, entity_id: str, producer: str, body: str, correlation_id: str = "") -> Accepted:
        """Put a batch on the queue. body: a JSON list of CloudEvents (see the room's README), or one of them.
        correlation_id: of the request that brought it; the message carries it.

        Raises Refusal `invalid_batch`, `batch_too_large`, `invalid_producer`; TooManyEvents (`too_many_events`) over
        the producer's limit; Unavailable when table or queue are. Repeating is safe: events count once.
        """
        count = len(_events_in(body))
        left = self._take(entity_id, producer, count)
        batch_id = _batch_id(entity_id, producer, body)
        self._enqueue(entity_id, producer, batch_id, body, correlation_id)
        return Accepted(batch_id, count, left)

    def accept_one(self, entity_id: str, producer: str, body: str, correlation_id: str = "") -> AcceptedOne:
        """Take one event in at once and tell what became of it; refuses as `accept_batch` does.

        Unless it is rejected it goes on the queue as well, where it counts no more but thresholds are looked at.
        """
        if len(_events_in(body)) != 1:
            raise Refusal("invalid_batch", "one event is expected")
        self._take(entity_id, producer, 1)
        batch_id = _batch_id(entity_id, producer, body)
        report = take_in(self._ingest, {"entity_id": entity_id, "batch_id": batch_id, "body": body})
        problems = tuple(p for row in report.rejected for p in row.problems)
        status = "rejected" if problems else "accepted" if report.accepted else "duplicate"
        if status != "rejected":
            self._enqueue(entity_id, producer, batch_id, body, correlation_id)
        return AcceptedOne(status, batch_id, problems)

    def _enqueue(self, entity_id: str, producer: str, batch_id: str, body: str, correlation_id: str) -> None:
        message = {"entity_id": entity_id, "producer": producer, "batch_id": batch_id, "body": body}
        message |= {"correlation_id": correlation_id} if correlation_id else {}
        self._queue.put(json.dumps(message | {"accepted_at": instant_text(self._clock())}, ensure_ascii=False))

    def _take(self, entity_id: str, producer_id: str, events: int) -> int:
        """Take events out of the producer's bucket; how many could come now besides."""
        _check_producer(producer_id)
        key = records.producer_key(entity_id, producer_id)
        known = self._seen.pop(key, None)
        for _ in range(_MOST_ATTEMPTS):
            producer = known or records.producer_from(entity_id, producer_id, self._store.get(*key))
            taken = take(producer.limit, producer.bucket, events, self._clock())
            if taken.bucket is not None:
                unit = records.move_bucket(Unit(f"take {producer_id}"), producer, taken.bucket)
                if self._store.write_one(unit) is None:
                    self._seen[key] = Producer(entity_id, producer_id, producer.limit, taken.bucket)
                    return taken.left
            elif known is None:
                raise TooManyEvents(taken.retry_after_s)
            known = None
        raise Unavailable("this producer sends from many places at once; repeat the batch")


def limit_producer(store: Store, clock: Clock, entity_id: str, producer: str, limit: Limit, actor: Actor) -> None:
    """Let a producer send so many events a second and at once. Refusal `invalid_producer`."""
    _check_producer(producer)
    facts = {"per_s": limit.per_s, "burst": limit.burst}
    audit = AuditRecord(entity_id, clock(), actor, "producer.limited", producer, after=facts)
    unit = records.limit_producer(Unit(f"limit {producer}"), entity_id, producer, limit)
    store.write_one(unit.put(audit_item(audit)))


def take_in(ingest: Ingest, message: Mapping[str, Any]) -> IngestReport:
    """Take in one message of the queue; its rows count from 1. Repeating is safe. Raises Unavailable."""
    events = _events_in(message["body"])
    rows = [row_of_event(n, _text(event), event) for n, event in enumerate(events, 1)]
    return ingest.ingest(message["entity_id"], rows, origin=message["batch_id"])


def _batch_id(entity_id: str, producer: str, body: str) -> str:
    return f"batch_{fingerprint(entity_id, producer, body)}"


def _events_in(body: str) -> list[Any]:
    """The events of a batch, unread but for their number; numbers keep every digit."""
    if len(body.encode()) > MOST_BYTES:
        raise Refusal("batch_too_large", f"a batch is at most {MOST_BYTES} bytes; send several, or import a file")
    try:
        found = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise Refusal("invalid_batch", f"this is not JSON: {error}") from error
    events = found if isinstance(found, list) else [found]
    if not any(isinstance(e, dict) for e in events):
        raise Refusal("invalid_batch", "a batch is a list of CloudEvents")
    if len(events) > MOST_EVENTS:
        raise Refusal("batch_too_large", f"a batch holds at most {MOST_EVENTS} events")
    return events


def _text(event: Any) -> str:
    return json.dumps(event, ensure_ascii=False, default=str)


def _check_producer(producer: str) -> None:
    if not _PRODUCER.fullmatch(producer):
        raise Refusal("invalid_producer", "lower-case letters, digits, dots, dashes and lines, at most 64")
