"""Daily, before the runs of the day: interest and fixed sums for late payment, by each account's own terms."""

from __future__ import annotations

from typing import Any

from functions.observed import count, observed
from functions.services import clock, flags, settings, store
from saldo.invoicing.late_charges import LateCharges


@observed("AssessLateCharges")
def handler(_event: dict[str, Any], _context: object) -> dict[str, int]:
    """{} → {added, left_out}: charges that now wait for the next run, and invoices that none could be told for.

    The latter raise the metric that the alarm watches: most often a reference rate is not on record. Safe to repeat.
    """
    charges = LateCharges(store(), clock, charged=lambda account: flags().on("late_charges", account.terms.segment))
    reports = [charges.assess(cycle.entity_id) for cycle in settings().entities]
    left_out = sum(len(report.left_out) for report in reports)
    count("LateChargesLeftOut", left_out)
    return {"added": sum(len(report.added) for report in reports), "left_out": left_out}
