"""Every step of a run in one process, against the deployment named by the environment; prints its peak memory in MB."""

from __future__ import annotations

import sys
from pathlib import Path

from functions.services import billing, clock, store
from saldo.invoicing.run.bill import bill_accounts
from saldo.invoicing.run.close import close_run, reconcile_run
from saldo.invoicing.run.issue import issue_invoices
from saldo.invoicing.run.number import number_invoices
from saldo.invoicing.run.open import open_run


def main(entity_id: str, as_of: str) -> None:
    attempt = open_run(store(), clock, entity_id, as_of)
    run_id, number = attempt.run_id, attempt.number
    for batch in attempt.batches:
        bill_accounts(billing(), run_id, number, batch)
    for batch in number_invoices(store(), clock, run_id, number):
        issue_invoices(store(), clock, run_id, number, batch)
    reconcile_run(store(), run_id, number)
    assert close_run(store(), clock, run_id, number).invoices == attempt.accounts
    print(_peak_kb() / 1024)


def _peak_kb() -> int:
    """Of this program alone; getrusage would count what the process held before it became this program."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    main(*sys.argv[1:])
