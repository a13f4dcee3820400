"""Make files of many documents, each asked for on a page."""

from __future__ import annotations

import json
from typing import Any

from functions.observed import logger, observed, take_up
from functions.services import bundle_maker


@observed("MakeBundles")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """SQS messages, each the event `bundle.asked` → batchItemFailures: those to make again. Safe to repeat."""
    again = [record["messageId"] for record in event["Records"] if not _made(record)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in again]}


def _made(record: dict[str, Any]) -> bool:
    """False when this message should come again."""
    try:
        detail = json.loads(record["body"])["detail"]
        take_up(detail["correlation_id"], account_id=detail["account_id"])
        bundle = bundle_maker().make(detail["account_id"], detail["bundle_id"])
    except Exception:  # one broken message must not hold up the others of its batch
        logger().exception("BundleBroke")
        return False
    logger().info("BundleMade", extra={"documents": bundle.done, "left_out": len(bundle.left_out), "size": bundle.size})
    return True
