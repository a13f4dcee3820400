"""Take usage of large accounts into files: lines in blocks, checked by the engine a million a second, or single events.

A block's plain lines go from the engine into one part for each account, event name and month. What is not plain goes
through the row-wise checks, so that both readers reject the same rows for the same reasons; what these accept joins the
others in the order of the lines.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from saldo.kernel.clock import Clock
from saldo.kernel.errors import Problem, Unavailable
from saldo.storage.files import Files
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.usage import partitions_lines as lines
from saldo.usage import records_partitions as records
from saldo.usage import rules_partitions as rules
from saldo.usage.ingest_blocks import Block
from saldo.usage.ingest_files import row_of_line
from saldo.usage.ingest_rows import UsageRow, event_from, rejected, subscription_named
from saldo.usage.model import LatePolicy, Meter, Repeats, UsageEvent, defined_id
from saldo.usage.partitions_engine import Engine
from saldo.usage.ports import Filed, FileDelivery, NumberedEvent
from saldo.usage.records import MonthKey, month_of
from saldo.usage.records_partitions import FilePart
from saldo.usage.records_windows import tell_late
from saldo.usage.rules_windows import policy_for

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

CONTENT_TYPE = "application/vnd.apache.parquet"
_MOST_ATTEMPTS = 6
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MONTH = "(year(happened) * 100 + month(happened))"
_PARTS = f"""
CREATE TEMP TABLE parts AS
SELECT row_number() OVER (ORDER BY account, meter, month) AS number, * FROM (
    SELECT account, meter, {_MONTH} AS month, count(*) AS events FROM passed GROUP BY ALL
)
"""
# Where an event's value may be left out, it counts as 1.
_SORTED_OUT = f"""
CREATE TEMP TABLE sorted_out AS
SELECT number, row, source, id, happened, coalesce(value, 1) AS value, properties
FROM passed p JOIN parts ON parts.account = p.account AND parts.meter = p.meter AND parts.month = {_MONTH}
"""


@dataclass(slots=True)
class _Table:
    """Table `good` while a delivery is taken: what of it passes, and what is known of it besides."""

    connection: DuckDBPyConnection
    folder: Path
    delivery: FileDelivery
    reading: lines.Reading
    late: set[MonthKey] = field(default_factory=set)


class UsageIntoFiles:
    """Takes usage into the files of one bucket; see `ports.UsageFiles`."""

    def __init__(self, store: Store, files: Files, clock: Clock, engine: Engine | None = None) -> None:
        self._store, self._files, self._clock = store, files, clock
        self._engine = engine or Engine()

    def take_lines(self, delivery: FileDelivery, block: Block) -> Filed:
        """See `ports.UsageFiles.take_lines`."""
        found = Filed()
        with self._engine.at_work() as (connection, folder):
            reading = lines.read(connection, folder, block)
            good = _Table(connection, folder, delivery, reading)
            key = lines.one_part(reading, delivery)
            if key is not None and reading.file is not None:
                self._keep(good, key, reading.file, reading.rows, found)
                return found
            lines.bound(connection, delivery)
            odd = lines.not_passed(connection, reading)
            if odd:
                every, first = reading.lines.read_bytes().split(b"\n"), block.first
                rows = [row for number in odd if (row := row_of_line(first + number, every[number]))]
                events = [(one.row.number - first, one) for one in _checked(delivery, rows, found)]
                self._add(good, events, found)
            self._store_parts(good, found)
        return found

    def take_events(self, delivery: FileDelivery, events: Sequence[NumberedEvent]) -> Filed:
        """See `ports.UsageFiles.take_events`."""
        found = Filed()
        with self._engine.at_work() as (connection, folder):
            good = _Table(connection, folder, delivery, lines.empty(connection))
            lines.bound(connection, delivery)
            self._add(good, list(enumerate(events)), found)
            self._store_parts(good, found)
        return found

    def _add(self, good: _Table, events: Sequence[tuple[int, NumberedEvent]], found: Filed) -> None:
        """Add events to the table but those that come too late or that a file cannot hold."""
        taken = []
        for number, one in events:
            problem, late = _objection(good.delivery, one.event)
            if problem:
                found.refused.append(rejected(one.row, problem))
                continue
            taken.append((number, one.event))
            found.late += late
            if late:
                good.late.add(month_of(one.event))
        if taken:
            lines.to_table(good.connection, good.reading)
            lines.add(good.connection, taken)

    def _store_parts(self, good: _Table, found: Filed) -> None:
        """Write what passes as parts, and put them on record. Files come first: what is on record can be read."""
        con = good.connection
        con.execute(_PARTS)
        con.execute(_SORTED_OUT)
        for number, account_id, name, month, count in con.execute("SELECT * FROM parts ORDER BY number").fetchall():
            self._keep(good, MonthKey(account_id, name, f"{month:06d}"), _written(good, number), count, found)

    def _keep(self, good: _Table, key: MonthKey, path: Path, count: int, found: Filed) -> None:
        self._list(good, key, self._put(good, key, path), count)
        found.accepted += count
        found.accounts.add(key.account_id)
        found.meters[key.meter_id] = found.meters.get(key.meter_id, 0) + count

    def _put(self, good: _Table, key: MonthKey, path: Path) -> str:
        """Put a part's file under the hash of its bytes: the same rows again are the same file again."""
        with path.open("rb") as file:
            name = hashlib.file_digest(file, "sha256").hexdigest()[:32]
            file.seek(0)
            self._files.put_from(records.file_key(good.delivery.entity_id, key, name), file, CONTENT_TYPE)
        return name

    def _list(self, good: _Table, key: MonthKey, name: str, count: int) -> None:
        """Put a part on record, after those that came before; once, however often it is written."""
        entity_id = good.delivery.entity_id
        for _ in range(_MOST_ATTEMPTS):
            before = self._store.get(*records.parts_key(key))
            parts = records.parts_from(before)
            if any(there.name == name for there in parts):
                return
            if len(parts) >= records.MOST_PARTS:
                raise Unavailable(f"{key.meter_id} of {key.account_id} in {key.month} lies in too many parts")
            at_us = max((self._clock() - _EPOCH) // _MICROSECOND, parts[-1].at_us if parts else 0)
            unit = Unit(f"part {name}")
            records.parts_unit(unit, entity_id, key, before, [*parts, FilePart(name, count, at_us)])
            if key in good.late:
                tell_late(unit, key.account_id, entity_id, [(key.meter_id, key.month)], good.delivery.at)
            if not self._store.write([unit]):
                return
        raise Unavailable("usage of the same account is coming in from elsewhere; repeat the file")


def _written(good: _Table, number: int) -> Path:
    """The file of one part."""
    path = good.folder / "part.parquet"
    rows = f"SELECT * EXCLUDE (number) FROM sorted_out WHERE number = {number}"
    good.connection.execute(f"COPY ({rows}) TO {rules.text(str(path))} {rules.PARQUET}")
    return path


def _checked(delivery: FileDelivery, rows: Sequence[UsageRow], found: Filed) -> list[NumberedEvent]:
    """Events of rows of these accounts that pass every check; the other rows are left."""
    good = []
    for row in rows:
        event = event_from(row, delivery.meters, delivery.at)
        sold = subscription_named(row, delivery.meters)
        named = isinstance(event, UsageEvent) and (not sold or sold in delivery.sold.get(event.account_id, ()))
        if named and isinstance(event, UsageEvent) and event.account_id in delivery.accounts:
            good.append(NumberedEvent(row, event))
        else:
            found.left.append(row)
    return good


def _objection(delivery: FileDelivery, event: UsageEvent) -> tuple[Problem | None, bool]:
    """Why an event is not taken, or whether it comes late."""
    if not rules.holds(event.value):
        says = f"files hold numbers below 10^{rules.INTEGER_DIGITS}, to {rules.FRACTION_DIGITS} digits after the point"
        return Problem("value", "unsupported_value", says), False
    closed_at = delivery.closed_at.get(event.account_id, {})
    meters = delivery.meters[event.meter_id]
    policy = policy_for([event], meters, closed_at) if closed_at else None
    if policy is LatePolicy.REJECT:
        says = f"{event.at.isoformat()} is in days that are billed, and its meter takes no late events"
        return Problem("at", "late", says), False
    return None, policy is not None or _may_correct(event, meters, closed_at)


def _may_correct(event: UsageEvent, meters: Sequence[Meter], closed_at: Mapping[str, datetime]) -> bool:
    """Whether it may be a correction of what a meter counted and now does not: that is seen only in the files."""
    names = {m.id for m in meters} if any(m.repeats is Repeats.LAST for m in meters) else {}
    return any(event.at < at for meter_id, at in closed_at.items() if defined_id(meter_id) in names)
