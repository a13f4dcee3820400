"""First step: what is due, and on whom it depends."""

from __future__ import annotations

from typing import Any

from functions.observed import observed
from functions.services import clock, store, work_files
from saldo.invoicing.run.batch_list import lay_down
from saldo.invoicing.run.open import open_run


@observed("OpenRun")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{entity_id, as_of: date or instant, dry_run?} → {run_id, attempt, entity_id, as_of, dry_run, batches}.

    batches: {count, key}, how many there are to bill, and the file that names them.
    """
    attempt = open_run(store(), clock, event["entity_id"], event["as_of"], dry_run=bool(event.get("dry_run", False)))
    return {
        "run_id": attempt.run_id,
        "attempt": attempt.number,
        "entity_id": attempt.entity_id,
        "as_of": attempt.as_of.isoformat(),
        "dry_run": attempt.dry_run,
        "batches": lay_down(work_files(), attempt.run_id, attempt.number, attempt.batches),
    }
