"""Accept a batch of usage events: within its producer's limit, it waits on the queue."""

from __future__ import annotations

from typing import Any

from functions import tracing
from functions.observed import count, observed
from functions.services import usage_acceptance
from saldo.kernel.errors import Refusal


@observed("AcceptUsage")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{entity_id, producer, body} → {batch_id, events, left}, or {refused: {code, message, retry_after_s, …}}."""
    try:
        batch = event["entity_id"], event["producer"], event["body"], tracing.carried().get("correlation_id", "")
        accepted = usage_acceptance().accept_batch(*batch)
    except Refusal as refusal:
        count("UsageBatchesRefused")
        told = {"code": refusal.code, "message": refusal.message, "problems": []}
        return {"refused": told | {"retry_after_s": getattr(refusal, "retry_after_s", 0)}}
    count("UsageEventsAccepted", accepted.events)
    return accepted.as_dict()
