"""Make the PDF of an invoice or a receipt, or of a template with made-up charges, for pages to hand out."""

from __future__ import annotations

from typing import Any

from functions.observed import observed
from functions.services import documents, template_previews
from saldo.kernel.errors import Refusal


@observed("RenderDocument")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{account_id, invoice_id | payment_id} or {entity_id, template, language} → {key} in the documents bucket; safe to
    repeat with the same event.

    A refusal (`not_found`, `not_settled`) comes back as {refused: {code, message}}.
    """
    try:
        if "template" in event:
            return {"key": template_previews().of(event["entity_id"], event["template"], event["language"])}
        account_id = event["account_id"]
        if "invoice_id" in event:
            return {"key": documents().ensure_invoice(account_id, event["invoice_id"])}
        return {"key": documents().ensure_receipt(account_id, event["payment_id"])}
    except Refusal as refusal:
        return {"refused": {"code": refusal.code, "message": refusal.message}}
