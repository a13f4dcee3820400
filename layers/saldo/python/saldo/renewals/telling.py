"""The letter that tells that a subscription will renew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from saldo.access.notes import NoteKind
from saldo.access.telling import TellPayers
from saldo.documents.wording import wording
from saldo.kernel.clock import Clock
from saldo.storage.sealing import Sealer
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.subscriptions.model import Subscription, Term
from saldo.subscriptions.rules_terms import last_day_to_cancel


@dataclass(frozen=True, slots=True)
class Telling:
    """Adds letters to the units of what they tell of."""

    store: Store
    sealer: Sealer
    clock: Clock

    def coming(self, unit: Unit, subscription: Subscription, term: Term, end: date) -> None:
        """To all who pay for the account: when it renews, through which day it may be cancelled, by how much prices
        rise."""

        def values(language: str, country: str) -> dict[str, str]:
            words = wording(language, country)
            said = {"at": words.day(end), "cancel_by": words.day(last_day_to_cancel(term, end))}
            if term.uplift_percent:
                said["uplift"] = words.percent(term.uplift_percent)
            return said

        tell, key = TellPayers(self.store, self.sealer, self.clock), f"{subscription.id}/{end.isoformat()}"
        path = f"subscriptions/{subscription.id}"
        tell.add(unit, subscription.account_id, NoteKind.RENEWAL_ANNOUNCED, key, path, values)
