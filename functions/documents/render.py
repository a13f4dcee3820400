"""Make the PDF of an invoice or a receipt, for the portal to hand out."""

from __future__ import annotations

from typing import Any

from functions.observed import observed
from functions.services import documents
from saldo.kernel.errors import Refusal


@observed("RenderDocument")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{account_id, invoice_id | payment_id} → {key} in the documents bucket; safe to repeat with the same event.

    A refusal (`not_found`, `not_settled`) comes back as {refused: {code, message}}.
    """
    account_id = event["account_id"]
    try:
        if "invoice_id" in event:
            return {"key": documents().ensure_invoice(account_id, event["invoice_id"])}
        return {"key": documents().ensure_receipt(account_id, event["payment_id"])}
    except Refusal as refusal:
        return {"refused": {"code": refusal.code, "message": refusal.message}}
