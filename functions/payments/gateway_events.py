"""Apply the gateway's events, each exactly once."""

from __future__ import annotations

from typing import Any

from functions.observed import count, observed
from functions.services import payments
from saldo.payments.queue import handle_messages


@observed("GatewayEvents")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """SQS batch of verified webhook bodies → {batchItemFailures: [{itemIdentifier}]}; safe to repeat."""
    again, outcomes = handle_messages(payments(), event["Records"])
    for outcome, times in outcomes.items():
        count(f"GatewayEvents{outcome.title()}", times)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in again]}
