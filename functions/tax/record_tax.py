"""Tell the tax service of issued invoices and credit notes, so that the seller's returns have them."""

from __future__ import annotations

import json
from typing import Any

from functions.observed import logger, observed
from functions.services import store, tax_service
from saldo.invoicing.recording import record_tax


@observed("RecordTax")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Queued events → the messages that failed, which come again. The service keeps each document once."""
    failed = []
    for message in event["Records"]:
        try:
            facts = json.loads(message["body"])["detail"]
            record_tax(store(), tax_service(), facts["account_id"], facts.get("invoice_id") or facts["credit_note_id"])
        except Exception:
            logger().exception("a document was not told to the tax service")
            failed.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failed}
