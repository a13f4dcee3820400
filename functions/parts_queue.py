"""A function's own queue, to which it sends the parts of what is too much for one call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from functions.services import settings
from saldo.kernel.errors import Unavailable
from saldo.storage.clients import client

# What SQS takes in one call.
_MESSAGES_AT_ONCE = 10
_BYTES_AT_ONCE = 256 * 1024


def send(bodies: Iterable[str]) -> int:
    """As many a call as the queue takes; how many in all. Unavailable when it did not take all of them."""
    sent = 0
    for some in _calls(bodies):
        entries: Any = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(some)]
        answer = client("sqs").send_message_batch(QueueUrl=settings().parts_queue_url, Entries=entries)
        if answer.get("Failed"):
            raise Unavailable("the queue took some of the parts only; ask for the whole again")
        sent += len(some)
    return sent


def _calls(bodies: Iterable[str]) -> Iterator[list[str]]:
    some: list[str] = []
    for body in bodies:
        if some and (len(some) == _MESSAGES_AT_ONCE or sum(map(len, [*some, body])) > _BYTES_AT_ONCE):
            yield some
            some = []
        some.append(body)
    yield some
