"""Looks for runs that are late, takes up runs that died, and counts what waits for the seller's people."""

from __future__ import annotations

from typing import Any

from functions.observed import count, logger, observed
from functions.services import clock, run_starter, settings, store, waiting
from saldo.invoicing.run.watch import late_runs, stale_attempts


@observed("WatchRuns")
def handler(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{} → {late: entity ids, resumed: run ids}; a late run raises the metric that the alarm watches.

    Queues are counted when the stream tells of a change; what it missed, or an index that was behind, is found here.
    """
    late = late_runs(store(), clock(), settings().entities)
    stale = stale_attempts(store(), clock(), settings().entities)
    for attempt in stale:
        run_starter().start(attempt.entity_id, attempt.as_of.isoformat())
        logger().warning("a run that had stopped is started again", extra={"run_id": attempt.run_id})
    count("RunsDue", len(settings().entities))
    count("LateRuns", len(late))
    for cycle in settings().entities:
        waiting().count(cycle.entity_id)
    return {"late": late, "resumed": [a.run_id for a in stale]}
