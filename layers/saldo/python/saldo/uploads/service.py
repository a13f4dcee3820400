"""Use cases of uploads: ask to hand in a file, look at what came, open what is clean, delete in time.

A browser lays the file under `incoming/`, where pages cannot read. What was looked at and found clean is written anew
under `clean/`, with the hash of those very bytes in its key; so a form that is sent again changes nothing that was
looked at. The record leads; every step may be repeated from the start.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from saldo.audit.model import Actor, AuditRecord, job
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock, instant_text
from saldo.kernel.errors import NotFound, Refusal, Unavailable
from saldo.kernel.ids import fingerprint
from saldo.storage.files import Files
from saldo.storage.items import Item
from saldo.storage.sealing import Sealer
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.uploads import records, rules
from saldo.uploads.kept import files_about
from saldo.uploads.model import Name, PostForm, Upload, UploadKind, UploadState
from saldo.uploads.ports import Scanner
from saldo.uploads.rules_content import file_kind_of

EXAMINER, KEEPER = job("examine_uploads"), job("keep_uploads")
# Stored as nothing that a browser shows, whatever its form said; an attachment wherever it should ever be opened.
_FIXED = {"Content-Type": "application/octet-stream", "Content-Disposition": "attachment"}


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to hand in. `request`: the form's own id, so that it comes once."""

    owner_id: str
    about: str
    kind: UploadKind
    organisation_id: str
    title: str
    request: str
    actor: Actor
    by_seller: bool = False


@dataclass(frozen=True, slots=True)
class Uploads:
    """Uploads as pages know them. `store` is the region's, or narrowed to an account and its seller."""

    store: Store
    sealer: Sealer
    clock: Clock
    files: Files

    def ask(self, wish: Wish, beside: Callable[[Unit, Upload], None] | None = None) -> Upload:
        """Say what is to come; the same form makes the same upload. `beside` adds to the unit.

        Refusal `invalid_upload`.
        """
        upload = _wished(wish, self.clock())
        others = self.of(wish.owner_id, wish.about)
        if any(one.id == upload.id for one in others):
            return self.get(upload.name)
        rules.check_room(sum(1 for one in others if one.is_clean or one.is_on_the_way))
        unit = Unit(f"ask for {upload.id}").insert(records.upload_item(upload, self.sealer))
        unit.count_once(records.uploads_key(wish.owner_id))
        unit.put(_audit(upload, upload.asked_at, wish.actor, "upload.asked"))
        if beside:
            beside(unit, upload)
        return self.get(upload.name) if self.store.write_one(unit) else upload

    def form(self, upload: Upload, back: str) -> PostForm:
        """By which its file is handed in; afterwards the browser is led `back`. Refusal `upload_closed`."""
        if not upload.state == UploadState.WAITING or self.clock() >= upload.asked_at + rules.WAITS:
            raise Refusal("upload_closed", "a file came already, or the time for it is over")
        fixed = {**_FIXED, "success_action_redirect": back}
        lasts = int(rules.FORM_LASTS.total_seconds())
        return PostForm(*self.files.post_form(rules.incoming_key(upload), fixed, rules.MOST_BYTES, lasts))

    def get(self, name: Name) -> Upload:
        item = self.store.get(*records.upload_key(name))
        if item is None:
            raise NotFound("no such file")
        return records.upload_from(item, self.sealer)

    def shown_at(self, place: str, owner_id: str, about: str) -> list[Upload]:
        """Those about one thing, oldest first, for a page that may have read them ahead (`kept`)."""
        found = [records.upload_from(item, self.sealer) for item in files_about(self.store, owner_id, about, place)]
        return sorted(found, key=lambda one: (one.asked_at, one.id))

    def of(self, owner_id: str, about: str = "") -> list[Upload]:
        """All of an owner, or those about one thing, oldest first; one call."""
        prefix = records.PREFIX + (f"{about}#" if about else "")
        found = [records.upload_from(item, self.sealer) for item in self.store.query_all(owner_id, prefix=prefix)]
        return sorted(found, key=lambda one: (one.asked_at, one.id))

    def take_back(self, name: Name, actor: Actor) -> Upload:
        """Delete a seller's paper; again: as it is. Refusal `upload_not_clean`."""
        upload = self.get(name)
        if not upload.is_clean and upload.state is not UploadState.DELETED:
            raise Refusal("upload_not_clean", "only a file that was looked at can be taken back")
        if not upload.is_clean:
            return upload
        return _delete(self.store, self.files, upload, self.clock(), actor, "taken_back")

    def content(self, upload: Upload) -> bytes:
        """The bytes that were scanned; NotFound for what is not clean, and for what was erased, as for none."""
        if not upload.is_clean or not upload.title:
            raise NotFound("no such file")
        content = self.files.get(rules.clean_key(upload))
        if hashlib.sha256(content).hexdigest() != upload.sha256:
            raise NotFound("this file is not what was looked at")
        return content


