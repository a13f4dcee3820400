"""Which runs should have closed by now, and which have stopped half-way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from saldo.audit.records import PREFIX as AUDIT_PREFIX
from saldo.audit.records import audit_record
from saldo.invoicing.run import records
from saldo.invoicing.run.model import Attempt, RunState
from saldo.kernel.clock import instant_from
from saldo.kernel.periods import zone_named
from saldo.storage.settings import EntityCycle
from saldo.storage.store import Store

LATE_AFTER = timedelta(hours=2)
STALE_AFTER = timedelta(hours=1)


def late_runs(store: Store, now: datetime, cycles: Sequence[EntityCycle]) -> list[str]:
    """Sellers whose run of today should have closed (cycle hour plus two hours, in their zone) and has not.

    A seller put on record after today's hour has its first run tomorrow; one not on record yet has none.
    """
    return [cycle.entity_id for cycle in cycles if _is_late(store, now, cycle)]


def _is_late(store: Store, now: datetime, cycle: EntityCycle) -> bool:
    local = now.astimezone(zone_named(cycle.time_zone))
    starts_at = local.replace(hour=cycle.hour, minute=0, second=0, microsecond=0)
    known_since = _on_record_since(store, cycle.entity_id)
    if local < starts_at + LATE_AFTER or known_since is None or known_since > starts_at:
        return False
    attempts = list(_attempts(store, cycle.entity_id, local.date().isoformat()))
    return not attempts or attempts[-1].state is not RunState.CLOSED


def _on_record_since(store: Store, entity_id: str) -> datetime | None:
    page = store.query(entity_id, prefix=AUDIT_PREFIX, limit=1)
    return audit_record(page.items[0]).at if page.items else None


def stale_attempts(store: Store, now: datetime, cycles: Sequence[EntityCycle]) -> list[Attempt]:
    """Attempts that are still open long after they began: their execution died, a new one takes them up."""
    found = []
    for cycle in cycles:
        page = store.query(cycle.entity_id, prefix="run#", newest_first=True, limit=1, consistent=True)
        for attempt in map(records.attempt_from, page.items):
            if attempt.is_one_off:
                continue
            if attempt.state is RunState.OPEN and now - instant_from(attempt.opened_at) > STALE_AFTER:
                found.append(attempt)
    return found


def _attempts(store: Store, entity_id: str, as_of: str) -> Iterator[Attempt]:
    """The attempts of the day's own run; those that staff asked for are staff's to repeat."""
    items = store.query_all(entity_id, prefix=f"run#{as_of}#", consistent=True)
    yield from (a for a in map(records.attempt_from, items) if not a.is_one_off)
