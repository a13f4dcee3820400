"""A function's own queue, to which it sends the parts of what is too much for one call."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from functions import tracing
from functions.observed import take_up
from functions.services import settings
from saldo.kernel.errors import Unavailable
from saldo.storage.clients import client

# What SQS takes in one call.
_MESSAGES_AT_ONCE = 10
_BYTES_AT_ONCE = 256 * 1024


def send(parts: Iterable[Mapping[str, Any]]) -> int:
    """As many a call as the queue takes; how many in all. Unavailable when it did not take all of them."""
    sent, trace = 0, tracing.sqs_attributes()
    for some in _calls(json.dumps({**part, **tracing.carried()}, separators=(",", ":")) for part in parts):
        entries: Any = [{"Id": str(n), "MessageBody": body, **trace} for n, body in enumerate(some)]
        answer = client("sqs").send_message_batch(QueueUrl=settings().parts_queue_url, Entries=entries)
        if answer.get("Failed"):
            raise Unavailable("the queue took some of the parts only; ask for the whole again")
        sent += len(some)
    return sent


def taken(event: Mapping[str, Any]) -> dict[str, Any] | None:
    """The part that a message of the queue is, with what caused it taken up; None for any other event."""
    if "Records" not in event:
        return None
    (message,) = event["Records"]
    part: dict[str, Any] = json.loads(message["body"])
    take_up(part.get("correlation_id", ""))
    return part


def _calls(bodies: Iterable[str]) -> Iterator[list[str]]:
    some: list[str] = []
    for body in bodies:
        if some and (len(some) == _MESSAGES_AT_ONCE or sum(map(len, [*some, body])) > _BYTES_AT_ONCE):
            yield some
            some = []
        some.append(body)
    yield some
