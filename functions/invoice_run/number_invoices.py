"""Give every draft of the attempt its number, in one block."""

from __future__ import annotations

from typing import Any

from functions.observed import observed
from functions.services import clock, store, work_files
from saldo.invoicing.run.batch_list import lay_down
from saldo.invoicing.run.number import number_invoices


@observed("NumberInvoices")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{run_id, attempt} → {batches: {count, key}}: how many there are to issue, and the file that names them; safe to
    repeat with the same event."""
    names = number_invoices(store(), clock, event["run_id"], event["attempt"])
    return {"batches": lay_down(work_files(), event["run_id"], event["attempt"], names)}
