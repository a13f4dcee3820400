"""Letters to those who pay for an account: what will be taken, what was not, which method will expire."""

from __future__ import annotations

from dataclasses import dataclass

from saldo.access.notes import NoteKind
from saldo.access.telling import TellPayers, Values
from saldo.autopay.model import Debit
from saldo.documents.wording import wording
from saldo.kernel.clock import Clock
from saldo.payments.model_methods import StoredMethod
from saldo.payments.scheduled import Scheduled
from saldo.storage.sealing import Sealer
from saldo.storage.store import Store
from saldo.storage.units import Unit


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
        def values(language: str, country: str) -> dict[str, str]:
            words = wording(language, country)
            return {"amount": words.money(one.amount_minor, one.currency), "at": words.day(one.on)}

        self._add(unit, one.account_id, NoteKind.DEBIT_FAILED, one.id, "scheduled", values)

    def expiring(self, unit: Unit, method: StoredMethod) -> None:
        def values(language: str, country: str) -> dict[str, str]:
            day = wording(language, country).day(method.expires_on) if method.expires_on else ""
            return {"device": method.shown_as, "at": day}

        self._add(unit, method.account_id, NoteKind.METHOD_EXPIRING, method.id, "methods", values)

    def _add(self, unit: Unit, account_id: str, kind: NoteKind, key: str, path: str, values: Values) -> None:
        TellPayers(self.store, self.sealer, self.clock).add(unit, account_id, kind, key, path, values)


def _of(debit: Debit) -> Values:
    def values(language: str, country: str) -> dict[str, str]:
        words = wording(language, country)
        return {"amount": words.money(debit.minor, debit.currency), "at": words.day(debit.debit_on)}

    return values
