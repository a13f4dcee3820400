"""Apply the gateway's events, each exactly once."""

from __future__ import annotations

from typing import Any

from functions.observed import count, observed
from functions.services import clock, payments
from saldo.payments.model import Outcome
from saldo.payments.queue import handle_messages


@observed("GatewayEvents")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """SQS batch of verified webhook bodies → {batchItemFailures: [{itemIdentifier}]}; safe to repeat."""
    handled = handle_messages(payments(), event["Records"], clock())
    for outcome, times in handled.outcomes.items():
        count(f"GatewayEvents{outcome.title()}", times)
    count("GatewayNews", handled.outcomes[Outcome.APPLIED] - handled.late)
    count("GatewayNewsLate", handled.late + handled.outcomes[Outcome.PARKED] + len(handled.again))
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in handled.again]}
