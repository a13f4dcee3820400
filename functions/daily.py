"""What a seller has done each day, in parts that one call can do.

Scheduler calls a daily function with a seller and a day. The function lists, by key, the records that the day is about.
Where they fit into one part it does that; otherwise it sends all parts to its own queue, and is called again with each,
as many at once as the queue allows. Nothing is frozen and nothing is remembered: a list that is sent twice after a
crash, or a part that comes twice, finds done what was done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import chain, groupby, islice
from typing import Any

from functions.parts_queue import send, taken
from functions.services import clock, store
from saldo.invoicing.run.open import seller_day
from saldo.storage.items import Key


@dataclass(frozen=True, slots=True)
class Part:
    """Records that a seller's day is about, the same account's together. as_of: the day. sent: so many parts were sent
    on instead; there is then nothing here."""

    entity_id: str
    as_of: str
    keys: tuple[Key, ...] = ()
    sent: int = 0


def part_of(
    event: dict[str, Any],
    due: Callable[[str, date], Iterable[Key]],
    at_once: int,
) -> Part:
    """What this call is to do: a message's part, or what Scheduler asks for, if that is not too much.

    event: {entity_id, as_of}, or one message of the queue. due: what a day of a seller is about, an account's records
    one after the other. at_once: so many records at most, unless one account has more.
    Unavailable when the queue does not take all parts; the whole is then asked for again.
    """
    if (said := taken(event)) is not None:
        keys = tuple((pk, sk) for pk, sks in said["records"] for sk in sks)
        return Part(said["entity_id"], said["as_of"], keys)
    entity_id = event["entity_id"]
    on = seller_day(store(), clock, entity_id, event["as_of"])
    parts = _parts(due(entity_id, on), at_once)
    first = list(islice(parts, 2))
    if len(first) < 2:
        return Part(entity_id, on.isoformat(), keys=first[0] if first else ())
    messages = (_message(entity_id, on, keys) for keys in chain(first, parts))
    return Part(entity_id, on.isoformat(), sent=send(messages))


def _parts(due: Iterable[Key], at_once: int) -> Iterator[tuple[Key, ...]]:
    part: list[Key] = []
    for _, records in groupby(due, key=lambda key: key[0]):
        whole = list(records)
        if part and len(part) + len(whole) > at_once:
            yield tuple(part)
            part = []
        part += whole
    if part:
        yield tuple(part)


def _message(entity_id: str, on: date, keys: Iterable[Key]) -> dict[str, Any]:
    # 500 keys have about 22 KB, but those of one account may have any size.
    records = [[pk, [sk for _, sk in of]] for pk, of in groupby(keys, key=lambda key: key[0])]
    return {"entity_id": entity_id, "as_of": on.isoformat(), "records": records}
