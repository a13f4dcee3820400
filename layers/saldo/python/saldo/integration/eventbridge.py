"""Puts domain events on the bus, ten a call, and again those that the bus did not take."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from saldo.integration.model import SOURCE, DomainEvent

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

_MOST_A_CALL = 10  # the limit of PutEvents
_ATTEMPTS = 3


class Bus:
    """One EventBridge bus."""

    def __init__(
        self,
        client: EventBridgeClient,
        name: str,
        pause: Callable[[float], None] = time.sleep,
        trace: Callable[[], str] = str,
    ) -> None:
        """`trace`: the X-Ray header under which this invocation is traced, "" when it is not."""
        self._client, self._name, self._pause, self._trace = client, name, pause, trace

    def publish(self, events: Sequence[DomainEvent]) -> frozenset[str]:
        """Put the events on the bus; the ids of those it did not take after three attempts (usually none).

        Repeating is harmless: the ids are the same, and consumers know an id they have seen.
        """
        waiting = list(events)
        for attempt in range(_ATTEMPTS):
            if attempt and waiting:
                self._pause(0.1 * 2**attempt)
            waiting = [e for at in range(0, len(waiting), _MOST_A_CALL) for e in self._put(waiting[at : at + 10])]
        return frozenset(event.id for event in waiting)

    def _put(self, events: Sequence[DomainEvent]) -> list[DomainEvent]:
        """One call; the events that were not taken."""
        entries: Any = [self._entry(event) for event in events]
        try:
            results = self._client.put_events(Entries=entries)["Entries"]
        except self._client.exceptions.ClientError:
            return list(events)
        return [event for event, result in zip(events, results, strict=True) if result.get("ErrorCode")]

    def _entry(self, event: DomainEvent) -> dict[str, Any]:
        detail = json.dumps(event.as_detail(), separators=(",", ":"), sort_keys=True)
        trace = self._trace()
        return ({"TraceHeader": trace} if trace else {}) | {
            "EventBusName": self._name,
            "Source": SOURCE,
            "DetailType": event.type,
            "Detail": detail,
            "Time": event.occurred_at,
            "Resources": [],
        }
