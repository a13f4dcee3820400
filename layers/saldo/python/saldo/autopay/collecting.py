"""What a day does for a seller's payers: methods that expire are told, scheduled payments start, autopay collects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from saldo.autopay.records import RULE
from saldo.autopay.service import Autopay
from saldo.invoicing.run.open import seller_day
from saldo.payments import methods, records_methods
from saldo.payments import scheduled as scheduled_payments
from saldo.payments.records_methods import method_from
from saldo.payments.rules_methods import expiring_list
from saldo.payments.scheduled import ScheduledPayments, ScheduledState
from saldo.storage.items import Key


@dataclass(frozen=True, slots=True)
class Collecting:
    """return_url: as for `Autopay.run`."""

    autopay: Autopay
    scheduled: ScheduledPayments
    return_url: str

    def due(self, entity_id: str, on: date) -> Iterator[Key]:
        """What a day is about: methods that expire, payments whose day has come, rules."""
        expiring = self.autopay.store.query_all(expiring_list(entity_id), last=on.isoformat(), agenda=True)
        yield from ((item["pk"], item["sk"]) for item in expiring)
        yield from self.scheduled.due(entity_id, on)
        yield from self.autopay.due(entity_id)

    def collect(self, entity_id: str, as_of: str = "", keys: Iterable[Key] | None = None) -> dict[str, Any]:
        """One day of a seller: a date or the scheduled instant, "" for today. Safe to repeat.

        keys: a part of what is `due`; None for all.
        """
        on = seller_day(self.autopay.store, self.autopay.clock, entity_id, as_of)
        keys = list(self.due(entity_id, on) if keys is None else keys)
        warned = self._warn([key for key in keys if key[1].startswith(records_methods.PREFIX)])
        waiting = [key for key in keys if key[1].startswith(scheduled_payments.PREFIX)]
        states = [one.state for one in self.scheduled.start_due(entity_id, on, self.return_url, waiting)]
        begun, not_begun = states.count(ScheduledState.STARTED), states.count(ScheduledState.FAILED)
        rules = [key for key in keys if key[1] == RULE]
        report = asdict(self.autopay.run(entity_id, on, self.return_url, rules))
        return report | {"warned": warned, "scheduled_started": begun, "scheduled_failed": not_begun}

    def _warn(self, keys: list[Key]) -> int:
        store, clock, tell = self.autopay.store, self.autopay.clock, self.autopay.telling.expiring
        expiring = map(method_from, store.get_many(keys, consistent=True).values())
        return sum(methods.warn(store, clock, method, tell) for method in expiring if not method.warned)
