"""Take accepted batches of usage events in from the queue, and look at the thresholds of the accounts concerned."""

from __future__ import annotations

import json
from typing import Any

from functions.observed import count, logger, observed
from functions.services import usage_ingest
from saldo.kernel.errors import Unavailable
from saldo.usage.accept import take_in


@observed("IngestUsage")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """SQS messages, each a batch → batchItemFailures: those to try again. A repeat counts nothing twice."""
    again = [record["messageId"] for record in event["Records"] if not _taken_in(record)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in again]}


def _taken_in(record: dict[str, Any]) -> bool:
    """False when this message should come again, and in the end be kept as a dead letter."""
    try:
        report = take_in(usage_ingest(), json.loads(record["body"]))
    except Unavailable as outage:
        logger().warning("IngestPostponed", extra={"reason": str(outage)})
        return False
    except Exception:  # one broken message must not hold up the others of its batch
        logger().exception("IngestBroke")
        return False
    count("UsageEventsStored", report.accepted)
    count("UsageRowsRejected", len(report.rejected))
    return True
