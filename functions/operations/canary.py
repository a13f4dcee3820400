"""Walks as a customer, so that we notice before one does that something is broken."""

from __future__ import annotations

from typing import Any

from functions.observed import count, logger, measure, observed
from functions.services import canary


@observed("Canary")
def handler(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{} → {took_ms, broken, why}: a walk that breaks raises the metric that the alarm watches, and no error."""
    walked = canary().walk()
    for step, took_ms in walked.took_ms.items():
        measure(f"Canary{step}Ms", took_ms)
    count("CanaryWalks", 1)
    count("CanaryBroken", int(bool(walked.broken)))
    if walked.broken:
        logger().error("the canary broke", extra={"step": walked.broken, "why": walked.why})
    return {"took_ms": walked.took_ms, "broken": walked.broken, "why": walked.why}
