"""A file of lines in blocks on this machine's disk, looked at once while it comes in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import chain
from pathlib import Path

from saldo.kernel.rows import MOST_LINE_BYTES

# Bytes that two readers of lines could see differently, besides what is not ASCII. A tab is not among them: between
# fields no plain line has one, and in a text no reader of JSON takes it.
_ODD = (b"\r", b"\0", b"\1", b"\x7f")
# Where every stretch of this length holds the end of a line, no line is as long as MOST_LINE_BYTES.
_STRETCH = MOST_LINE_BYTES // 3


@dataclass(slots=True)
class Block:
    """Whole lines in a file; `first` is the number of the first one. Whoever takes the block may move the file.

    is_clean: all is ASCII, no line is too long, and none has a byte that readers of lines could see differently.
    has_blanks: there is a blank somewhere.
    """

    path: Path
    first: int
    rows: int = 0
    is_clean: bool = True
    has_blanks: bool = False
    open_bytes: int = 0  # since the last end of a line

    def note(self, piece: bytes) -> None:
        """Look at what is written."""
        self.rows += len(BytesIO(piece).readlines()) - (not piece.endswith(b"\n"))  # twice as fast as to count ends
        self.has_blanks = self.has_blanks or b" " in piece
        end = piece.find(b"\n")
        longest = self.open_bytes + (end if end >= 0 else len(piece))
        self.open_bytes = len(piece) - piece.rfind(b"\n") - 1 if end >= 0 else longest
        self.is_clean = self.is_clean and longest <= MOST_LINE_BYTES and is_plain(piece) and _has_short_lines(piece)


def blocks(chunks: Iterable[bytes], size: int, folder: Path) -> Iterator[Block]:
    """A file given as byte chunks in blocks of about `size` bytes; each is gone when the next one is asked for."""
    path, first, rest = folder / "block", 1, b""
    source = filter(None, chunks)
    while True:
        block = Block(path, first)
        rest = _fill(block, source, size, rest)
        block.rows += bool(block.open_bytes)
        if block.rows:
            yield block
        first += block.rows
        path.unlink(missing_ok=True)
        if not rest:
            return


def _fill(block: Block, chunks: Iterator[bytes], size: int, rest: bytes) -> bytes:
    """Write whole lines up to the size; returns what is left over."""
    written = 0
    with block.path.open("wb") as file:
        for chunk in chain([rest] if rest else [], chunks):
            cut = chunk.rfind(b"\n") + 1 if written + len(chunk) >= size else 0
            piece = chunk[:cut] if cut else chunk
            file.write(piece)
            block.note(piece)
            written += len(piece)
            if cut:
                return chunk[cut:] or next(chunks, b"")
    return b""


def is_plain(line: bytes) -> bool:
    """Whether all readers of lines see the same."""
    return line.isascii() and not any(odd in line for odd in _ODD)


def _has_short_lines(piece: bytes) -> bool:
    return all(piece.find(b"\n", at, at + _STRETCH) >= 0 for at in range(0, len(piece) - _STRETCH, _STRETCH))
