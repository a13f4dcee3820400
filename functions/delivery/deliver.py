"""Send an issued invoice, the receipt of a settled payment, a reminder, a note or an alert by mail."""

from __future__ import annotations

import json
from typing import Any

from functions.observed import count, logger, observed, take_up
from functions.services import deliveries
from saldo.kernel.errors import Unavailable

# Which document an event brings about, and which of its fields names it.
_DOCUMENTS = {
    "invoice.issued": ("invoice", "invoice_id"),
    "credit_note.issued": ("credit_note", "credit_note_id"),
    "payment.settled": ("receipt", "payment_id"),
    "reminder.issued": ("reminder", "reminder_id"),
    "note.written": ("note", "note_id"),
    "usage.threshold_reached": ("alert", "correlation_id"),
}


@observed("DeliverDocument")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """SQS messages, each an EventBridge event → batchItemFailures: those to try again. A repeat sends nothing twice."""
    again = [record["messageId"] for record in event["Records"] if not _delivered(record)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in again]}


def _delivered(record: dict[str, Any]) -> bool:
    """False when this message should come again."""
    try:
        _deliver(json.loads(record["body"]))
    except Unavailable as outage:
        logger().warning("DeliveryPostponed", extra={"reason": str(outage)})
        return False
    except Exception:  # one broken message must not hold up the others of its batch
        logger().exception("DeliveryBroke")
        return False
    return True


def _deliver(event: dict[str, Any]) -> None:
    if event["detail-type"] not in _DOCUMENTS:
        return
    kind, field = _DOCUMENTS[event["detail-type"]]
    detail = event["detail"]
    take_up(detail["correlation_id"], account_id=detail["account_id"])
    document = detail["account_id"], kind, detail[field], detail["correlation_id"]
    delivery = deliveries().deliver(*document)
    copies = deliveries().deliver_copies(*document)
    outcome = delivery.status.value if delivery else "not_wanted"
    logger().info("DocumentDelivery", extra={"document_id": detail[field], "outcome": outcome})
    outcomes = [outcome, *(copy.status.value for copy in copies)]
    count("DocumentsSent", outcomes.count("sent"))
    count("DeliveriesFailed", outcomes.count("failed"))
