"""Give every draft of the attempt its number, in one block."""

from __future__ import annotations

from typing import Any

from functions.observed import observed
from functions.services import clock, store
from saldo.invoicing.run.number import number_invoices


@observed("NumberInvoices")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{run_id, attempt} → {batches: what there is to issue}; safe to repeat with the same event."""
    return {"batches": number_invoices(store(), clock, event["run_id"], event["attempt"])}
