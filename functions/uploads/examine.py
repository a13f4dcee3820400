"""Look at files that browsers laid into the bucket of uploads."""

from __future__ import annotations

import json
from typing import Any

from functions.observed import count, logger, observed
from functions.services import upload_work
from saldo.kernel.errors import Unavailable


@observed("ExamineUploads")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """SQS messages, each S3's own event → batchItemFailures: those to look at again. Safe to repeat."""
    again = [record["messageId"] for record in event["Records"] if not _examined(record)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in again]}


def _examined(record: dict[str, Any]) -> bool:
    """False when this message should come again."""
    try:
        upload = upload_work().examine(json.loads(record["body"])["detail"]["object"]["key"])
    except Unavailable as outage:
        logger().warning("UploadPostponed", extra={"reason": str(outage)})
        return False
    except Exception:  # one broken message must not hold up the others of its batch
        logger().exception("UploadBroke")
        return False
    if upload is not None:
        told = {"upload_id": upload.id, "state": upload.state.value, "reason": upload.reason, "size": upload.size}
        logger().info("UploadExamined", extra=told)
        count("HarmfulUploads", int(upload.reason == "file_harmful"))
    return True
