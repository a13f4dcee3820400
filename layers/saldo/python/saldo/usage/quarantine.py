"""Rejected rows: look at them, repair them, try them again, drop them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Problems, Refusal
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.usage import records_quarantine as records
from saldo.usage.ingest import Ingest, IngestReport
from saldo.usage.ingest_rows import COLUMNS, PROPERTY_PREFIX
from saldo.usage.model_quarantine import HeldRow, Replayed

_MOST_ROWS = 10_000


class Quarantine:
    """The rows that one region's sellers could not accept."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._ingest = Ingest(store, clock)

    def origin_named(self, entity_id: str, text: str) -> str:
        """The one origin of held rows that begins so. NotFound without it, Refusal `ambiguous_origin` with several."""
        found = {h.origin for h in records.held_rows(self._store, entity_id) if h.origin.startswith(text)}
        if not found:
            raise NotFound(f"nothing of {text} is in the quarantine")
        if len(found) > 1 and text not in found:
            raise Refusal("ambiguous_origin", f"{text} begins {len(found)} origins; write more of it")
        return text if text in found else found.pop()

    def rows(self, entity_id: str, *, origin: str = "", code: str = "") -> list[HeldRow]:
        """Rows held of a seller, by origin and row; of one origin, or with one problem, where asked."""
        held = records.held_rows(self._store, entity_id, origin)
        return [h for h in held if not code or any(p.code == code for p in h.problems)]

    def repair(self, entity_id: str, origin: str, row: int, fields: Mapping[str, str], actor: Actor) -> HeldRow:
        """Give a row other fields ("" takes one away); it stays until it is replayed.

        The row's own text is kept. NotFound without such a row; Refusal `invalid_input` for an unknown field, and
        `repaired_meanwhile` when someone else was faster.
        """
        _check(fields)
        held = self._row(entity_id, origin, row)
        item = records.repaired(held, {n: v for n, v in {**held.row.fields, **fields}.items() if v})
        audit = AuditRecord(entity_id, self._clock(), actor, "usage.row_repaired", f"{origin}#{row}")
        unit = Unit(f"repair {origin} {row}").put(item, when=records.as_before(held)).put(audit_item(audit))
        if self._store.write_one(unit) is not None:
            raise Refusal("repaired_meanwhile", "someone else repaired or replayed this row; look at it again")
        return records.held_row_from(item)

    def replay(self, entity_id: str, *, origin: str = "", rows: Collection[int] = ()) -> Replayed:
        """Try rows again, of one origin or all of them. Those that are accepted, or were before, leave the quarantine;
        the others stay with the problems they have now. Doing it twice changes nothing."""
        held = [h for h in self.rows(entity_id, origin=origin) if not rows or h.row.number in rows]
        by_origin: dict[str, list[HeldRow]] = defaultdict(list)
        for one in held[:_MOST_ROWS]:
            by_origin[one.origin].append(one)
        report = IngestReport()
        for name, some in by_origin.items():
            report.add(self._replay(entity_id, name, some))
        tried = min(len(held), _MOST_ROWS)
        again = {(h.origin, h.row.number) for h in self.rows(entity_id, origin=origin)}
        left = [h for h in held[:_MOST_ROWS] if (h.origin, h.row.number) in again]
        return Replayed(tried, report.accepted, report.duplicates, tried - len(left), tuple(left))

    def drop(self, entity_id: str, origin: str, row: int, reason: str, actor: Actor) -> None:
        """Let a row go that nobody will repair, with the reason on record. NotFound without it."""
        if not reason.strip():
            raise Refusal("reason_missing", "say why this row is dropped")
        held = self._row(entity_id, origin, row)
        audit = AuditRecord(entity_id, self._clock(), actor, "usage.row_dropped", f"{origin}#{row}", reason=reason)
        (key,) = records.keys_of([held])
        unit = Unit(f"drop {origin} {row}").delete(key, when=records.as_before(held)).put(audit_item(audit))
        if self._store.write_one(unit) is not None:
            raise Refusal("repaired_meanwhile", "someone else repaired or replayed this row; look at it again")

    def _replay(self, entity_id: str, origin: str, held: Sequence[HeldRow]) -> IngestReport:
        readable = [h for h in held if h.row.fields]
        report = self._ingest.ingest(entity_id, [h.row for h in readable], origin=origin)
        rejected = {r.number for r in report.rejected}
        done = [h for h in readable if h.row.number not in rejected]
        units = [
            Unit(f"release {key}").delete(key, when=records.as_before(h))
            for h, key in zip(done, records.keys_of(done), strict=True)
        ]
        self._store.write(units)
        return report

    def _row(self, entity_id: str, origin: str, row: int) -> HeldRow:
        item = self._store.get(*records.quarantine_key(entity_id, origin, row))
        if item is None:
            raise NotFound(f"no row {row} of {origin} in the quarantine")
        return records.held_row_from(item)


def _check(fields: Mapping[str, str]) -> None:
    problems = Problems()
    for name in fields:
        if name not in COLUMNS and not name.startswith(PROPERTY_PREFIX):
            problems.add(name, "unknown_field", f"fields are {', '.join(COLUMNS)} and {PROPERTY_PREFIX}<name>")
    problems.refuse_if_any("the row cannot be repaired like that")
