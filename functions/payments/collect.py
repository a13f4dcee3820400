"""Daily, for each seller: what its customers have allowed or asked to be collected."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from functions.observed import count, observed
from functions.services import collecting, keeping


@observed("CollectPayments")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{entity_id, as_of, shard?} → {announced, started, skipped, failed, unanswered, warned, scheduled_started,
    scheduled_failed, promises}; `as_of`: a date, or the scheduled instant. Safe to repeat; makes up for days that were
    missed. Promises come last: an instalment whose charge has just started is not missed.
    """
    report = collecting().collect(event["entity_id"], event["as_of"], event.get("shard"))
    kept = asdict(keeping().run(event["entity_id"], date.fromisoformat(report["on"])))
    report["promises"], report["unanswered"] = kept, report["unanswered"] + kept.pop("unanswered")
    failed = report["failed"] + report["scheduled_failed"]
    count("DebitsFailed", failed)
    count("DebitsDue", failed + report["started"] + report["scheduled_started"])
    count("PaymentsUnanswered", len(report["unanswered"]))
    return report
