"""Take usage events in: check each row, store each event once, set rejected rows aside with their reasons.

What is accepted is stored when the call returns. Every step may be repeated after a crash: events that lie there are
found by source and id, rejected rows have keys of their own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from saldo.kernel.clock import Clock
from saldo.kernel.errors import Problem, Unavailable
from saldo.kernel.regions import region_of
from saldo.storage.items import Item
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.usage import records
from saldo.usage.ingest_rows import RejectedRow, UsageRow, account_named, event_from
from saldo.usage.model import Meter, UsageEvent
from saldo.usage.records import MonthKey, month_of

_MOST_ATTEMPTS = 6
# With the longest ids and properties these still fit one transaction of 4 MB.
_MOST_EVENTS_PER_UNIT = 2_000

Identity = tuple[str, str]


@dataclass(slots=True)
class IngestReport:
    """What became of some rows: rows = accepted + duplicates + rejected. `meters`: accepted events per meter."""

    rows: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: list[RejectedRow] = field(default_factory=list)
    meters: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Numbered:
    row: UsageRow
    event: UsageEvent


@dataclass(slots=True)
class _Month:
    """One month's chunk as read: every event by identity, the last part's events in order."""

    parts: int = 0
    version: int = 0
    known: dict[Identity, UsageEvent] = field(default_factory=dict)
    last: list[UsageEvent] = field(default_factory=list)


class Ingest:
    """Takes the rows of one seller's producers."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def ingest(self, entity_id: str, rows: Sequence[UsageRow], *, origin: str) -> IngestReport:
        """Store the events of these rows, each once; quarantine the others under `origin` (a file's hash, a batch id).

        The first event of a source and id counts; a repeat that says the same is a duplicate, one that says
        something else is rejected. Raises Unavailable when the table is too busy; repeating is safe.
        """
        report = IngestReport(rows=len(rows))
        events = self._checked(entity_id, rows, report)
        for round_ in _rounds(events):
            self._store_round(round_, report)
        report.rejected.sort(key=lambda r: r.number)
        self._quarantine(entity_id, origin, report.rejected)
        return report

    def _checked(self, entity_id: str, rows: Sequence[UsageRow], report: IngestReport) -> list[_Numbered]:
        meters = meters_of(self._store, entity_id)
        known = self._known_accounts(entity_id, {account_named(row) for row in rows} - {""})
        now, good = self._clock(), []
        for row in rows:
            found = event_from(row, meters, now)
            problems = [] if isinstance(found, UsageEvent) else list(found)
            account_id = account_named(row)
            if account_id and account_id not in known:
                problems.append(_not_here(account_id, entity_id))
            if isinstance(found, UsageEvent) and not problems:
                good.append(_Numbered(row, found))
            else:
                report.rejected.append(RejectedRow(row.number, row.text, tuple(problems)))
        return good

    def _known_accounts(self, entity_id: str, account_ids: Iterable[str]) -> set[str]:
        """Those accounts that buy from this seller."""
        items = self._store.get_many([(account_id, "account") for account_id in sorted(account_ids)])
        return {item["pk"] for item in items.values() if item["entity_id"] == entity_id}

    def _store_round(self, round_: Mapping[MonthKey, Sequence[_Numbered]], report: IngestReport) -> None:
        """Write each month's new events in one unit; a month that someone else moved on is read again and retried."""
        waiting = dict(round_)
        for _ in range(_MOST_ATTEMPTS):
            nearby = {near for key in waiting for near in (key, *key.neighbours())}
            months = {key: _month_from(parts) for key, parts in records.read_parts(self._store, nearby).items()}
            units: dict[str, tuple[MonthKey, Unit | None, IngestReport]] = {}
            for key, numbered in waiting.items():
                fresh, part = _sift(key, numbered, months)
                unit = _month_unit(key, months, fresh) if fresh else None
                units[str(key)] = key, unit, part
            conflicts = {c.unit for c in self._store.write([unit for _, unit, _ in units.values() if unit])}
            for name, (key, _unit, part) in units.items():
                if name not in conflicts:
                    _merge(report, part)
                    del waiting[key]
            if not waiting:
                return
        raise Unavailable("usage of the same accounts is coming in from elsewhere; repeat the batch")

    def _quarantine(self, entity_id: str, origin: str, rejected: Sequence[RejectedRow]) -> None:
        self._store.put_many(
            [
                records.quarantine_item(entity_id, origin, r.number, r.text, [p.as_dict() for p in r.problems])
                for r in rejected
            ]
        )


