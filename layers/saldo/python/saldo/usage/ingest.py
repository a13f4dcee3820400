"""Take usage events in: check each row, store each event once, set rejected rows aside with their reasons.

What is accepted is stored when the call returns. Every step may be repeated after a crash: events that lie there are
found by source and id, rejected rows have keys of their own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from saldo.kernel.clock import Clock
from saldo.kernel.errors import Problem, Unavailable
from saldo.kernel.periods import local_midnight
from saldo.kernel.regions import region_of
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.usage import records
from saldo.usage.ingest_blocks import Block
from saldo.usage.ingest_files import rows_of_block
from saldo.usage.ingest_months import Identity, Months, month_from, month_unit
from saldo.usage.ingest_rows import (
    PROPERTY_PREFIX,
    RejectedRow,
    UsageRow,
    account_named,
    by_event_name,
    event_from,
    rejected,
    subscription_named,
)
from saldo.usage.model import SUBSCRIPTION, LatePolicy, Meter, Repeats, UsageEvent
from saldo.usage.model_windows import Closings
from saldo.usage.ports import Filed, FileDelivery, NumberedEvent, UsageFiles
from saldo.usage.records import Batch, MonthKey, month_of
from saldo.usage.records_partitions import accounts_from, usage_files_key
from saldo.usage.records_quarantine import quarantine_item
from saldo.usage.records_windows import closings_from, closings_key, tell_late
from saldo.usage.rules_windows import latest, policy_for

_MOST_ATTEMPTS = 6
# With the longest ids and properties these still fit one transaction of 4 MB.
_MOST_EVENTS_PER_UNIT = 2_000
_ORIGIN_LENGTH = 24


@dataclass(slots=True)
class IngestReport:
    """What became of some rows: rows = accepted + duplicates + rejected. `meters`: accepted events per name.

    `late`: those of the accepted whose window is billed already; `corrections`: those that correct an earlier event.
    `accounts`: whose events they were, as far as they could be read.
    """

    rows: int = 0
    accepted: int = 0
    duplicates: int = 0
    late: int = 0
    corrections: int = 0
    rejected: list[RejectedRow] = field(default_factory=list)
    meters: dict[str, int] = field(default_factory=dict)
    accounts: set[str] = field(default_factory=set)

    def add(self, other: IngestReport) -> None:
        """Take in what became of other rows."""
        self.rows += other.rows
        self.accepted += other.accepted
        self.duplicates += other.duplicates
        self.late += other.late
        self.corrections += other.corrections
        self.rejected += other.rejected
        self.accounts |= other.accounts
        for name, count in other.meters.items():
            self.meters[name] = self.meters.get(name, 0) + count


@dataclass(frozen=True, slots=True)
class _Delivery:
    """Who sends, when it came in, and how events are counted."""

    entity_id: str
    origin: str
    at: datetime
    meters: Mapping[str, Sequence[Meter]]


class _Known(NamedTuple):
    """Of whom rows name: accounts that buy from the seller, (account, subscription) pairs that are on record, and all
    of the seller's accounts whose usage lies in files."""

    accounts: Collection[str]
    sold: Collection[tuple[str, str]]
    large: frozenset[str]


@dataclass(slots=True)
class _Sifted:
    """Of some rows of one month: events to store, whether some came late, and the report of all of them."""

    fresh: list[UsageEvent] = field(default_factory=list)
    report: IngestReport = field(default_factory=IngestReport)


