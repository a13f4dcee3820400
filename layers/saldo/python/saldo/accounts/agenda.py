"""The agenda of what is due: which of a seller's accounts have something to bill by a day."""

from __future__ import annotations

from zlib import crc32

DUE_SHARDS = 8


def due_shard(account_id: str) -> int:
    """The shard of the due agenda an account is on, 0 to 7: the same for ever, spread evenly."""
    return crc32(account_id.encode()) % DUE_SHARDS


def due_agenda(entity_id: str, account_id: str) -> str:
    """The agenda partition on which what is due of an account lies, by day."""
    return due_agenda_of(entity_id, due_shard(account_id))


def due_agenda_of(entity_id: str, shard: int) -> str:
    """One of the eight agenda partitions of a seller, by day."""
    return f"due#{entity_id}#{shard}"
