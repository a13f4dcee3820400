"""Meters, and what they counted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from saldo.accounts.model import Account
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock
from saldo.kernel.errors import Problems, Refusal
from saldo.storage.items import Key
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.usage import records
from saldo.usage.ingest import Ingest, IngestReport, meters_of
from saldo.usage.ingest_rows import UsageRow
from saldo.usage.model import Aggregation, Meter, UsageKey
from saldo.usage.records import months_of
from saldo.usage.rules import metered

_METER_ID = re.compile(r"[a-z][a-z0-9_.-]{0,63}")

Wanted = Mapping[Account, Iterable[UsageKey]]


class Usage:
    """Meters and usage of one region."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._ingest = Ingest(store, clock)

    def define_meter(self, meter: Meter, actor: Actor) -> bool:
        """Put a meter on record; False when it stands there already.

        Names may change; how it counts may not: Refusal `meter_is_fixed`. Raises Refusal `invalid_meter` with every
        fault of its definition.
        """
        _check(meter)
        there = self.meters_of(meter.entity_id).get(meter.id)
        if there == meter:
            return False
        if there and (there.aggregation, there.unique_by) != (meter.aggregation, meter.unique_by):
            raise Refusal("meter_is_fixed", f"{meter.id} counts by {there.aggregation}; define another meter")
        record = AuditRecord(meter.entity_id, self._clock(), actor, "meter.defined", meter.id)
        unit = Unit(f"define {meter.id}").put(records.meter_item(meter)).put(audit_item(record))
        self._store.write_one(unit)
        return True

    def meters_of(self, entity_id: str) -> dict[str, Meter]:
        """A seller's meters by id."""
        return meters_of(self._store, entity_id)

    def ingest(self, entity_id: str, rows: Sequence[UsageRow], *, origin: str) -> IngestReport:
        """Store these rows' events, each once; see `Ingest.ingest`."""
        return self._ingest.ingest(entity_id, rows, origin=origin)

    def totals(self, wanted: Wanted) -> dict[str, dict[UsageKey, Decimal]]:
        """What the meters counted, by account id; see `usage_totals`."""
        return usage_totals(self._store, wanted)


def usage_totals(store: Store, wanted: Wanted) -> dict[str, dict[UsageKey, Decimal]]:
    """Totals per account id and key, for a batch of accounts in a few reads; 0 where nothing was counted.

    Reads what was accepted up to now. A key whose meter the seller does not have is left out of the answer.
    """
    keys = {account: list(some) for account, some in wanted.items()}
    meters = _meters(store, keys)
    months = {
        month
        for account, some in keys.items()
        for key in some
        for month in months_of(account.id, key.meter_id, key.period, account.time_zone)
    }
    events = _events(store, months)
    return {
        account.id: {
            key: metered(
                _of(events, account, key), meters[account.entity_id, key.meter_id], key.period, account.time_zone
            )
            for key in some
            if (account.entity_id, key.meter_id) in meters
        }
        for account, some in keys.items()
    }


def _meters(store: Store, wanted: Mapping[Account, Sequence[UsageKey]]) -> dict[Key, Meter]:
    keys = {records.meter_key(a.entity_id, key.meter_id) for a, some in wanted.items() for key in some}
    found = (records.meter_from(item) for item in store.get_many(sorted(keys), consistent=True).values())
    return {(meter.entity_id, meter.id): meter for meter in found}


def _check(meter: Meter) -> None:
    problems = Problems()
    if not _METER_ID.fullmatch(meter.id):
        problems.add("id", "invalid_id", "a lower-case letter, then at most 63 letters, digits, dots, dashes or lines")
    if (meter.aggregation is Aggregation.UNIQUE) != bool(meter.unique_by):
        problems.add("unique_by", "invalid_unique_by", "a unique meter names the property that it counts, others none")
    if not meter.names:
        problems.add("names", "missing", "a meter has a name")
    problems.refuse_if_any("the meter is not valid", "invalid_meter")
