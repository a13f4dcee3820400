"""Take accepted batches of usage events in from the queue, and look at the thresholds of the accounts concerned."""

from __future__ import annotations

import json
from typing import Any

from functions.observed import count, logger, observed, take_up
from functions.services import usage_ingest
from functions.usage.watching import watched
from saldo.kernel.errors import Unavailable
from saldo.usage.accept import take_in
from saldo.usage.ingest import IngestReport


@observed("IngestUsage")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """SQS messages, each a batch → batchItemFailures: those to try again. A repeat counts nothing twice."""
    about: set[str] = set()
    reports = {record["messageId"]: _taken_in(record, about) for record in event["Records"]}
    logger().append_keys(correlation_ids=sorted(about))
    accounts = {account for report in reports.values() if report for account in report.accounts}
    looked_at = not accounts or watched(accounts)
    again = [message_id for message_id, report in reports.items() if report is None or not looked_at]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in again]}


def _taken_in(record: dict[str, Any], about: set[str]) -> IngestReport | None:
    """None when this message should come again, and in the end be kept as a dead letter. about: grows by the id of the
    request that brought it."""
    try:
        message = json.loads(record["body"])
        if "correlation_id" in message:
            take_up(message["correlation_id"])
            about.add(message["correlation_id"])
        report = take_in(usage_ingest(), message)
    except Unavailable as outage:
        logger().warning("IngestPostponed", extra={"reason": str(outage)})
        return None
    except Exception:  # one broken message must not hold up the others of its batch
        logger().exception("IngestBroke")
        return None
    count("UsageEventsStored", report.accepted)
    count("UsageRowsRejected", len(report.rejected))
    return report
