"""Meters, and what they counted."""

from __future__ import annotations

import re
from collections import defaultdict
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
from saldo.usage.model import Aggregation, Meter, UsageEvent, UsageKey
from saldo.usage.records import MonthKey, months_of
from saldo.usage.rules import metered, only_quoted

_METER_ID = re.compile(r"[a-z][a-z0-9_.-]{0,63}")


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


class UsageTotals:
    """What meters counted, for whole batches of accounts. How a meter counts is fixed, so meters are kept once read."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._meters: dict[Key, Meter] = {}

    def totals(self, wanted: Iterable[tuple[Account, UsageKey]]) -> dict[str, dict[UsageKey, Decimal]]:
        """Totals by account id and key, 0 where nothing was counted, from a few reads for all of them.

        Everything accepted before the call is in. A key whose meter the seller does not have is left out.
        """
        keys: dict[Account, list[UsageKey]] = defaultdict(list)
        for account, key in wanted:
            keys[account].append(key)
        self._learn(keys)
        months = {
            month
            for account, some in keys.items()
            for key in some
            for month in months_of(account.id, key.meter_id, key.period, account.time_zone)
        }
        events = {
            month: [event for part in parts for event in records.events_of_chunk(part)]
            for month, parts in records.read_parts(self._store, months).items()
        }
        return {account.id: _totals_of(account, some, self._meters, events) for account, some in keys.items()}

    def _learn(self, keys: Mapping[Account, Sequence[UsageKey]]) -> None:
        wanted = {(account.entity_id, key.meter_id) for account, some in keys.items() for key in some}
        unread = sorted(wanted - self._meters.keys())
        if unread:
            found = self._store.get_many([records.meter_key(*key) for key in unread], consistent=True)
            for meter in map(records.meter_from, found.values()):
                self._meters[meter.entity_id, meter.id] = meter


def _totals_of(
    account: Account,
    keys: Iterable[UsageKey],
    meters: Mapping[Key, Meter],
    events: Mapping[MonthKey, Sequence[UsageEvent]],
) -> dict[UsageKey, Decimal]:
    totals = {}
    for key in keys:
        meter = meters.get((account.entity_id, key.meter_id))
        if meter is not None:
            months = months_of(account.id, key.meter_id, key.period, account.time_zone)
            inside = [event for month in months for event in events[month]]
            totals[key] = metered(inside, meter, key.period, account.time_zone)
    return totals


def _check(meter: Meter) -> None:
    problems = Problems()
    if not _METER_ID.fullmatch(meter.id):
        problems.add("id", "invalid_id", "a lower-case letter, then at most 63 letters, digits, dots, dashes or lines")
    if only_quoted(meter):
        problems.add("aggregation", "only_quoted", "quotes count so; what is stored for runs does not keep it yet")
    if (meter.aggregation is Aggregation.UNIQUE) != bool(meter.unique_by):
        problems.add("unique_by", "invalid_unique_by", "a unique meter names the property that it counts, others none")
    if not meter.names:
        problems.add("names", "missing", "a meter has a name")
    problems.refuse_if_any("the meter is not valid", "invalid_meter")
