"""Whether a picture is one and nothing else, and of a size that opens."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from saldo.kernel.errors import Refusal

_MOST_PIXELS = 60_000_000
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})  # segments of a JPEG that say how large it is
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length


def check_png(content: bytes) -> None:
    """Chunk by chunk to IEND, which is the end. Refusals `file_broken`, `file_two_things`, `file_unpacks_too_far`."""
    at = 8
    first = True
    while True:
        length, kind = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        end = at + 12 + length
        if end > len(content) or zlib.crc32(content[at + 4 : end - 4]) != int.from_bytes(content[end - 4 : end], "big"):
            raise Refusal("file_broken", "this PNG is cut off or damaged")
        if first != (kind == b"IHDR") or (first and length != 13):
            raise Refusal("file_broken", "this PNG does not say what it is")
        if first:
            _check_pixels(content[at + 8 : at + 12], content[at + 12 : at + 16])
        if kind == b"IEND":
            break
        at, first = end, False
    if end != len(content):
        raise Refusal("file_two_things", "something follows the end of this PNG")


def check_jpeg(content: bytes) -> None:
    """Segment by segment to the end marker. Refusals as for `check_png`."""
    sized = False
    for marker, body in _segments(content):
        if marker in _FRAMES:
            _check_pixels(body[1:3], body[3:5])
            sized = True
        if marker == 0xE0 and not body.startswith((b"JFIF\0", b"JFXX\0")):
            raise Refusal("file_two_things", "this JPEG hides something where its head should be")
    if not sized:
        raise Refusal("file_broken", "this JPEG has no picture")


def _segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    at = 2
    while True:
        if at + 2 > len(content) or content[at] != 0xFF:
            raise Refusal("file_broken", "this JPEG is cut off or damaged")
        marker = content[at + 1]
        if marker == 0xD9:
            break
        if marker in _ALONE or marker == 0xFF:
            at += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(content[at + 2 : at + 4], "big")
        if length < 2 or at + 2 + length > len(content):
            raise Refusal("file_broken", "this JPEG is cut off or damaged")
        yield marker, content[at + 4 : at + 2 + length]
        at += 2 + length
        if marker == 0xDA:
            at = _after_scan(content, at)
    if at + 2 != len(content):
        raise Refusal("file_two_things", "something follows the end of this JPEG")


def _after_scan(content: bytes, at: int) -> int:
    """Where the next marker stands behind the pixels: 0xFF with neither a stuffed zero nor a restart."""
    while True:
        at = content.find(b"\xff", at)
        if at < 0 or at + 1 >= len(content):
            raise Refusal("file_broken", "this JPEG is cut off or damaged")
        if content[at + 1] and not 0xD0 <= content[at + 1] <= 0xD7:
            return at
        at += 2


def _check_pixels(one: bytes, other: bytes) -> None:
    pixels = int.from_bytes(one, "big") * int.from_bytes(other, "big")
    if not 0 < pixels <= _MOST_PIXELS:
        raise Refusal("file_unpacks_too_far", "this picture has none or far too many pixels")
