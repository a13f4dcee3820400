"""Whether an archive is a workbook (XLSX), unpacks to something of its size, and runs nothing."""

from __future__ import annotations

import io
import re
import zipfile
import zlib

from saldo.kernel.errors import Refusal

_MOST_PARTS, _MOST_UNPACKED, _CHUNK = 1000, 40_000_000, 65_536
_NEEDED = frozenset({"[Content_Types].xml", "xl/workbook.xml"})
_PART_NAME = re.compile(r"(\[Content_Types\]\.xml|(_rels|docProps|xl|customXml)/[A-Za-z0-9_./ \-]+)")
_ACTIVE = re.compile(r"vbaproject|activex|/embeddings/|macrosheets|\.(bin|exe|dll|js|vbs|zip)$", re.IGNORECASE)
_PRINTER = re.compile(r"xl/printerSettings/printerSettings\d+\.bin")


def check_sheet(content: bytes) -> None:
    """Refusals `file_unknown`, `file_broken`, `file_two_things`, `file_encrypted`, `file_active`,
    `file_unpacks_too_far`."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            _check_frame(content, archive)
            _check_parts(parts)
            _check_unpacked(archive, parts)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise Refusal("file_broken", "this workbook cannot be read") from error


def _check_frame(content: bytes, archive: zipfile.ZipFile) -> None:
    """Parts lie one after the other from the first byte to the directory, and the directory is the end."""
    end = content.rfind(b"PK\x05\x06")
    starts = [part.header_offset for part in archive.infolist()]
    if archive.comment or end + 22 != len(content) or (starts and min(starts) != 0):
        raise Refusal("file_two_things", "something else is in this file besides a workbook")
    if len(set(starts)) != len(starts):
        raise Refusal("file_unpacks_too_far", "parts of this file lie on top of each other")


def _check_parts(parts: list[zipfile.ZipInfo]) -> None:
    names = {part.filename for part in parts}
    if not names >= _NEEDED:
        raise Refusal("file_unknown", "of archives only workbooks (XLSX) are taken")
    if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > _MOST_UNPACKED:
        raise Refusal("file_unpacks_too_far", "this file unpacks to far more than it is")
    if any(part.flag_bits & 1 for part in parts):
        raise Refusal("file_encrypted", "this workbook is locked: what is in it cannot be looked at")
    if len(names) != len(parts) or any(".." in n or not _PART_NAME.fullmatch(n) for n in names):
        raise Refusal("file_broken", "parts of this workbook have names that none has")
    if any(_ACTIVE.search(name) and not _PRINTER.fullmatch(name) for name in names):
        raise Refusal("file_active", "this workbook has macros or carries other files")


def _check_unpacked(archive: zipfile.ZipFile, parts: list[zipfile.ZipInfo]) -> None:
    """What a directory says of sizes may be a lie: count what really comes out, and stop in time."""
    unpacked = 0
    for part in parts:
        with archive.open(part) as opened:
            while chunk := opened.read(_CHUNK):
                unpacked += len(chunk)
                if unpacked > _MOST_UNPACKED:
                    raise Refusal("file_unpacks_too_far", "this file unpacks to far more than it is")
