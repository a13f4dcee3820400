"""Issue one batch of numbered drafts."""

from __future__ import annotations

from typing import Any

from functions.observed import count, observed
from functions.services import clock, store
from saldo.invoicing.run.issue import issue_invoices


@observed("IssueInvoices")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{run_id, attempt, batch} → {issued: how many}; safe to repeat with the same event."""
    issued = issue_invoices(store(), clock, event["run_id"], event["attempt"], event["batch"])
    count("InvoicesIssued", issued)
    return {"issued": issued}
