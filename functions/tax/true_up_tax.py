"""Daily, for each seller: ask the tax service again about invoices whose tax was estimated."""

from __future__ import annotations

from typing import Any

from functions.daily import part_of
from functions.observed import count, observed
from functions.services import true_ups

# Each is a question to the service, which may take seconds, and at worst a credit note and a new invoice.
AT_ONCE = 50


@observed("TrueUpTax")
def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    """{entity_id, as_of}, or a part of it → {parts, outcome: how many}; what still waits raises the metric that the
    alarm watches. Safe to repeat. Without a tax service there is nothing to ask."""
    jobs = true_ups()
    if jobs is None:
        return {}
    part = part_of(event, lambda entity_id, _: jobs.due(entity_id), AT_ONCE)
    counted = jobs.run(part.entity_id, part.keys)
    count("TaxTrueUpsWaiting", counted["unavailable"] + counted["refused"])
    return {"parts": part.sent, **counted}