def meters_of(store: Store, entity_id: str) -> dict[str, Meter]:
    """A seller's meters by id."""
    found = (records.meter_from(item) for item in store.query_all(entity_id, prefix=records.METER_PREFIX))
    return {meter.id: meter for meter in found}


def _not_here(account_id: str, entity_id: str) -> Problem:
    parts = account_id.split("_", 2)
    if len(parts) == 3 and parts[1] != region_of(entity_id):
        return Problem("account_id", "other_region", f"{account_id} lives in region {parts[1]}; import its usage there")
    return Problem("account_id", "unknown_account", f"no account {account_id} of this seller")


def _rounds(events: Sequence[_Numbered]) -> Iterator[dict[MonthKey, list[_Numbered]]]:
    """Events by month, in rounds that touch each account and meter in one month only.

    Months of one account and meter depend on their neighbours, so they are written after each other.
    """
    months: dict[MonthKey, list[_Numbered]] = defaultdict(list)
    for numbered in events:
        months[month_of(numbered.event)].append(numbered)
    queues: dict[tuple[str, str], list[tuple[MonthKey, list[_Numbered]]]] = defaultdict(list)
    for key in sorted(months):
        some = months[key]
        for at in range(0, len(some), _MOST_EVENTS_PER_UNIT):
            queues[key.account_id, key.meter_id].append((key, some[at : at + _MOST_EVENTS_PER_UNIT]))
    for depth in range(max(map(len, queues.values()), default=0)):
        yield dict(queue[depth] for queue in queues.values() if depth < len(queue))


def _sift(
    key: MonthKey, numbered: Sequence[_Numbered], months: Mapping[MonthKey, _Month]
) -> tuple[list[UsageEvent], IngestReport]:
    """Events not there yet, and the report of all of them."""
    part = IngestReport()
    nearby = [months[near].known for near in (key, *key.neighbours())]
    fresh: dict[Identity, UsageEvent] = {}
    for one in numbered:
        event = one.event
        identity = (event.source, event.id)
        first = next((known[identity] for known in (*nearby, fresh) if identity in known), None)
        if first is None:
            fresh[identity] = event
        elif first == event:
            part.duplicates += 1
        else:
            problem = Problem(
                "id", "differs_from_first", "an event of this source and id came before and says otherwise"
            )
            part.rejected.append(RejectedRow(one.row.number, one.row.text, (problem,)))
    part.accepted = len(fresh)
    part.meters = {key.meter_id: len(fresh)} if fresh else {}
    return list(fresh.values()), part


def _merge(report: IngestReport, part: IngestReport) -> None:
    report.accepted += part.accepted
    report.duplicates += part.duplicates
    report.rejected += part.rejected
    for meter_id, count in part.meters.items():
        report.meters[meter_id] = report.meters.get(meter_id, 0) + count


def _month_from(parts: Sequence[Item]) -> _Month:
    month = _Month(parts=len(parts), version=parts[0]["version"] if parts else 0)
    for part in parts:
        month.last = records.events_of_chunk(part)
        month.known |= {(e.source, e.id): e for e in month.last}
    return month


def _month_unit(key: MonthKey, months: Mapping[MonthKey, _Month], fresh: Sequence[UsageEvent]) -> Unit:
    """Append events to a month: its last part again, further ones, part 0 with the next version.

    The unit holds only while the month and its neighbours are as they were read: nobody has stored the same event
    meanwhile.
    """
    month = months[key]
    unit = Unit(str(key))
    at = max(month.parts - 1, 0)
    packed = records.pack([*month.last, *fresh])
    head = {"parts": at + len(packed), "version": month.version + 1}
    seen = {"version": month.version or None}
    for number, (events, count) in enumerate(packed, at):
        item = records.part_item(key, number, events, count)
        if number == 0:
            unit.put(item | head, when=seen)
        else:
            unit.put(item)
    if at > 0:
        unit.update(key.part(0), set=head, when=seen)
    for near in key.neighbours():
        version = months[near].version
        unit.require(near.part(0), when={"version": version or None}, exists=bool(version))
    return unit
