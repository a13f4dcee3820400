"""Bill one batch of accounts into frozen drafts."""

from __future__ import annotations

from typing import Any

from functions.observed import count, observed
from functions.services import billing
from saldo.invoicing.run.bill import bill_accounts


@observed("BillAccounts")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{run_id, attempt, batch} → {drafts, set_aside}: how many of each; safe to repeat with the same event."""
    result = bill_accounts(billing(), event["run_id"], event["attempt"], event["batch"])
    count("RunAccountsBilled", len({draft.account_id for draft in result.drafts}))
    count("RunAccountsSetAside", sum(not aside.waits for aside in result.set_aside))
    return {"drafts": len(result.drafts), "set_aside": len(result.set_aside)}
