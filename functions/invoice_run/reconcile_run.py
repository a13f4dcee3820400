"""Compare what was drafted with what the ledger now holds."""

from __future__ import annotations

from typing import Any

from functions.observed import observed
from functions.services import store
from saldo.invoicing.run.close import reconcile_run


@observed("ReconcileRun")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{run_id, attempt} → {totals: minor units per currency}; fails when run and ledger differ."""
    return {"totals": reconcile_run(store(), event["run_id"], event["attempt"])}
