"""A look over all records of a region, in parts that one call can do.

The function is called with nothing, and sends all parts of the look to its own queue, from which it is called again
with each. Whichever part finds that all have laid down what they found sends the look's end, which puts it together. A
part that keeps failing is a dead letter, and its look has no end: nothing is concluded from a part of the records.
Whatever comes twice finds what it did before.
"""

from __future__ import annotations

from typing import Any, Protocol

from functions.parts_queue import send, taken
from functions.services import clock, store
from saldo.kernel.clock import instant_from
from saldo.kernel.ids import new_id
from saldo.storage.looks import Look, parts_of

Answer = dict[str, Any]


class InParts(Protocol):
    """What a look does; all of it may be repeated. Answers are what the function answers."""

    def part(self, look: Look, part: int) -> Answer:
        """Look at one segment of the records and lay down what was found."""
        ...

    def is_whole(self, look: Look) -> bool:
        """Whether all parts have laid down what they found."""
        ...

    def end(self, look: Look) -> Answer:
        """Put together what all parts found."""
        ...


def looked(event: dict[str, Any], job: InParts) -> Answer:
    """event: what a rule or an operator sends ({} or an event with `id` and `time`), or one message of the queue.

    A look of one part is done at once.
    """
    if (said := taken(event)) is not None:
        look, part = Look.from_row(said), said["part"]
        return job.end(look) if part is None else _one(job, look, part)
    look = _begun(event)
    if look.parts == 1:
        return job.part(look, 0) | job.end(look)
    return {"parts": send(_message(look, part) for part in range(look.parts))}


def _begun(event: dict[str, Any]) -> Look:
    """The rule's event, when it comes again, begins the same look."""
    at = instant_from(event["time"]) if "time" in event else clock()
    return Look(event.get("id") or new_id("look", at), at, parts_of(store()))


def _one(job: InParts, look: Look, part: int) -> Answer:
    answer = job.part(look, part)
    if job.is_whole(look):
        send([_message(look, None)])
    return answer


def _message(look: Look, part: int | None) -> dict[str, Any]:
    return look.as_row() | {"part": part}
