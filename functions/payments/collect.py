"""Daily, for each seller: what its customers have allowed or asked to be collected."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from functions.daily import part_of
from functions.observed import count, observed
from functions.services import collecting, keeping
from saldo.promises.records import PREFIX as PROMISES
from saldo.storage.items import Key

# Each debit that starts is a call or two to the gateway.
AT_ONCE = 100


@observed("CollectPayments")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{entity_id, as_of}, or a part of it → {parts, announced, started, skipped, failed, unanswered, warned,
    scheduled_started, scheduled_failed, promises}; `as_of`: a date, or the scheduled instant. Safe to repeat; makes up
    for days that were missed. Promises come last: an instalment whose charge has just started is not missed.
    """
    part = part_of(event, _due, AT_ONCE)
    report = {"parts": part.sent, **collecting().collect(part.entity_id, part.as_of, part.keys)}
    promises = [key for key in part.keys if key[1].startswith(PROMISES)]
    kept = asdict(keeping().run(part.entity_id, date.fromisoformat(part.as_of), promises))
    report["promises"], report["unanswered"] = kept, report["unanswered"] + kept.pop("unanswered")
    failed = report["failed"] + report["scheduled_failed"]
    count("DebitsFailed", failed)
    count("DebitsDue", failed + report["started"] + report["scheduled_started"])
    count("PaymentsUnanswered", len(report["unanswered"]))
    return report


def _due(entity_id: str, on: date) -> list[Key]:
    """Account by account, so that one part has all of it."""
    return sorted({*collecting().due(entity_id, on), *keeping().due(entity_id)})
