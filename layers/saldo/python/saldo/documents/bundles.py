"""Use cases of bundles: ask for one, make it in the background, take it.

The file is written to disk as it grows and then to the bucket: of the documents one at a time is in memory.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import IO

from saldo.access.notes import News, NoteKind, add_news
from saldo.audit.model import Actor, AuditRecord, job
from saldo.audit.records import audit_item
from saldo.documents import records_bundles as records
from saldo.documents import rules_bundles as rules
from saldo.documents.model_bundles import MOVES, Bundle, BundleState
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Refusal
from saldo.kernel.ids import fingerprint
from saldo.kernel.states import moved
from saldo.storage.files import Files
from saldo.storage.sealing import Sealer
from saldo.storage.store import Store
from saldo.storage.units import Unit

MAKER = job("make_bundles")
TOLD_EVERY = 10  # documents, for the page that shows how far it is
_SAME_DAY = (2000, 1, 1, 0, 0, 0)  # so that the same documents make the same file
_ADDRESS_LASTS_S = 60


@dataclass(frozen=True, slots=True)
class Bundles:
    """Bundles as pages know them. `store` is narrowed to the account and its seller."""

    store: Store
    clock: Clock
    files: Files

    def ask(
        self, account_id: str, entity_id: str, documents: Sequence[tuple[str, str]], request: str, actor: Actor
    ) -> Bundle:
        """documents: (invoice id, number). The same form asks once. Refusals `invalid_bundle`, `too_many_bundles`."""
        at = self.clock()
        bundle_id = f"bun_{fingerprint(account_id, actor.id, request)}"
        known = self.of(account_id)
        found = next((one for one in known if one.id == bundle_id), None)
        if found:
            return found
        rules.check_choice(len(documents))
        rules.check_how_many(known, at)
        bundle = Bundle(account_id, bundle_id, entity_id, actor.id, at, at + rules.KEPT, tuple(documents))
        unit = Unit(f"ask for {bundle_id}").insert(records.bundle_item(bundle))
        after = {"documents": len(documents)}
        unit.put(audit_item(AuditRecord(account_id, at, actor, "bundle.asked", bundle_id, after=after)))
        return self.get(account_id, bundle_id) if self.store.write_one(unit) else bundle

    def get(self, account_id: str, bundle_id: str) -> Bundle:
        return _read(self.store, account_id, bundle_id)

    def of(self, account_id: str) -> list[Bundle]:
        return [records.bundle_from(item) for item in self.store.query_all(account_id, prefix=records.PREFIX)]

    def address(self, bundle: Bundle, name: str) -> str:
        """Where the file can be taken for a minute; NotFound before it is ready and after its time."""
        if not bundle.is_there(self.clock()):
            raise NotFound("no such file")
        return self.files.address_of(rules.bundle_key(bundle.account_id, bundle.id), name, _ADDRESS_LASTS_S)


@dataclass(frozen=True, slots=True)
class BundleMaker:
    """`pdf_of`: account and invoice to the document's bytes; NotFound or Refusal for one that has none."""

    store: Store
    sealer: Sealer
    clock: Clock
    files: Files
    pdf_of: Callable[[str, str], bytes]

    def make(self, account_id: str, bundle_id: str) -> Bundle:
        """Safe to repeat: documents are made once, the file is written over by itself, and who asked is told once."""
        bundle = _read(self.store, account_id, bundle_id)
        if bundle.state is BundleState.READY or self.clock() >= bundle.until:
            return bundle
        bundle = replace(bundle, state=BundleState.MAKING, done=0)
        self._tell(bundle)
        with tempfile.TemporaryFile() as file:
            left_out = self._written(bundle, file)
            size = file.tell()
            file.seek(0)
            self.files.put_from(rules.bundle_key(account_id, bundle_id), file, "application/zip")
        done = len(bundle.documents) - len(left_out)
        state = moved(MOVES, bundle.state, BundleState.READY)
        return self._ready(replace(bundle, state=state, done=done, left_out=left_out, size=size))

    def _written(self, bundle: Bundle, file: IO[bytes]) -> tuple[str, ...]:
        """Numbers of those that have no document."""
        left_out = []
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            names = rules.entry_names(bundle.documents)
            for at, ((invoice_id, number), name) in enumerate(zip(bundle.documents, names, strict=True)):
                try:
                    pdf = self.pdf_of(bundle.account_id, invoice_id)
                except Refusal:
                    left_out.append(number)
                    continue
                archive.writestr(zipfile.ZipInfo(name, _SAME_DAY), pdf)
                if at % TOLD_EVERY == TOLD_EVERY - 1:
                    self._tell(replace(bundle, done=at + 1))
        return tuple(left_out)

    def _tell(self, bundle: Bundle) -> None:
        """How far it is; never over one that is ready."""
        told = {"status": bundle.state.value, "done": bundle.done}
        when = {"status": [BundleState.ASKED.value, BundleState.MAKING.value]}
        self.store.change(records.bundle_record_key(bundle.account_id, bundle.id), set=told, when=when)

    def _ready(self, bundle: Bundle) -> Bundle:
        """Ready, on the trail, and told to who asked, at once; somebody else may have been quicker."""
        at = self.clock()
        unit = Unit(f"ready {bundle.id}")
        unit.put(records.bundle_item(bundle), when={"status": BundleState.MAKING.value})
        after = {"documents": bundle.done, "left_out": len(bundle.left_out)}
        unit.put(audit_item(AuditRecord(bundle.account_id, at, MAKER, "bundle.ready", bundle.id, after=after)))
        path = f"/accounts/{bundle.account_id}/bundles/{bundle.id}"
        news = News(f"note_{fingerprint('bundle', bundle.id)}", NoteKind.BUNDLE_READY, path, at, bundle.until)
        add_news(unit, bundle.account_id, bundle.asked_by, news, self.store, self.sealer)
        self.store.write_one(unit)
        return _read(self.store, bundle.account_id, bundle.id)


def _read(store: Store, account_id: str, bundle_id: str) -> Bundle:
    item = store.get(*records.bundle_record_key(account_id, bundle_id))
    if item is None:
        raise NotFound("no such file")
    return records.bundle_from(item)
