"""Letters to those who pay for an account, each in their language, added to the unit of what they tell of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from saldo.access.notes import Note, NoteKind, add_note
from saldo.access.records_people import people_of
from saldo.access.rules import PAYERS
from saldo.kernel.clock import Clock
from saldo.kernel.ids import fingerprint, is_double
from saldo.storage.sealing import Sealer
from saldo.storage.store import Store
from saldo.storage.units import Unit

_MOST_TOLD = 10
_HOLDS = timedelta(days=14)

Values = Callable[[str, str], Mapping[str, str]]  # language, country → what the letter says besides


@dataclass(frozen=True, slots=True)
class TellPayers:
    """Adds letters to units, so that there is none without what it tells of, nor that without the letter."""

    store: Store
    sealer: Sealer
    clock: Clock

    def add(self, unit: Unit, account_id: str, kind: NoteKind, key: str, path: str, values: Values) -> None:
        """To each payer, once for each `key`; `path` is below the account's own page. Doubles tell nobody."""
        account = self.store.get(account_id, "account")
        if account is None or is_double(account_id):
            return
        now, people = self.clock(), people_of(self.store, self.sealer, account_id, self.clock())
        told = [m for m in people.members if m.role in PAYERS and not m.suspended]
        for member in told[:_MOST_TOLD]:
            note = Note(
                account_id=account_id,
                id=f"note_{fingerprint(kind.value, key, member.user_id)}",
                kind=kind,
                organisation_id=account["organisation_id"],
                entity_id=account["entity_id"],
                language=member.language,
                email=member.email,
                written_at=now,
                until=now + _HOLDS,
                values={"account": account["name"], **values(member.language, account["country"])},
                path=f"/accounts/{account_id}/{path}",
                user_id=member.user_id,
            )
            add_note(unit, note, self.sealer)
