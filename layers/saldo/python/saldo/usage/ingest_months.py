"""A month's chunk of events: as it was read, and the unit that appends to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from saldo.storage.items import Item
from saldo.storage.units import Unit
from saldo.usage import records
from saldo.usage.model import UsageEvent
from saldo.usage.records import Batch, MonthKey, Part

Identity = tuple[str, str]


@dataclass(slots=True)
class Month:
    """One month's chunk as read: every version of an event by identity, and the last part."""

    parts: int = 0
    version: int = 0
    known: dict[Identity, list[UsageEvent]] = field(default_factory=dict)
    last: Part = field(default_factory=lambda: Part([], []))


Months = Mapping[MonthKey, Month]


def month_from(parts: Sequence[Item]) -> Month:
    month = Month(parts=len(parts), version=parts[0]["version"] if parts else 0)
    for item in parts:
        month.last = records.part_from(item)
        for event in month.last.events:
            month.known.setdefault((event.source, event.id), []).append(event)
    return month


def month_unit(
    key: MonthKey, months: Months, fresh: Sequence[UsageEvent], batch: Batch, *, corrected: bool = False
) -> Unit:
    """Append events to a month: its last part again, further ones, part 0 with the next version.

    The unit holds only while the month and its neighbours are as they were read: nobody has stored the same event
    meanwhile. `corrected`: an event may lie there in several versions.
    """
    month = months[key]
    unit = Unit(str(key))
    at = max(month.parts - 1, 0)
    last = month.last
    packed = records.pack([*last.events, *fresh], [*last.batches, batch], keep=len(last.events))
    head = {"parts": at + len(packed), "version": month.version + 1}
    seen = {"version": month.version or None}
    for number, (events, count) in enumerate(packed, at):
        item = records.part_item(key, number, events, count) | ({"corrected": True} if corrected else {})
        if number == 0:
            unit.put(item | head, when=seen)
        else:
            unit.put(item)
    if at > 0:
        unit.update(key.part(0), set=head, when=seen)
    for near in key.neighbours():
        version = months[near].version
        unit.require(near.part(0), when={"version": version or None}, exists=bool(version))
    return unit
