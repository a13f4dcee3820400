"""Daily, for each seller before its run: interest and fixed sums for late payment, by each account's own terms."""

from __future__ import annotations

from typing import Any

from functions.daily import part_of
from functions.observed import count, observed
from functions.services import clock, flags, store
from saldo.invoicing.late_charges import LateCharges

# An account that is charged is read with its whole journal.
AT_ONCE = 200


@observed("AssessLateCharges")
def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    """{entity_id, as_of}, or a part of it → {parts, added, left_out}: charges that now wait for the next run, and
    invoices that none could be told for. Safe to repeat.

    The latter raise the metric that the alarm watches: most often a reference rate is not on record.
    """
    charges = LateCharges(store(), clock, charged=lambda account: flags().on("late_charges", account.terms.segment))
    part = part_of(event, charges.due, AT_ONCE)
    report = charges.assess(part.entity_id, part.as_of, part.keys)
    count("LateChargesLeftOut", len(report.left_out))
    return {"parts": part.sent, "added": len(report.added), "left_out": len(report.left_out)}
