"""Erasing a customer: the data key is shredded, names in clear are taken away, the files it handed in are ended.

Each step is told by the one before and may be repeated: stopped anywhere, the same call goes on from there.
"""

from __future__ import annotations

from dataclasses import dataclass

from saldo.accounts.model import ERASED
from saldo.accounts.records import customer_key, customer_word_key, words_of
from saldo.accounts.shredding import Shredding
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock
from saldo.kernel.errors import Unavailable
from saldo.storage.files import Files
from saldo.storage.items import Item
from saldo.storage.sealing import KeyRing
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.uploads.erasing import end_files


@dataclass(frozen=True, slots=True)
class ErasedCustomer:
    """Since when the data key is gone; versions of files deleted by this call, certificates that are kept."""

    shredded_at: str
    files_deleted: int
    certificates_kept: int


class Erasure:
    """Of customers of one region. `files`: the bucket of uploads."""

    def __init__(self, store: Store, keys: KeyRing, clock: Clock, files: Files) -> None:
        self._store, self._clock, self._files = store, clock, files
        self._shredding = Shredding(store, keys, clock)

    def erase(self, organisation_id: str, actor: Actor, reason: str, *, certificates: bool = False) -> ErasedCustomer:
        """Shred, take away the names that lie in clear, end the files. Safe to repeat.

        certificates: also files that prove why no tax was charged. Nothing is handed in for a customer whose key is
        gone; a file that was on its way at that very moment is ended by repeating this. Refusals as of
        `Shredding.shred`. It walks through every record of the region.
        """
        at = self._shredding.shred(organisation_id, actor, reason)
        owned: dict[str, list[Item]] = {"organisation": [], "account": [], "upload": []}
        for item in self._store.scan():
            if item["kind"] in owned and organisation_id in (item["pk"], item.get("organisation_id")):
                owned[item["kind"]].append(item)
        for item in (*owned["organisation"], *owned["account"]):
            if item["name"] != ERASED:
                self._take_name(item, actor)
        owner_ids = {item["pk"] for item in (*owned["account"], *owned["upload"])}
        ended = end_files(
            self._store, self._files, self._clock, owner_ids, owned["upload"], actor, certificates=certificates
        )
        return ErasedCustomer(at, ended.deleted, ended.certificates_kept)

    def _take_name(self, item: Item, actor: Actor) -> None:
        """From an organisation's or account's own record, and from its seller's list and search."""
        pk, name = item["pk"], item["name"]
        unit = Unit(f"take the name of {pk}").update((pk, item["sk"]), set={"name": ERASED}, when={"name": name})
        if item["kind"] == "account":
            entity_id = item["entity_id"]
            unit.update(customer_key(entity_id, pk), set={"name": ERASED}, exists=True)
            for word in words_of(name):
                unit.delete(customer_word_key(entity_id, word, pk))
        unit.put(audit_item(AuditRecord(pk, self._clock(), actor, f"{item['kind']}.name_erased", pk)))
        if self._store.write_one(unit):
            raise Unavailable(f"{pk} is being changed by others")
