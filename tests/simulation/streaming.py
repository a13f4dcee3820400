"""The table's stream: every change of a record is told to the functions that read it, as Lambda tells them.

Who reads it, by which filters, in batches of what size, comes from the synthesised template. Per owner the order is
that of the writes, across owners none is. A batch that fails comes again, halved; of one that names a record, the rest
does. What was handled may come once more, and what follows may lie for days.
"""

from __future__ import annotations

import json
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Any

from infra.cdk.functions import ALL
from saldo.kernel.errors import Unavailable
from tests.assembly import ENV, assembly
from tests.simulation.dynamodb import Change
from tests.simulation.region import Region, run_hosted
from tests.streams import image

SHARDS = 1
LATE = timedelta(minutes=10)  # what a stream has told after so long at the latest, but of a function that may lag
MAY_LAG = "publish_events"  # nothing but the promise of it depends on when; a chain is behind after an hour
LAGS, AGAIN = 0.1, 0.05


@dataclass(frozen=True, slots=True)
class Pattern:
    """A filter as far as ours go: names of events, and sort keys whole or by how they begin."""

    events: frozenset[str]
    keys: frozenset[str]
    prefixes: tuple[str, ...]

    @classmethod
    def of(cls, said: dict[str, Any]) -> Pattern:
        wanted = said["dynamodb"]["Keys"]["sk"]["S"]
        assert said == {**said, "dynamodb": {"Keys": {"sk": {"S": wanted}}}} and said.keys() <= {
            "dynamodb",
            "eventName",
        }
        return cls(
            frozenset(said.get("eventName", ("INSERT", "MODIFY", "REMOVE"))),
            frozenset(one for one in wanted if isinstance(one, str)),
            tuple(one["prefix"] for one in wanted if not isinstance(one, str)),
        )

    def takes(self, change: Change) -> bool:
        return change.event in self.events and (change.sk in self.keys or change.sk.startswith(self.prefixes))


@dataclass(frozen=True, slots=True)
class Reader:
    """A function that the stream is told to, as its mapping says. lanes: so many of its calls run side by side."""

    function: str
    patterns: tuple[Pattern, ...]
    batch: int
    halves: bool
    names_failures: bool
    lanes: int


@lru_cache(maxsize=1)
def readers() -> tuple[Reader, ...]:
    return tuple(_readers())


def _readers() -> Iterator[Reader]:
    names = {f"saldo-{ENV}-{spec.name.replace('_', '-')}": spec.name for spec in ALL}
    functions = assembly().made("events", "Lambda::Function")
    for mapping in assembly().made("events", "Lambda::EventSourceMapping").values():
        if "FilterCriteria" not in mapping:
            continue
        (called,) = [name for name in functions if name in json.dumps(mapping["FunctionName"])]
        yield Reader(
            names[functions[called]["FunctionName"]],
            tuple(Pattern.of(json.loads(one["Pattern"])) for one in mapping["FilterCriteria"]["Filters"]),
            mapping["BatchSize"],
            mapping.get("BisectBatchOnFunctionError", False),
            "ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", ()),
            SHARDS * mapping.get("ParallelizationFactor", 1),
        )


@dataclass(slots=True)
class Lane:
    """What one reader has yet to be told, of some owners. most: that it is handed at once, fewer after a failure."""

    reader: Reader
    waiting: deque[tuple[int, Change]] = field(default_factory=deque)
    most: int = 0
    since: datetime | None = None

    def hand_out(self) -> None:
        """The next batch. Unavailable where it, or some of it, is to come again."""
        batch = [self.waiting[n] for n in range(min(self.most or self.reader.batch, len(self.waiting)))]
        if self.reader.halves:
            self.most = max(1, len(batch) // 2)  # unless it gets through
        answer = run_hosted(self.reader.function, {"Records": [_told(number, change) for number, change in batch]})
        failed = [one["itemIdentifier"] for one in answer["batchItemFailures"]] if self.reader.names_failures else []
        handled = next((n for n, (number, _) in enumerate(batch) if str(number) in failed), len(batch))
        for _ in range(handled):
            self.waiting.popleft()
        self.most = 0
        if failed:
            raise Unavailable("some of a batch is to come again")

    @property
    def may_lag(self) -> bool:
        return self.reader.function == MAY_LAG


class Stream:
    """Of one region's records, from now on."""

    def __init__(self, region: Region) -> None:
        self._region, self._number = region, 0
        self._coming: list[Change] = []
        region.records.stream = self._coming
        self._lanes = [[Lane(reader) for _ in range(reader.lanes)] for reader in readers()]

    def is_due(self) -> bool:
        """Whether something has lain for so long that it would have been told."""
        self._take()
        since = [lane.since for lane in self._all() if lane.waiting and lane.since and not lane.may_lag]
        return bool(since) and self._region.now >= min(since) + LATE

    def hand_out(self, dice: Random, *, everything: bool = False) -> None:
        """Tell what waits, and what follows from that; what fails raises, and is told when this is called again."""
        self._take()
        told = [lane for lane in self._all() if everything or not (lane.may_lag and dice.random() < LAGS)]
        while lanes := [lane for lane in told if lane.waiting]:
            dice.shuffle(lanes)
            for lane in lanes:
                while lane.waiting:
                    again = [*lane.waiting] if dice.random() < AGAIN else []
                    lane.hand_out()
                    lane.waiting.extendleft(reversed(again[: len(again) - len(lane.waiting)]))
            self._take()

    def _all(self) -> Sequence[Lane]:
        return [lane for lanes in self._lanes for lane in lanes]

    def _take(self) -> None:
        for change in self._coming:
            self._number += 1
            for lanes in self._lanes:
                reader = lanes[0].reader
                if any(pattern.takes(change) for pattern in reader.patterns):
                    lane = lanes[zlib.crc32(change.pk.encode()) % len(lanes)]
                    lane.since = lane.since if lane.waiting else self._region.now
                    lane.waiting.append((self._number, change))
        self._coming.clear()


def _told(number: int, change: Change) -> dict[str, Any]:
    keys = {"pk": {"S": change.pk}, "sk": {"S": change.sk}}
    images = {name: image(one) for name, one in (("OldImage", change.old), ("NewImage", change.new)) if one}
    return {"eventName": change.event, "dynamodb": {"SequenceNumber": str(number), "Keys": keys, **images}}