class Ingest:
    """Takes the rows of one seller's producers. in_files: takes events of accounts whose usage lies in files; without
    it their rows are rejected (`only_by_file`)."""

    def __init__(self, store: Store, clock: Clock, in_files: UsageFiles | None = None) -> None:
        self._store, self._clock, self._in_files = store, clock, in_files

    def ingest(self, entity_id: str, rows: Sequence[UsageRow], *, origin: str, backfill: bool = False) -> IngestReport:
        """Store the events of these rows, each once; quarantine the others under `origin` (a file's hash, a batch id).

        The first event of a source and id counts; a repeat that says the same is a duplicate, one that says something
        else is rejected, or corrects it where its meter has it so. An event of a window that is billed is late, and
        its meter's policy decides. `backfill` marks old events that another system recorded; they are treated alike.
        Raises Unavailable when the table is too busy; repeating is safe.
        """
        report = IngestReport(rows=len(rows))
        mark = f"backfill/{origin}" if backfill else origin
        meters = by_event_name(meters_of(self._store, entity_id).values())
        delivery = _Delivery(entity_id, mark[:_ORIGIN_LENGTH], self._clock(), meters)
        known = self._known(delivery, rows)
        large = known.large
        good = self._checked(delivery, rows, known, report)
        for round_ in _rounds([one for one in good if one.event.account_id not in large]):
            self._store_round(delivery, round_, report)
        into_files = [one for one in good if one.event.account_id in large]
        if into_files and self._in_files:
            filing = self._file_delivery(delivery, large)
            _add_filed(report, self._in_files.take_events(filing, into_files))
        report.rejected.sort(key=lambda r: r.number)
        self._store.put_many([quarantine_item(entity_id, origin, r) for r in report.rejected])
        return report

    def ingest_lines(self, entity_id: str, block: Block, *, origin: str, backfill: bool = False) -> IngestReport:
        """The same of CloudEvents, one a line: of accounts whose usage lies in files all at once, of others by rows."""
        if self._in_files is None:
            return self.ingest(entity_id, rows_of(block), origin=origin, backfill=backfill)
        large = accounts_from(self._store.get(*usage_files_key(entity_id)))
        if not large:
            return self.ingest(entity_id, rows_of(block), origin=origin, backfill=backfill)
        meters = by_event_name(meters_of(self._store, entity_id).values())
        delivery = _Delivery(entity_id, origin, self._clock(), meters)
        filed = self._in_files.take_lines(self._file_delivery(delivery, large), block)
        report = self.ingest(entity_id, filed.left, origin=origin, backfill=backfill)
        report.rows += filed.accepted + len(filed.refused)
        _add_filed(report, filed)
        report.rejected.sort(key=lambda r: r.number)
        self._store.put_many([quarantine_item(entity_id, origin, r) for r in filed.refused])
        return report

    def _file_delivery(self, delivery: _Delivery, large: frozenset[str]) -> FileDelivery:
        items = self._store.get_many([closings_key(a) for a in sorted(large)], consistent=True)
        closed_at = {key[0]: closed_until(closings_from(key[0], item)) for key, item in items.items()}
        apart = any(m.by_subscription for some in delivery.meters.values() for m in some)
        sold = {a: frozenset(records.sold_to(self._store, a)) for a in sorted(large)} if apart else {}
        return FileDelivery(delivery.entity_id, large, delivery.at, delivery.meters, closed_at, sold)

    def _checked(
        self, delivery: _Delivery, rows: Sequence[UsageRow], known: _Known, report: IngestReport
    ) -> list[NumberedEvent]:
        good = []
        for row in rows:
            found = event_from(row, delivery.meters, delivery.at)
            problems = [] if isinstance(found, UsageEvent) else list(found)
            account_id, sold = account_named(row), subscription_named(row, delivery.meters)
            if account_id and account_id not in known.accounts:
                problems.append(_not_here(account_id, delivery.entity_id))
            elif account_id and sold and (account_id, sold) not in known.sold:
                problems.append(_not_sold(account_id, sold))
            if account_id in known.large and self._in_files is None:
                problems.append(Problem("account_id", "only_by_file", f"usage of {account_id} comes by file only"))
            if isinstance(found, UsageEvent) and not problems:
                good.append(NumberedEvent(row, found))
            else:
                report.rejected.append(rejected(row, *problems))
        return good

    def _known(self, delivery: _Delivery, rows: Iterable[UsageRow]) -> _Known:
        """What is known of whom these rows name."""
        in_files = usage_files_key(delivery.entity_id)
        named = {(account_named(row), subscription_named(row, delivery.meters)) for row in rows}
        accounts = sorted({(account_id, "account") for account_id, _ in named if account_id})
        sold = {records.subscription_key(*one): one for one in sorted(named) if all(one)}
        items = self._store.get_many([in_files, *accounts, *sold])
        large = accounts_from(items.pop(in_files, None))
        here = {key[0] for key in accounts if key in items and items[key]["entity_id"] == delivery.entity_id}
        return _Known(here, frozenset(one for key, one in sold.items() if key in items), large)

    def _store_round(
        self, delivery: _Delivery, round_: Mapping[MonthKey, Sequence[NumberedEvent]], report: IngestReport
    ) -> None:
        """Write each month's new events in one unit; a month that someone else moved on is read again and retried."""
        waiting = dict(round_)
        for _ in range(_MOST_ATTEMPTS):
            months, closed_at = self._read(waiting)
            units: dict[str, tuple[MonthKey, Unit | None, IngestReport]] = {}
            for key, numbered in waiting.items():
                found = _sift(delivery, key, numbered, months, closed_at.get(key.account_id, {}))
                unit = _unit(delivery, key, months, found) if found.fresh else None
                units[str(key)] = key, unit, found.report
            conflicts = {c.unit for c in self._store.write([unit for _, unit, _ in units.values() if unit])}
            for name, (key, _, part) in units.items():
                if name not in conflicts:
                    report.add(part)
                    del waiting[key]
            if not waiting:
                return
        raise Unavailable("usage of the same accounts is coming in from elsewhere; repeat the batch")

    def _read(self, waiting: Iterable[MonthKey]) -> tuple[Months, dict[str, dict[str, datetime]]]:
        """These months with their neighbours, and by account and meter up to when usage is billed."""
        nearby = {near for key in waiting for near in (key, *key.neighbours())}
        accounts = sorted({key.account_id for key in waiting})
        parts, items = records.read_parts(self._store, nearby, [closings_key(a) for a in accounts])
        closed_at = {a: closed_until(closings_from(a, items.get(closings_key(a)))) for a in accounts}
        return {key: month_from(some) for key, some in parts.items()}, closed_at


