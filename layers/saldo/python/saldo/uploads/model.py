"""A file that somebody hands in, from the wish to do so until it is deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class UploadKind(StrEnum):
    """EVIDENCE: about an invoice, by either side. CERTIFICATE: of a tax exemption, by the customer. PAPER: what a
    seller publishes for its customers (a W-9, terms)."""

    EVIDENCE = "evidence"
    CERTIFICATE = "certificate"
    PAPER = "paper"


class FileKind(StrEnum):
    """What a file was found to be by its content; the value is the ending that it is handed out with."""

    PDF = "pdf"
    PNG = "png"
    JPEG = "jpg"
    TEXT = "txt"
    XLSX = "xlsx"


class UploadState(StrEnum):
    """WAITING: no file yet. FAILED: could not be scanned, and will be again. Only CLEAN can be opened."""

    WAITING = "waiting"
    SCANNING = "scanning"
    CLEAN = "clean"
    REFUSED = "refused"
    FAILED = "failed"
    DELETED = "deleted"


MOVES: Mapping[UploadState, frozenset[UploadState]] = {
    UploadState.WAITING: frozenset({UploadState.SCANNING, UploadState.DELETED}),
    UploadState.SCANNING: frozenset({UploadState.CLEAN, UploadState.REFUSED, UploadState.FAILED, UploadState.DELETED}),
    UploadState.FAILED: frozenset({UploadState.SCANNING, UploadState.DELETED}),
    UploadState.CLEAN: frozenset({UploadState.DELETED}),
    UploadState.REFUSED: frozenset(),
    UploadState.DELETED: frozenset(),
}
ON_THE_WAY = frozenset({UploadState.WAITING, UploadState.SCANNING, UploadState.FAILED})


@dataclass(frozen=True, slots=True)
class Name:
    """Which upload: whose (an account, or a seller for its papers), about what (`inv_…`, `certificate`, `paper`), and
    its id."""

    owner_id: str
    about: str
    upload_id: str


@dataclass(frozen=True, slots=True)
class Upload:
    """`organisation_id`: under whose key the title is sealed, "" for what everybody may read. `title`: what the file
    shows, in the words of who hands it in, "" once erased; no name of a file on anybody's disk is taken.

    `size` in bytes. `sha256`: of exactly the bytes that were scanned. `reason`: why it was refused or deleted.
    `next_at`: when something is to be done about it: look again, or delete; None for never.
    """

    name: Name
    kind: UploadKind
    organisation_id: str
    title: str
    state: UploadState
    asked_at: datetime
    asked_by: str
    by_seller: bool
    next_at: datetime | None
    file_kind: FileKind | None = None
    size: int = 0
    sha256: str = ""
    reason: str = ""
    revision: int = 1

    @property
    def id(self) -> str:
        return self.name.upload_id

    @property
    def is_clean(self) -> bool:
        return self.state is UploadState.CLEAN

    @property
    def is_on_the_way(self) -> bool:
        return self.state in ON_THE_WAY


@dataclass(frozen=True, slots=True)
class PostForm:
    """The form that a browser sends straight to the bucket: where, and fields that it must repeat unchanged."""

    url: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a scanner says. `found`: the name of what it knows the content to be; "" for nothing that it knows."""

    found: str = ""

    @property
    def is_clean(self) -> bool:
        return not self.found
