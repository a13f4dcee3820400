"""The end of a customer's files, before their time: what `accounts` asks for when it erases a customer.

Files first, then records: what is on record as deleted is gone, with all its versions. It may be repeated at any point.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from saldo.audit.model import Actor
from saldo.kernel.clock import Clock
from saldo.storage.files import Files
from saldo.storage.items import Item
from saldo.storage.store import Store
from saldo.uploads import rules
from saldo.uploads.model import UploadKind, UploadState
from saldo.uploads.records import upload_from
from saldo.uploads.service import end

_HAS_NO_FILE = (UploadState.REFUSED, UploadState.DELETED)


@dataclass(frozen=True, slots=True)
class EndedFiles:
    """Versions of files that were deleted by this call, and certificates that are kept."""

    deleted: int
    certificates_kept: int


def end_files(
    store: Store,
    files: Files,
    clock: Clock,
    owner_ids: Iterable[str],
    uploads: Iterable[Item],
    actor: Actor,
    *,
    certificates: bool,
) -> EndedFiles:
    """End every file of these accounts. uploads: all their records. certificates: also those that prove why no tax was
    charged, which the law may want for as long as the invoices."""
    deleted = sum(files.erase(prefix) for one in sorted(owner_ids) for prefix in _prefixes(one, certificates))
    kept = 0
    for upload in map(upload_from, uploads):
        if upload.kind is UploadKind.CERTIFICATE and upload.is_clean and not certificates:
            kept += 1
        elif upload.state not in _HAS_NO_FILE:
            end(store, upload, clock(), actor, "erased")
    return EndedFiles(deleted, kept)


def _prefixes(owner_id: str, certificates: bool) -> list[str]:
    kinds = [kind for kind in UploadKind if kind is not UploadKind.PAPER]
    clean = [kind for kind in kinds if certificates or kind is not UploadKind.CERTIFICATE]
    return [rules.folder(rules.INCOMING, kind, owner_id) for kind in kinds] + [
        rules.folder(rules.CLEAN, kind, owner_id) for kind in clean
    ]