def rows_of(block: Block) -> list[UsageRow]:
    """The rows of a block's lines."""
    return rows_of_block(block.path.read_bytes(), block.first)


def closed_until(closings: Closings) -> dict[str, datetime]:
    """Up to when usage is billed, by meter."""
    return {meter_id: local_midnight(w.billed_until, w.zone) for meter_id, w in latest(closings.windows).items()}


def _add_filed(report: IngestReport, filed: Filed) -> None:
    report.accepted += filed.accepted
    report.late += filed.late
    report.rejected += filed.refused
    report.accounts |= filed.accounts
    for name, count in filed.meters.items():
        report.meters[name] = report.meters.get(name, 0) + count


def meters_of(store: Store, entity_id: str) -> dict[str, Meter]:
    """A seller's meters by id."""
    found = (records.meter_from(item) for item in store.query_all(entity_id, prefix=records.METER_PREFIX))
    return {meter.id: meter for meter in found}


def _not_here(account_id: str, entity_id: str) -> Problem:
    parts = account_id.split("_", 2)
    if len(parts) == 3 and parts[1] != region_of(entity_id):
        return Problem("account_id", "other_region", f"{account_id} lives in region {parts[1]}; import its usage there")
    return Problem("account_id", "unknown_account", f"no account {account_id} of this seller")


def _not_sold(account_id: str, subscription_id: str) -> Problem:
    reason = f"{account_id} has no subscription {subscription_id}"
    return Problem(PROPERTY_PREFIX + SUBSCRIPTION, "unknown_subscription", reason)


def _rounds(events: Sequence[NumberedEvent]) -> Iterator[dict[MonthKey, list[NumberedEvent]]]:
    """Events by month, in rounds that touch each account and name in one month only.

    Months of one account and name depend on their neighbours, so they are written after each other.
    """
    months: dict[MonthKey, list[NumberedEvent]] = defaultdict(list)
    for numbered in events:
        months[month_of(numbered.event)].append(numbered)
    queues: dict[tuple[str, str], list[tuple[MonthKey, list[NumberedEvent]]]] = defaultdict(list)
    for key in sorted(months):
        some = months[key]
        for at in range(0, len(some), _MOST_EVENTS_PER_UNIT):
            queues[key.account_id, key.meter_id].append((key, some[at : at + _MOST_EVENTS_PER_UNIT]))
    for depth in range(max(map(len, queues.values()), default=0)):
        yield dict(queue[depth] for queue in queues.values() if depth < len(queue))


def _sift(
    delivery: _Delivery,
    key: MonthKey,
    numbered: Sequence[NumberedEvent],
    months: Months,
    closed_at: Mapping[str, datetime],
) -> _Sifted:
    """Events not there yet, and the report of all of them. What repeats an event in any of its versions is a repeat."""
    found, here = _Sifted(), months[key].known
    meters = delivery.meters[key.meter_id]
    corrects = any(m.repeats is Repeats.LAST for m in meters)
    fresh: dict[Identity, list[UsageEvent]] = {}
    for one in numbered:
        event, identity = one.event, (one.event.source, one.event.id)
        near = next((months[n].known[identity] for n in key.neighbours() if identity in months[n].known), [])
        versions = [*near, *here.get(identity, ()), *fresh.get(identity, ())]
        if event in versions:
            found.report.duplicates += 1
            continue
        policy = policy_for([event, *versions], meters, closed_at) if closed_at else None
        problem = _objection(event, versions, near, corrects, policy)
        if problem:
            found.report.rejected.append(rejected(one.row, problem))
            continue
        fresh.setdefault(identity, []).append(event)
        found.fresh.append(event)
        found.report.late += policy is not None
        found.report.corrections += bool(versions)
    found.report.accepted = len(found.fresh)
    found.report.meters = {key.meter_id: len(found.fresh)} if found.fresh else {}
    found.report.accounts = {key.account_id}
    return found


def _objection(
    event: UsageEvent,
    versions: Sequence[UsageEvent],
    near: Sequence[UsageEvent],
    corrects: bool,
    policy: LatePolicy | None,
) -> Problem | None:
    """Why an event that is not there yet is not taken. A correction stays in the month (UTC) of what it corrects."""
    if versions and not corrects:
        return Problem("id", "differs_from_first", "an event of this source and id came before and says otherwise")
    if near:
        return Problem("at", "other_month", "the event that this one corrects lies in the month next to it")
    if policy is LatePolicy.REJECT:
        return Problem(
            "at", "late", f"{event.at.isoformat()} is in days that are billed, and its meter takes no late events"
        )
    return None


def _unit(delivery: _Delivery, key: MonthKey, months: Months, found: _Sifted) -> Unit:
    batch = Batch(delivery.at, delivery.origin, len(found.fresh))
    corrected = any(m.repeats is Repeats.LAST for m in delivery.meters[key.meter_id])
    unit = month_unit(key, months, found.fresh, batch, corrected=corrected)
    if found.report.late:
        tell_late(unit, key.account_id, delivery.entity_id, [(key.meter_id, key.month)], delivery.at)
    return unit
