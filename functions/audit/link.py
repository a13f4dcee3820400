"""The records table's stream → links in the chains of audit records, and word of any that was changed."""

from __future__ import annotations

from typing import Any

from functions.observed import count, logger, observed
from functions.services import audit_chain
from saldo.storage.items import from_attributes


@observed("LinkAudit")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Stream records of audit records, and of links that were changed → {linked, changed}; safe to repeat.

    An audit record or sealed link is written once: any other change raises the metric that the alarm watches.
    """
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for record in event["Records"]:
        (new if record["eventName"] == "INSERT" else changed).append(record["dynamodb"])
    linked = audit_chain().link(from_attributes(change["NewImage"]) for change in new)
    for change in changed:
        owner_id, what = change["Keys"]["pk"]["S"], change["Keys"]["sk"]["S"]
        logger().error("an audit record was changed or deleted", extra={"owner_id": owner_id, "what": what})
    count("AuditRecordsChanged", len(changed))
    return {"linked": linked, "changed": len(changed)}
