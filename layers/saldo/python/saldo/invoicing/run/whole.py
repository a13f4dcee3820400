"""A whole run in one process: the steps of the state machine, one after the other."""

from __future__ import annotations

from saldo.invoicing.run.bill import Billing, bill_accounts
from saldo.invoicing.run.close import close_run, reconcile_run
from saldo.invoicing.run.issue import issue_invoices
from saldo.invoicing.run.model import Attempt
from saldo.invoicing.run.number import number_invoices
from saldo.invoicing.run.open import open_run
from saldo.kernel.clock import Clock


def run_whole(billing: Billing, clock: Clock, entity_id: str, as_of: str) -> Attempt:
    """Open to close; for sellers with few accounts. Repeating after a crash goes on where it stopped."""
    store = billing.store
    attempt = open_run(store, clock, entity_id, as_of)
    for batch in attempt.batches:
        bill_accounts(billing, attempt.run_id, attempt.number, batch)
    for batch in number_invoices(store, clock, attempt.run_id, attempt.number):
        issue_invoices(store, clock, attempt.run_id, attempt.number, batch)
    reconcile_run(store, attempt.run_id, attempt.number)
    return close_run(store, clock, attempt.run_id, attempt.number)
