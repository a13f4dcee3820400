"""Close the attempt with its totals."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from functions.observed import count, logger, observed
from functions.services import clock, settings, store
from saldo.invoicing.run.close import close_run
from saldo.invoicing.run.expected import unexpected_totals


@observed("CloseRun")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{run_id, attempt} → {run_id, attempt, invoices, set_aside, totals}; closing twice changes nothing."""
    attempt = close_run(store(), clock, event["run_id"], event["attempt"])
    count("RunsClosed", 1)
    tolerance = Fraction(int(settings().billed_tolerance_percent or 30), 100)
    off = unexpected_totals(store(), attempt, tolerance)
    for each in off:
        logger().warning(
            "a run billed otherwise than was expected", extra={"run_id": attempt.run_id, "what": str(each)}
        )
    count("RunTotalsUnexpected", len(off))
    return {
        "run_id": attempt.run_id,
        "attempt": attempt.number,
        "invoices": attempt.invoices,
        "set_aside": attempt.set_aside,
        "totals": dict(attempt.totals),
    }
