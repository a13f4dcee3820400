"""A look over all records of a region, in parts that one call can do each, and the files in which parts lay what they
found.

A part is a segment of the table's scan. DynamoDB shares items out to segments by their partition key, so an owner's
records are in one part, one after the other; what spans owners is held together when every part's file lies there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from saldo.kernel.clock import instant_from, instant_text
from saldo.storage.files import Files
from saldo.storage.store import Store

# So much of the table is one part: some minutes' work (docs/scaling.md).
PART_BYTES = 512 * 1024 * 1024
# What all files that are read side by side may hold in memory, and how much of one is asked for at once.
_READ_AHEAD, _LEAST_READ, _MOST_READ = 512 * 1024 * 1024, 16 * 1024, 1024 * 1024


@dataclass(frozen=True, slots=True)
class Look:
    """One look. `id` names it for ever: what began it, repeated, is the same look. `parts`: how many it has."""

    id: str
    began_at: datetime
    parts: int

    def as_row(self) -> dict[str, Any]:
        return {"look": self.id, "began_at": instant_text(self.began_at), "parts": self.parts}

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Look:
        return cls(row["look"], instant_from(row["began_at"]), row["parts"])


def parts_of(store: Store) -> int:
    """How many parts a look has now; the table's size is as DynamoDB last told it, some hours ago."""
    return max(1, -(-store.size_bytes() // PART_BYTES))


def bytes_at_once(parts: int) -> int:
    """So much of each file is read at once."""
    return min(_MOST_READ, max(_LEAST_READ, _READ_AHEAD // parts))


class PartFiles:
    """The files of looks of one kind, in a folder of a versioned bucket."""

    def __init__(self, files: Files, folder: str) -> None:
        self.files, self._folder = files, folder

    def key(self, look: Look, part: int) -> str:
        """A look that is begun again while the table grows has other parts, and other files."""
        return f"{self._of(look)}{part:06d}.json"

    def are_there(self, look: Look) -> bool:
        """Whether every part of the look has laid down its file."""
        return len(self.files.first_versions(self._of(look))) == look.parts

    def lines(self, look: Look) -> list[Iterator[bytes]]:
        """Of each part, in order, the lines of its file, read little by little: all may be read side by side."""
        size = bytes_at_once(look.parts)
        return [_lines(self.files.pieces(self.key(look, part), size)) for part in range(look.parts)]

    def _of(self, look: Look) -> str:
        return f"{self._folder}/{look.began_at:%Y-%m-%d}/{look.id}-{look.parts}/"


def _lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    begun = b""
    for piece in pieces:
        *whole, begun = (begun + piece).split(b"\n")
        yield from whole
    if begun:
        yield begun
