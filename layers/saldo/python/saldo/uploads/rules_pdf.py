"""Whether a PDF is one and nothing else, opens without a password, and does nothing by itself."""

from __future__ import annotations

import re
import zlib

from saldo.kernel.errors import Refusal

# Names of the format (ISO 32000) that run something, carry other files, or hide what is in it.
# `JS` alone is not among them: its three bytes stand in any large picture by chance, and what runs it is named, too.
_ACTIVE = (
    *("JavaScript", "Rendition", "Launch", "EmbeddedFile", "EmbeddedFiles", "RichMedia", "XFA"),
    *("ImportData", "SubmitForm"),
)
_MOST_UNPACKED = 20_000_000
_HASH = re.compile(rb"#([0-9A-Fa-f]{2})")
_NAME = re.compile(rb"/([^\x00\t\n\x0c\r ()<>\[\]{}/%]+)")
_OBJECT_STREAM = re.compile(rb"/\s*Type\s*/\s*ObjStm\b")


def check_pdf(content: bytes) -> None:
    """Refusals `file_broken`, `file_two_things`, `file_encrypted`, `file_active`, `file_unpacks_too_far`."""
    if not re.match(rb"%PDF-[12]\.\d[\r\n ]", content):
        raise Refusal("file_broken", "this PDF does not begin as one")
    if not content.rstrip(b"\x00\t\r\n ").endswith(b"%%EOF"):
        raise Refusal("file_two_things", "something follows the end of this PDF")
    if b"PK\x05\x06" in content[-70_000:]:
        raise Refusal("file_two_things", "this PDF is an archive at the same time")
    _check_names(_names(content))
    unpacked = 0
    for packed in _object_streams(content):
        plain = _unpacked(packed)
        unpacked += len(plain)
        if unpacked > _MOST_UNPACKED:
            raise Refusal("file_unpacks_too_far", "this PDF unpacks to far more than it is")
        _check_names(_names(plain))


def _check_names(names: set[str]) -> None:
    if "Encrypt" in names:
        raise Refusal("file_encrypted", "this PDF is locked: what is in it cannot be looked at")
    if not names.isdisjoint(_ACTIVE):
        raise Refusal("file_active", "this PDF runs something or carries other files")


def _names(content: bytes) -> set[str]:
    """Names as a reader understands them: `/J#53` is `JS`."""
    found = set(_NAME.findall(content))
    return {_HASH.sub(lambda m: bytes([int(m[1], 16)]), name).decode("latin-1") for name in found}


def _object_streams(content: bytes) -> list[bytes]:
    """Compressed objects, in which names could hide. One that is packed in another way than usual is not looked into,
    so it is refused."""
    found = []
    for at in re.finditer(rb"\bstream\r?\n", content):
        head = content[max(0, at.start() - 1500) : at.start()]
        facts = _HASH.sub(lambda m: bytes([int(m[1], 16)]), head[head.rfind(b"obj") :])
        if not _OBJECT_STREAM.search(facts):
            continue
        filters = re.findall(rb"/(\w+Decode)\b", facts)
        if filters not in ([], [b"FlateDecode"]):
            raise Refusal("file_broken", "this PDF hides its objects in an unusual way")
        body = content[at.end() : content.find(b"endstream", at.end())]
        found.append(body if filters else zlib.compress(body))
    return found


def _unpacked(packed: bytes) -> bytes:
    try:
        unpacking = zlib.decompressobj()
        plain = unpacking.decompress(packed, _MOST_UNPACKED)
    except zlib.error as error:
        raise Refusal("file_broken", "this PDF cannot be read") from error
    if unpacking.unconsumed_tail:
        raise Refusal("file_unpacks_too_far", "this PDF unpacks to far more than it is")
    return plain
