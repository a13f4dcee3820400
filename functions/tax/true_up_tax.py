"""Daily: ask the tax service again about invoices whose tax was estimated."""

from __future__ import annotations

from collections import Counter
from typing import Any

from functions.observed import count, observed
from functions.services import settings, true_ups


@observed("TrueUpTax")
def handler(_event: dict[str, Any], _context: object) -> dict[str, int]:
    """{} → {outcome: how many}; what still waits raises the metric that the alarm watches. Safe to repeat."""
    jobs = true_ups()
    counted: Counter[str] = Counter()
    for cycle in settings().entities if jobs else ():
        counted += jobs.run(cycle.entity_id) if jobs else Counter()
    count("TaxTrueUpsWaiting", counted["unavailable"] + counted["refused"])
    return dict(counted)
