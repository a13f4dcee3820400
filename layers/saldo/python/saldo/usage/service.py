"""Meters: how usage is counted. What they counted is read in `totals.py`, rejected rows in `quarantine.py`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Problems, Refusal, Unavailable
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.usage import records
from saldo.usage.ingest import Ingest, IngestReport, meters_of
from saldo.usage.ingest_rows import MOST_PROPERTIES, UsageRow
from saldo.usage.model import Aggregation, LatePolicy, Meter
from saldo.usage.records import USAGE_PREFIX
from saldo.usage.records_partitions import accounts_from, keep_in_files, usage_files_key
from saldo.usage.rules import faults_of
from saldo.usage.totals import UsageTotals as UsageTotals

MOST_GRACE_S = 31 * 86_400
_METER_ID = re.compile(r"[a-z][a-z0-9_.-]{0,63}")


class Usage:
    """Meters and usage of one region."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._ingest = Ingest(store, clock)

    def define_meter(self, meter: Meter, actor: Actor) -> bool:
        """Put a meter on record; False when it stands there already.

        Names may change, and what becomes of late events; how it counts may not: Refusal `meter_is_fixed`. Raises
        Refusal `invalid_meter` with every fault of its definition.
        """
        _check(meter)
        there = self.meters_of(meter.entity_id).get(meter.id)
        if there == meter:
            return False
        if there and _counting(there) != _counting(meter):
            raise Refusal("meter_is_fixed", f"{meter.id} counts by {there.aggregation}; define another meter")
        record = AuditRecord(meter.entity_id, self._clock(), actor, "meter.defined", meter.id)
        unit = Unit(f"define {meter.id}").put(records.meter_item(meter)).put(audit_item(record))
        self._store.write_one(unit)
        return True

    def look(self, wanted: Sequence[Meter]) -> dict[str, str]:
        """What `define_meter` would make of them: new, changed or unchanged. Raises Refusal `invalid_price_list` naming
        every meter that counts otherwise than the one on record."""
        there = self.meters_of(wanted[0].entity_id) if wanted else {}
        problems, states = Problems(), dict[str, str]()
        for i, meter in enumerate(wanted):
            before = there.get(meter.id)
            try:
                _check(meter)
            except Refusal as refusal:
                problems.extend(refusal.problems, f"meters[{i}]")
            if before and _counting(before) != _counting(meter):
                message = f"{meter.id} counts by {before.aggregation} otherwise; define another meter"
                problems.add(f"meters[{i}].id", "meter_is_fixed", message)
            if meter.id in states:
                problems.add(f"meters[{i}].id", "not_unique", f"{meter.id!r} is there twice")
            states[meter.id] = "new" if before is None else "unchanged" if before == meter else "changed"
        problems.refuse_if_any("the meters cannot be put on record", "invalid_price_list")
        return states

    def keep_in_files(self, entity_id: str, account_id: str, actor: Actor) -> bool:
        """From now on an account's usage lies in files: for millions of events a month. False when it does already.

        For ever, and only for an account that has none yet: Refusal `has_usage`, since a total is counted in one place.
        """
        key = usage_files_key(entity_id)
        before = self._store.get(*key)
        if account_id in accounts_from(before):
            return False
        account = self._store.get(account_id, "account")
        if account is None or account["entity_id"] != entity_id:
            raise NotFound(f"no account {account_id} of this seller")
        if self._store.query(account_id, prefix=USAGE_PREFIX, limit=1).items:
            raise Refusal("has_usage", f"{account_id} has usage already, which lies in the table")
        record = AuditRecord(entity_id, self._clock(), actor, "usage.kept_in_files", account_id)
        unit = keep_in_files(Unit(f"files {account_id}"), entity_id, before, account_id).put(audit_item(record))
        if self._store.write_one(unit):
            raise Unavailable("the list of accounts with files is being changed; repeat")
        return True

    def meters_of(self, entity_id: str) -> dict[str, Meter]:
        """A seller's meters by id."""
        return meters_of(self._store, entity_id)

    def ingest(self, entity_id: str, rows: Sequence[UsageRow], *, origin: str, backfill: bool = False) -> IngestReport:
        """Store these rows' events, each once; see `Ingest.ingest`."""
        return self._ingest.ingest(entity_id, rows, origin=origin, backfill=backfill)


def _counting(meter: Meter) -> Meter:
    """How it counts, with all that may change left out."""
    shown = replace(meter, names={}, unit_names={}, group_by=())
    return replace(shown, counts=meter.event_name, grace_s=0, late=LatePolicy.CARRY)


def _check(meter: Meter) -> None:
    problems = Problems()
    for name, text in (("id", meter.id), ("counts", meter.event_name)):
        if not _METER_ID.fullmatch(text):
            problems.add(
                name, "invalid_id", "a lower-case letter, then at most 63 letters, digits, dots, dashes, lines"
            )
    for fault in faults_of(meter):
        problems.add(*fault)
    if (meter.aggregation is Aggregation.UNIQUE) != bool(meter.unique_by):
        problems.add("unique_by", "invalid_unique_by", "a unique meter names the property that it counts, others none")
    if not meter.names:
        problems.add("names", "missing", "a meter has a name")
    for name, values in meter.filters.items():
        if not name or not values:
            problems.add(f"filters.{name}", "empty_filter", "a filter names a property and the values that count")
    if len({*meter.filters, *meter.group_by, *filter(None, [meter.unique_by])}) > MOST_PROPERTIES:
        problems.add("filters", "too_many_properties", f"an event has at most {MOST_PROPERTIES} properties")
    if not 0 <= meter.grace_s <= MOST_GRACE_S:
        problems.add("grace_s", "out_of_range", f"from 0 to {MOST_GRACE_S} seconds")
    problems.refuse_if_any("the meter is not valid", "invalid_meter")
