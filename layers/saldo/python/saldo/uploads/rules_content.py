"""What a file is, by its content alone: nothing that a browser or a name says of it counts.

A file is taken when it is wholly one thing: it begins as that, is built like it, and ends where that ends. So a file
that is two things at once (a picture that is also an archive or a page) is neither. This is no anti-virus.
"""

from __future__ import annotations

from saldo.kernel.errors import Refusal
from saldo.uploads.model import FileKind
from saldo.uploads.rules import MOST_BYTES
from saldo.uploads.rules_pdf import check_pdf
from saldo.uploads.rules_pictures import check_jpeg, check_png
from saldo.uploads.rules_sheets import check_sheet

# Read as a page or run by somebody who is tricked into it, wherever in the first part of a file they stand.
_MARKUP = (b"<!doctype", b"<html", b"<svg", b"<script", b"<?xml", b"<?php", b"<iframe", b"<body", b"<!entity", b"#!/")
_HEAD = 2048
_BLANK = frozenset({9, 10, 13})


def file_kind_of(content: bytes) -> FileKind:
    """Refusals: `file_empty`, `file_too_large`, `file_unknown`, `file_markup`, `file_broken`, `file_two_things`,
    `file_encrypted`, `file_active`, `file_unpacks_too_far`."""
    if not content:
        raise Refusal("file_empty", "there is nothing in this file")
    if len(content) > MOST_BYTES:
        raise Refusal("file_too_large", f"a file has at most {MOST_BYTES} bytes")
    for start, kind, check in _BY_START:
        if content.startswith(start):
            check(content)
            if _has_markup(content):
                raise Refusal("file_two_things", "this file is a page at the same time")
            return kind
    _check_text(content)
    return FileKind.TEXT


_BY_START = (
    (b"%PDF-", FileKind.PDF, check_pdf),
    (b"\x89PNG\r\n\x1a\n", FileKind.PNG, check_png),
    (b"\xff\xd8\xff", FileKind.JPEG, check_jpeg),
    (b"PK\x03\x04", FileKind.XLSX, check_sheet),
)


def _has_markup(content: bytes) -> bool:
    """XMP, which pictures carry, is XML but none of these."""
    head = content[:_HEAD].lower()
    return any(mark in head for mark in _MARKUP if mark not in (b"<?xml", b"#!/"))


def _check_text(content: bytes) -> None:
    """Text is UTF-8 without control characters, and in no markup: it is opened by what reads tables and notes."""
    if any(byte < 32 and byte not in _BLANK for byte in content):
        raise Refusal("file_unknown", "this is no PDF, PNG, JPEG, XLSX, CSV or text file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal("file_unknown", "this is no PDF, PNG, JPEG, XLSX, CSV or text file") from error
    lower = text.lower().encode()
    if text.lstrip().startswith("<") or any(mark in lower for mark in _MARKUP):
        raise Refusal("file_markup", "web pages, SVG and scripts are not taken")
