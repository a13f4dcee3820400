"""Every quarter of an hour: what customers wait for longer than they were promised."""

from __future__ import annotations

from typing import Any

from functions.observed import count, observed
from functions.services import settings, support


@observed("EscalateTickets")
def handler(_event: dict[str, Any], _context: object) -> dict[str, int]:
    """{} → {late}: tickets whose time to answer has passed, now urgent and anybody's; the alarm watches the metric."""
    late = [ticket for cycle in settings().entities for ticket in support().escalate(cycle.entity_id)]
    count("TicketsLate", len(late))
    return {"late": len(late)}
