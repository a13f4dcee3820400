"""What a day does for a seller's payers: methods that expire are told, scheduled payments start, autopay collects."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from saldo.autopay.service import Autopay
from saldo.invoicing.run.open import as_of_date
from saldo.payments import methods
from saldo.payments.records_methods import method_from
from saldo.payments.scheduled import ScheduledPayments, ScheduledState


@dataclass(frozen=True, slots=True)
class Collecting:
    """return_url: as for `Autopay.run`."""

    autopay: Autopay
    scheduled: ScheduledPayments
    return_url: str

    def collect(self, entity_id: str, as_of: str = "", shard: int | None = None) -> dict[str, Any]:
        """One day of a seller, and which (`on`); safe to repeat.

        as_of: a date or the scheduled instant, "" for today. shard: that part of autopay alone.
        """
        zone = self.autopay.zone(entity_id)
        on = as_of_date(as_of, zone, self.autopay.clock())
        store = self.autopay.store
        due = store.query_all(f"expiring#{entity_id}", last=on.isoformat(), agenda=True)
        keys = [(item["pk"], item["sk"]) for item in due]
        told = [method_from(item) for item in store.get_many(keys, consistent=True).values()] if keys else []
        tell = self.autopay.telling.expiring
        warned = sum(methods.warn(store, self.autopay.clock, m, tell) for m in told if not m.warned)
        states = [one.state for one in self.scheduled.start_due(entity_id, on, self.return_url)]
        begun, not_begun = states.count(ScheduledState.STARTED), states.count(ScheduledState.FAILED)
        report = asdict(self.autopay.run(entity_id, on, self.return_url, shard))
        return {
            "on": on.isoformat(),
            **report,
            "warned": warned,
            "scheduled_started": begun,
            "scheduled_failed": not_begun,
        }
