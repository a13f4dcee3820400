"""Close the attempt with its totals."""

from __future__ import annotations

from typing import Any

from functions.observed import count, observed
from functions.services import clock, store
from saldo.invoicing.run.close import close_run


@observed("CloseRun")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{run_id, attempt} → {run_id, attempt, invoices, set_aside, totals}; closing twice changes nothing."""
    attempt = close_run(store(), clock, event["run_id"], event["attempt"])
    count("RunsClosed", 1)
    return {
        "run_id": attempt.run_id,
        "attempt": attempt.number,
        "invoices": attempt.invoices,
        "set_aside": attempt.set_aside,
        "totals": dict(attempt.totals),
    }
