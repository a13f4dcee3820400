"""Import a usage file that lies in the imports bucket."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from functions.observed import count, observed
from functions.services import usage_import
from functions.usage.watching import watched
from saldo.kernel.errors import Refusal


@observed("ImportUsage")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{key, entity_id, again?, backfill?} → what became of the file, or {refused: {code, …}}; safe to repeat."""
    how = {name: bool(event.get(name, False)) for name in ("again", "backfill")}
    try:
        summary = usage_import().run(event["entity_id"], event["key"], **how)
    except Refusal as refusal:
        problems = [p.as_dict() for p in refusal.problems]
        return {"refused": {"code": refusal.code, "message": refusal.message, "problems": problems}}
    count("UsageRowsRejected", 0 if summary.repeated else summary.rejected)
    if summary.accounts:
        watched(summary.accounts)  # whose thresholds could not be looked at is with the next that comes
    return {name: value for name, value in asdict(summary).items() if name != "accounts"}