@dataclass(frozen=True, slots=True)
class UploadWork:
    """What is done with uploads behind the pages: looking at them, and deleting them in time. It opens no title."""

    store: Store
    clock: Clock
    files: Files
    scanner: Scanner

    def examine(self, key: str) -> Upload | None:
        """Look at the file that came under this key; None when nobody asked for it. Safe to repeat.

        Unavailable when it could not be scanned: then it is kept as failed, to be looked at again.
        """
        name = rules.name_from(key)
        item = self.store.get(*records.upload_key(name)) if name else None
        upload = records.upload_from(item) if item else None
        if upload is None or key != rules.incoming_key(upload):
            self.files.delete(key)
            return None
        if upload.is_on_the_way:
            content = self.files.find(key)
            if content is None:
                return upload
            upload = self._judged(self._begun(upload), content)
        self.files.delete(key)
        return upload

    def keep(self) -> Counter[str]:
        """What is due: files not looked at to the end, wishes that came to nothing, files whose time is over."""
        done: Counter[str] = Counter()
        for due in list(self.store.query_all(records.AGENDA, last=instant_text(self.clock()), agenda=True)):
            item = self.store.get(*records.upload_key(records.name_of(due)))
            if item is None:
                continue
            try:
                done[self._kept(records.upload_from(item))] += 1
            except Unavailable:
                done["failed"] += 1
        return done

    def _begun(self, upload: Upload) -> Upload:
        """In scanning, and on the agenda for the case that this ends here."""
        again = self.clock() + rules.LOOKED_AT_AGAIN
        if upload.state is UploadState.SCANNING:
            return upload
        return self._written(upload, rules.into(upload, UploadState.SCANNING, again))

    def _judged(self, upload: Upload, content: bytes) -> Upload:
        digest = hashlib.sha256(content).hexdigest()
        try:
            kind = file_kind_of(content)
        except Refusal as refusal:
            return self._refused(upload, refusal.code, digest)
        try:
            verdict = self.scanner.scan(content)
        except Unavailable:
            again = self.clock() + rules.LOOKED_AT_AGAIN
            self._written(upload, rules.into(upload, UploadState.FAILED, again, "scanner_silent"))
            raise
        if not verdict.is_clean:
            return self._refused(upload, "file_harmful", digest, verdict.found)
        clean = rules.accepted(upload, kind, len(content), digest)
        self.files.put(rules.clean_key(clean), content, _FIXED["Content-Type"])
        about = {"file_kind": kind.value, "size": len(content), "sha256": digest}
        return self._written(upload, clean, "upload.accepted", about)

    def _refused(self, upload: Upload, code: str, digest: str, found: str = "") -> Upload:
        new = rules.into(upload, UploadState.REFUSED, None, code)
        return self._written(upload, new, "upload.refused", {"reason": code, "found": found, "sha256": digest})

    def _kept(self, upload: Upload) -> str:
        """What became of one whose instant has come."""
        if upload.next_at is None or upload.next_at > self.clock():
            return "changed"
        if upload.is_clean:
            self._deleted(upload)
            return "time_over"
        if self.files.find(rules.incoming_key(upload)) is not None:
            self.examine(rules.incoming_key(upload))
            return "examined"
        if upload.state is UploadState.SCANNING:
            upload = self._written(upload, rules.into(upload, UploadState.FAILED, self.clock(), "file_gone"))
        self._written(upload, rules.into(upload, UploadState.DELETED, None, "never_came"), "upload.deleted", by=KEEPER)
        return "never_came"

    def _deleted(self, upload: Upload) -> None:
        _delete(self.store, self.files, upload, self.clock(), KEEPER, "time_over")

    def _written(
        self,
        old: Upload,
        new: Upload,
        action: str = "",
        after: Mapping[str, str | int] | None = None,
        by: Actor = EXAMINER,
    ) -> Upload:
        return _write(self.store, old, new, _audit(new, self.clock(), by, action, after) if action else None)


def _wished(wish: Wish, at: datetime) -> Upload:
    upload_id = f"upl_{fingerprint(wish.owner_id, wish.about, wish.actor.id, wish.request)}"
    return Upload(
        name=Name(wish.owner_id, wish.about, upload_id),
        kind=wish.kind,
        organisation_id=wish.organisation_id,
        title=rules.check_title(wish.title),
        state=UploadState.WAITING,
        asked_at=at,
        asked_by=wish.actor.id,
        by_seller=wish.by_seller,
        next_at=at + rules.WAITS,
    )


def _write(store: Store, old: Upload, new: Upload, audit: Item | None) -> Upload:
    """Move the record on, with what goes on the trail."""
    unit = records.change(Unit(f"{new.state} {new.id}"), old, new)
    if audit:
        unit.put(audit)
    if store.write_one(unit):
        raise Unavailable("somebody else looks at this file at the same time")
    return new


def _delete(store: Store, files: Files, upload: Upload, at: datetime, by: Actor, reason: str) -> Upload:
    """The file first: what is on record as deleted is gone."""
    files.delete(rules.clean_key(upload))
    return end(store, upload, at, by, reason)


def end(store: Store, upload: Upload, at: datetime, by: Actor, reason: str) -> Upload:
    """Put on record that a file, which is gone, was deleted. Unavailable when it came further meanwhile."""
    new = rules.into(upload, UploadState.DELETED, None, reason)
    return _write(store, upload, new, _audit(new, at, by, "upload.deleted", {"reason": reason}))


def _audit(
    upload: Upload, at: datetime, actor: Actor, action: str, after: Mapping[str, str | int] | None = None
) -> Item:
    """Of the file's own owner: an account, or a seller for its papers. Without the title."""
    told = {"kind": upload.kind.value, "about": upload.name.about, **(after or {})}
    return audit_item(AuditRecord(upload.name.owner_id, at, actor, action, upload.id, after=told))
