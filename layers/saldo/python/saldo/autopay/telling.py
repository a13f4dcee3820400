"""Letters to those who pay for an account: what will be taken, what was not, which method will expire."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from saldo.access.notes import Note, NoteKind, add_note
from saldo.access.records_people import people_of
from saldo.access.rules import PAYERS
from saldo.autopay.model import Debit
from saldo.documents.wording import Wording, wording
from saldo.kernel.clock import Clock
from saldo.kernel.ids import fingerprint, is_double
from saldo.payments.model_methods import StoredMethod
from saldo.payments.scheduled import Scheduled
from saldo.storage.sealing import Sealer
from saldo.storage.store import Store
from saldo.storage.units import Unit

_MOST_TOLD = 10
_HOLDS = timedelta(days=14)

Values = Callable[[Wording], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Telling:
    """Adds letters to the units of what they tell of, so that there is none without the other."""

    store: Store
    sealer: Sealer
    clock: Clock

    def announced(self, unit: Unit, debit: Debit) -> None:
        """With one link to the debit's page, where it is cancelled."""
        self._add(unit, debit.account_id, NoteKind.DEBIT_ANNOUNCED, debit.id, f"autopay/{debit.id}", _of(debit))

    def not_made(self, unit: Unit, debit: Debit) -> None:
        """No money came; or the payer's bank wants to hear from them first: the debit's page leads there."""
        key = f"{debit.id}/{debit.state}"
        self._add(unit, debit.account_id, NoteKind.DEBIT_FAILED, key, f"autopay/{debit.id}", _of(debit))

    def not_started(self, unit: Unit, one: Scheduled) -> None:
        def values(words: Wording) -> dict[str, str]:
            return {"amount": words.money(one.amount_minor, one.currency), "at": words.day(one.on)}

        self._add(unit, one.account_id, NoteKind.DEBIT_FAILED, one.id, "scheduled", values)

    def expiring(self, unit: Unit, method: StoredMethod) -> None:
        def values(words: Wording) -> dict[str, str]:
            return {"device": method.shown_as, "at": words.day(method.expires_on) if method.expires_on else ""}

        self._add(unit, method.account_id, NoteKind.METHOD_EXPIRING, method.id, "methods", values)

    def _add(self, unit: Unit, account_id: str, kind: NoteKind, key: str, path: str, values: Values) -> None:
        """To each payer in their language. Doubles tell nobody."""
        account = self.store.get(account_id, "account")
        if account is None or is_double(account_id):
            return
        now, people = self.clock(), people_of(self.store, self.sealer, account_id, self.clock())
        told = [m for m in people.members if m.role in PAYERS and not m.suspended]
        for member in told[:_MOST_TOLD]:
            words = wording(member.language, account["country"])
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
                values={"account": account["name"], **values(words)},
                path=f"/accounts/{account_id}/{path}",
                user_id=member.user_id,
            )
            add_note(unit, note, self.sealer)


def _of(debit: Debit) -> Values:
    return lambda words: {"amount": words.money(debit.minor, debit.currency), "at": words.day(debit.debit_on)}
