"""Record why a run stopped, so that staff read it where they look at runs."""

from __future__ import annotations

from typing import Any

from functions.observed import count, observed
from functions.services import store
from saldo.invoicing.run.close import fail_run


@observed("FailRun")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """{run_id?, attempt?, error} → {}; without a run (it never opened) only the metric is raised."""
    if event.get("run_id"):
        fail_run(store(), event["run_id"], event["attempt"], str(event.get("error", "")))
    count("RunsFailed", 1)
    return {}
