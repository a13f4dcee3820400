"""Files that were handed in, and the page of one on its way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from functions.portal.presenters.tags import Tag
from functions.portal.words import Words
from saldo.uploads.model import Upload, UploadState

_TONES = {
    UploadState.WAITING: "wait",
    UploadState.SCANNING: "wait",
    UploadState.FAILED: "wait",
    UploadState.CLEAN: "done",
    UploadState.REFUSED: "late",
    UploadState.DELETED: "over",
}


@dataclass(frozen=True, slots=True)
class FileRow:
    """`href`: where it can be taken, or its way followed. `note`: by whom and when, or why not."""

    title: str
    href: str
    size: str
    tag: Tag
    note: str


@dataclass(frozen=True, slots=True)
class UploadView:
    """`refresh_s`: after which the page looks again; 0 once nothing changes by itself."""

    title: str
    tag: Tag
    text: str
    refresh_s: int
    is_clean: bool


def upload_tag(upload: Upload, words: Words) -> Tag:
    return Tag(_TONES[upload.state], words(f"upload.state.{upload.state}"))


def file_rows(uploads: Sequence[Upload], home: str, reads_as_seller: bool, zone: str, words: Words) -> list[FileRow]:
    """What somebody sees of the files about one thing; those that came to nothing are left out."""
    shown = [one for one in uploads if one.state is not UploadState.DELETED]
    return [_row(one, home, reads_as_seller, zone, words) for one in shown]


def _row(upload: Upload, home: str, reads_as_seller: bool, zone: str, words: Words) -> FileRow:
    ours = upload.by_seller == reads_as_seller
    by = words("upload.by_you") if ours else words(f"dispute.side.{'seller' if upload.by_seller else 'customer'}")
    note = f"{by}, {words.moment(upload.asked_at, zone)}"
    if upload.reason and upload.state is UploadState.REFUSED:
        note = words.known(f"upload.reason.{upload.reason}", "upload.reason.file_unknown")
    href = f"{home}/files/{upload.name.about}/{upload.id}"
    where = f"{href}/content" if upload.is_clean else href if ours else ""
    return FileRow(
        upload.title or words("upload.erased"), where, size_of(upload, words), upload_tag(upload, words), note
    )


def upload_view(upload: Upload, came: bool, words: Words) -> UploadView:
    """`came`: the bucket says that it has the file."""
    state = UploadState.SCANNING if came and upload.state is UploadState.WAITING else upload.state
    tag = Tag(_TONES[state], words(f"upload.state.{state}"))
    reason = words.known(f"upload.reason.{upload.reason}", "upload.reason.file_unknown")
    text = reason if state is UploadState.REFUSED else words(f"upload.told.{state}")
    refresh_s = 3 if state is UploadState.SCANNING else 20 if state is UploadState.FAILED else 0
    return UploadView(upload.title or words("upload.erased"), tag, text, refresh_s, upload.is_clean)


def size_of(upload: Upload, words: Words) -> str:
    return words("upload.size", kb=words.number(max(1, upload.size // 1000))) if upload.size else ""
