"""Import orders from a file in the imports bucket: CSV, or X12 850 with the acknowledgement laid beside it."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from functions.observed import count, observed
from functions.services import order_import
from saldo.audit.model import job
from saldo.kernel.errors import Refusal
from saldo.orders.order_import import OrderImportRequest

_NAMES = {f.name for f in fields(OrderImportRequest)}


@observed("ImportOrders")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """OrderImportRequest as JSON → its summary as JSON, or {refused: {code, message, problems}}; safe to repeat."""
    request = OrderImportRequest(**{name: value for name, value in event.items() if name in _NAMES})
    try:
        summary = order_import().run(request, job("import_orders", event.get("correlation_id", "")))
    except Refusal as refusal:
        problems = [p.as_dict() for p in refusal.problems]
        return {"refused": {"code": refusal.code, "message": refusal.message, "problems": problems}}
    count("OrderRowsRejected", 0 if summary.repeated else summary.rejected)
    return asdict(summary)
