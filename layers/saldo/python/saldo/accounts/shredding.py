"""Crypto-shredding: destroy an organisation's data key, and with it every personal field that was sealed with it.

Two tables, so two steps: first the permanent word that it is to be (with its audit record), then the key. A crash
between them leaves the word without the deed; repeating goes on from there.
"""

from __future__ import annotations

from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock, instant_text
from saldo.kernel.errors import NotFound, Refusal, Unavailable
from saldo.storage.items import Item, Key
from saldo.storage.sealing import KeyRing
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.storage.wrapped_keys import WrappedKey

_MOST_ATTEMPTS = 5


def shredding_key(organisation_id: str) -> Key:
    """`<organisation>` / `guard#shredded`: that, when, by whom and why its key was to be destroyed."""
    return organisation_id, "guard#shredded"


class Shredding:
    """Erasure of the personal fields of customers of one region. Amounts, numbers and the journal stay."""

    def __init__(self, store: Store, keys: KeyRing, clock: Clock) -> None:
        self._store, self._keys, self._clock = store, keys, clock

    def shred(self, organisation_id: str, actor: Actor, reason: str) -> str:
        """Destroy the organisation's data key for ever; since when it is gone (an instant's text). Safe to repeat.

        Refusal: reason_missing; not_found; legal_hold, while the organisation is held. Other processes keep an opened
        key for up to five minutes; backups of the keys table, for as long as that table keeps them (a day).
        """
        if not reason.strip():
            raise Refusal("reason_missing", "say why the customer's personal fields are to be erased")
        organisation = self._organisation(organisation_id)
        if organisation.get("legal_hold"):
            raise Refusal("legal_hold", "the organisation is under legal hold; nothing of it may be erased")
        self._say(organisation_id, actor, reason)
        for _ in range(_MOST_ATTEMPTS):
            at = self._shredded_at(organisation_id)
            if at:
                self._keys.forget(organisation_id)
                return at
        raise Unavailable("the key is being changed by others")

    def hold(self, organisation_id: str, held: bool, actor: Actor, reason: str) -> None:
        """Put an organisation under legal hold, or release it; every change with its reason."""
        if not reason.strip():
            raise Refusal("reason_missing", "a legal hold is put and released for a reason")
        self._organisation(organisation_id)
        unit = Unit(f"hold {organisation_id}")
        key = organisation_id, "organisation"
        if held:
            unit.update(key, set={"legal_hold": True}, exists=True)
        else:
            unit.update(key, remove=["legal_hold"], exists=True)
        action = "organisation.held" if held else "organisation.released"
        record = AuditRecord(organisation_id, self._clock(), actor, action, organisation_id, reason=reason)
        self._store.write_one(unit.put(audit_item(record)))

    def _organisation(self, organisation_id: str) -> Item:
        item = self._store.get(organisation_id, "organisation")
        if item is None:
            raise NotFound("no such organisation")
        return item

    def _say(self, organisation_id: str, actor: Actor, reason: str) -> None:
        """The word, once; it holds only while there is no legal hold."""
        at, (pk, sk) = self._clock(), shredding_key(organisation_id)
        unit = Unit(f"shred {organisation_id}")
        unit.insert({"pk": pk, "sk": sk, "kind": "guard", "at": instant_text(at), "by": actor.id, "reason": reason})
        unit.require((organisation_id, "organisation"), when={"legal_hold": None})
        record = AuditRecord(organisation_id, at, actor, "organisation.shredded", organisation_id, reason=reason)
        conflict = self._store.write_one(unit.put(audit_item(record)))
        if conflict and (organisation_id, "organisation") in conflict.keys and (pk, sk) not in conflict.keys:
            raise Refusal("legal_hold", "the organisation is under legal hold; nothing of it may be erased")

    def _shredded_at(self, organisation_id: str) -> str:
        """Destroy the key if it lives; "" when it was changed meanwhile. One that never was is barred as well."""
        said = self._store.get(*shredding_key(organisation_id))
        assert said is not None, "the word comes before the deed"
        table = self._keys.wrapped_keys
        key = table.find(organisation_id)
        if key is None:
            barred = WrappedKey(organisation_id, (), version=1, shredded_at=said["at"])
            return str(said["at"]) if table.add(barred) else ""
        if key.shredded_at:
            return key.shredded_at
        return str(said["at"]) if table.shred(key, said["at"]) else ""
