"""The agenda of what is due: which of a seller's accounts have something to bill by a day.

A place is a day, or `monthly#<day of the month>`: a subscription billed on the same day of each month stays there from
month to month, so that billing need not move it. Days sort before those.
"""

from __future__ import annotations

from datetime import date, timedelta
from zlib import crc32

DUE_SHARDS = 8
MONTHLY = "monthly#"
_LONGEST_MONTH = 31


def due_shard(account_id: str) -> int:
    """The shard of the due agenda an account is on, 0 to 7: the same for ever, spread evenly."""
    return crc32(account_id.encode()) % DUE_SHARDS


def due_agenda(entity_id: str, account_id: str) -> str:
    """The agenda partition on which what is due of an account lies, by day."""
    return due_agenda_of(entity_id, due_shard(account_id))


def due_agenda_of(entity_id: str, shard: int) -> str:
    """One of the eight agenda partitions of a seller, by day."""
    return f"due#{entity_id}#{shard}"


def monthly_place(on: date) -> str:
    """Where what is billed on that day of each month lies."""
    return f"{MONTHLY}{on.day:02d}"


def monthly_places(after: date | None, on: date) -> list[tuple[str, str]]:
    """First and last of the monthly places, as ranges, of the days after `after` up to `on`; all of them without it."""
    if after is None or (on - after).days >= _LONGEST_MONTH:
        return [(f"{MONTHLY}01", f"{MONTHLY}{_LONGEST_MONTH}")]
    if after >= on:
        return []
    first = after + timedelta(days=1)
    if (first.year, first.month) == (on.year, on.month):
        return [(monthly_place(first), monthly_place(on))]
    return [(monthly_place(first), f"{MONTHLY}{_LONGEST_MONTH}"), (f"{MONTHLY}01", monthly_place(on))]


def requests_agenda(entity_id: str) -> str:
    """The agenda partition of what a seller's customers ask for and its people decide, by when it was asked."""
    return f"requests#{entity_id}"
