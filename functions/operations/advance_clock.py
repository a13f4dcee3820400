"""Moves a customer's double to its next day on which something is due."""

from __future__ import annotations

from datetime import date
from typing import Any

from functions.observed import observed
from functions.services import clocks
from saldo.kernel.errors import Refusal


@observed("AdvanceClock")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{account_id, to} → what that day issued (`ClockStep.as_dict`), or {refused: …}; safe to repeat."""
    try:
        return clocks().step(event["account_id"], date.fromisoformat(event["to"])).as_dict()
    except Refusal as refusal:
        problems = [p.as_dict() for p in refusal.problems]
        return {"refused": {"code": refusal.code, "message": refusal.message, "problems": problems}}
