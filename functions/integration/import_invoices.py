"""Import invoices of another system from a file in the imports bucket."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from functions.observed import count, observed
from functions.services import invoice_import
from saldo.audit.model import job
from saldo.integration.imports import ImportRequest
from saldo.kernel.errors import Refusal

_NAMES = {f.name for f in fields(ImportRequest)}


@observed("ImportInvoices")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """ImportRequest as JSON → ImportSummary as JSON, or {refused: {code, message, problems}}; safe to repeat."""
    request = ImportRequest(**{name: value for name, value in event.items() if name in _NAMES})
    try:
        summary = invoice_import().run(request, job("import_invoices", event.get("correlation_id", "")))
    except Refusal as refusal:
        problems = [p.as_dict() for p in refusal.problems]
        return {"refused": {"code": refusal.code, "message": refusal.message, "problems": problems}}
    count("InvoiceRowsRejected", 0 if summary.repeated else summary.rejected)
    return asdict(summary)
