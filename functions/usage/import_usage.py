"""Import a usage file that lies in the imports bucket."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from functions.observed import count, observed
from functions.services import usage_import
from saldo.kernel.errors import Refusal


@observed("ImportUsage")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{key, entity_id, again?} → what became of the file, or {refused: {code, message, problems}}; safe to repeat."""
    try:
        summary = usage_import().run(event["entity_id"], event["key"], again=bool(event.get("again", False)))
    except Refusal as refusal:
        problems = [p.as_dict() for p in refusal.problems]
        return {"refused": {"code": refusal.code, "message": refusal.message, "problems": problems}}
    count("UsageRowsRejected", 0 if summary.repeated else summary.rejected)
    return asdict(summary)
