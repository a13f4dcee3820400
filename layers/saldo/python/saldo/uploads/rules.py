"""Decisions on uploads: where files lie, what may be asked for, how long things are kept."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from datetime import datetime, timedelta

from saldo.kernel.errors import Problems
from saldo.kernel.states import moved
from saldo.uploads.model import MOVES, FileKind, Name, Upload, UploadKind, UploadState

# A function answers with 6 MB, of which base64 takes a third: so much goes through our own hands both ways.
MOST_BYTES = 4_000_000
MOST_TITLE, MOST_OF_A_SUBJECT = 80, 20
FORM_LASTS = timedelta(minutes=15)
WAITS = timedelta(hours=24)
LOOKED_AT_AGAIN = timedelta(minutes=30)
# From the day it was asked for. What is None is kept until the seller takes it back.
KEPT: dict[UploadKind, timedelta | None] = {
    UploadKind.EVIDENCE: timedelta(days=3 * 365 + 1),
    UploadKind.CERTIFICATE: timedelta(days=10 * 365 + 3),
    UploadKind.PAPER: None,
}
INCOMING, CLEAN = "incoming", "clean"
_PART = "[a-z0-9_]{1,80}"
_INCOMING = re.compile(rf"{INCOMING}/({'|'.join(UploadKind)})/({_PART})/({_PART})/({_PART})")


def incoming_key(upload: Upload) -> str:
    """Where a browser may lay the file: nobody but the examiner reads there."""
    return f"{folder(INCOMING, upload.kind, upload.name.owner_id)}{upload.name.about}/{upload.id}"


def clean_key(upload: Upload) -> str:
    """Where the bytes that were scanned lie; their hash in it, so that no other bytes can take their place."""
    assert upload.sha256, "only what was looked at has a hash"
    return f"{folder(CLEAN, upload.kind, upload.name.owner_id)}{upload.name.about}/{upload.id}/{upload.sha256}"


def folder(stage: str, kind: UploadKind, owner_id: str) -> str:
    """How the keys of an owner's files of one kind begin; stage: INCOMING or CLEAN."""
    return f"{stage}/{kind}/{owner_id}/"


def name_from(key: str) -> Name | None:
    """Whose file lies under this key; None for what no form of ours leads to."""
    found = _INCOMING.fullmatch(key)
    return Name(*found.groups()[1:]) if found else None


def check_title(title: str) -> str:
    """The title on one line, without what is not seen (control and format characters, which turn names round)."""
    seen = "".join(" " if unicodedata.category(c).startswith("C") else c for c in title)
    said, problems = " ".join(seen.split()), Problems()
    if not said:
        problems.add("title", "title_required", "say what the file shows")
    if len(said) > MOST_TITLE:
        problems.add("title", "too_long", f"at most {MOST_TITLE} characters")
    problems.refuse_if_any("this is no title", "invalid_upload")
    return said


def check_room(others: int) -> None:
    problems = Problems()
    if others >= MOST_OF_A_SUBJECT:
        problems.add("title", "too_many_files", f"at most {MOST_OF_A_SUBJECT} files are kept here")
    problems.refuse_if_any("there are very many files already", "invalid_upload")


def into(upload: Upload, state: UploadState, next_at: datetime | None, reason: str = "") -> Upload:
    """The upload in another state; Refusal `move_not_allowed`."""
    state = moved(MOVES, upload.state, state)
    return replace(upload, state=state, next_at=next_at, reason=reason, revision=upload.revision + 1)


def accepted(upload: Upload, file_kind: FileKind, size: int, sha256: str) -> Upload:
    """Clean, and kept for as long as its kind is."""
    kept = KEPT[upload.kind]
    looked_at = replace(upload, file_kind=file_kind, size=size, sha256=sha256)
    return into(looked_at, UploadState.CLEAN, upload.asked_at + kept if kept else None)


def file_name(upload: Upload) -> str:
    """What the file is called when it is handed out; `answers.download` takes out what no name may hold."""
    ending = upload.file_kind.value if upload.file_kind else "bin"
    return f"{upload.title or upload.id}.{ending}"
