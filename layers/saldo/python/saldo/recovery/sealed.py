"""Every kind of record with sealed fields, and its room's way of opening one: a drill opens them all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from saldo.access.notes import note_from
from saldo.access.records import user_from
from saldo.access.records_passkeys import passkey_from
from saldo.access.records_people import invitation_from, member_from
from saldo.access.records_sso import connection_from
from saldo.access.records_staff import person_from
from saldo.accounts.records_profiles import certificate_from, profile_from
from saldo.certificates.records import opened_fields
from saldo.disputes.records import opened_words
from saldo.recovery.model import Finding, SealedFields
from saldo.storage.items import Item
from saldo.storage.sealing import CannotOpen, Erased, KeyRing, Sealer
from saldo.support.records import ticket_from
from saldo.uploads.records import opened_title

# The opener of a kind knows for whom it is sealed; some answer with less once that key is shredded, some raise Erased.
OPENED_BY: Mapping[str, Callable[[Item, Sealer], Any]] = {
    "profile": profile_from,
    "certificate": certificate_from,
    "user": user_from,
    "member": member_from,
    "invitation": invitation_from,
    "note": note_from,
    "staff": person_from,
    "passkey": passkey_from,
    "sso_connection": connection_from,
    "dispute_words": opened_words,
    "ticket": ticket_from,
    "upload": opened_title,
    "certificate_request": opened_fields,
}


class _Noting(Sealer):
    """Notes that a key was shredded, whatever the opener makes of it."""

    was_erased = False

    def open(self, organisation_id: str, key: tuple[str, str], kind: str, blob: bytes) -> dict[str, Any]:
        try:
            return super().open(organisation_id, key, kind, blob)
        except Erased:
            self.was_erased = True
            raise


def open_all(items: Iterable[Item], keys: KeyRing, table: str, found: SealedFields) -> Iterator[Finding]:
    """Open what is sealed among these, count it in `found`, and tell of what nobody can open although it should."""
    sealer = _Noting(keys, table)
    for item in items:
        if "sealed" not in item:
            continue
        opener, sealer.was_erased = OPENED_BY.get(item["kind"]), False
        try:
            if opener is None:
                raise CannotOpen
            opener(item, sealer)
            found.opened += not sealer.was_erased
        except Erased:
            pass
        except CannotOpen:
            found.unreadable += 1
            yield Finding("sealed fields", item["pk"], f"{item['sk']} cannot be opened")
        found.erased += sealer.was_erased
