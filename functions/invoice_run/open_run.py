"""First step: what is due, and on whom it depends."""

from __future__ import annotations

from typing import Any

from functions.observed import observed
from functions.services import clock, store
from saldo.invoicing.run.open import open_run


@observed("OpenRun")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{entity_id, as_of: date or instant, dry_run?} → {run_id, attempt, entity_id, as_of, dry_run, batches}."""
    attempt = open_run(store(), clock, event["entity_id"], event["as_of"], dry_run=bool(event.get("dry_run", False)))
    return {
        "run_id": attempt.run_id,
        "attempt": attempt.number,
        "entity_id": attempt.entity_id,
        "as_of": attempt.as_of.isoformat(),
        "dry_run": attempt.dry_run,
        "batches": attempt.batches,
    }
