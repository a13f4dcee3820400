"""A month end on the in-memory table: what it computes, calls, writes, reads and would cost, counted call by call."""

from __future__ import annotations

import time
from datetime import date

from saldo.accounts.records import account_from
from saldo.invoicing.codec import body_to_bytes
from saldo.invoicing.model import BillingCase, Draft
from saldo.invoicing.rules import bill, due_of, issue_entry, usage_needed
from saldo.ledger.records import entry_item
from saldo.subscriptions.records import subscription_from
from saldo.tax.table import TableTax, shipped_table
from tests.bench.figures import Figure
from tests.bench.prices import Spent
from tests.simulation.dynamodb import Bill
from tests.simulation.world import ENTITY, VERSION, World

ACCOUNTS = 2000
BATCHES_PER_1000 = 20
FUNCTION_GB = 0.5
DELIVERY_GB, DELIVERY_S = 1.77, 0.005
# Transitions of a run are those of its Standard part: about a dozen, whatever the number of invoices.
TRANSITIONS = 12
LOG_BYTES_PER_INVOCATION = 600


def prepared(accounts: int = ACCOUNTS) -> World:
    """A seller whose customers have been billed once and used something since."""
    world = World()
    ids = world.found(accounts, started_on=date(2026, 1, 1))
    world.run(date(2026, 1, 1))
    for i, account_id in enumerate(ids):
        world.use(account_id, date(2026, 1, 20), 500 + i, f"e{i}")
    world.now = world.now.replace(month=2)
    return world


def pure_ms_per_invoice(world: World, times: int = 2000) -> float:
    """CPU from usage totals to the frozen, encoded invoice with its journal entry; no storage."""
    account_id = "acct_eu_000001"
    subscription = subscription_from(world.store.query(account_id, prefix="subscription#").items[0])
    account = account_from(world.store.query(account_id, prefix="account").items[0])
    due = (due_of(subscription, VERSION, date(2026, 2, 1)),)
    totals = world.billing().usage.totals([(account, key) for key in usage_needed(due)])[account_id]
    case = BillingCase(account, ENTITY, due, totals, date(2026, 2, 1))
    tax = TableTax(shipped_table())
    start = time.process_time()
    for _ in range(times):
        outcome = bill(case, tax)
        assert isinstance(outcome, Draft)
        body_to_bytes(outcome.body)
        entry_item(issue_entry(outcome.body))
    return (time.process_time() - start) / times * 1000


def _spent(n: int, bill_: Bill, cpu_s: float) -> Spent:
    """A run of n invoices and the news of each up to the delivery function, which finds that no mail is wanted."""
    batches = 2 * n // (1000 // BATCHES_PER_1000)
    news = n // 100 + n // 10  # the stream in hundreds, the delivery queue in tens
    return Spent(
        wru=bill_.wru,
        rru=bill_.rru + n,
        invocations=batches + 4 + news,
        # Waiting for the table about doubles the time that is billed.
        gb_s=cpu_s * 2 * FUNCTION_GB + n * DELIVERY_S * DELIVERY_GB,
        transitions=TRANSITIONS,
        express=batches,
        express_gb_s=batches * 0.1 * 0.0625,
        events=n,
        sqs=1.2 * n,
        log_bytes=(batches + news) * LOG_BYTES_PER_INVOCATION,
    )


def figures() -> list[Figure]:
    world = prepared()
    pure = pure_ms_per_invoice(world)
    world.client.bill = Bill()
    start = time.process_time()
    closed = world.run(date(2026, 2, 1))
    cpu_s = time.process_time() - start
    n = closed.invoices
    assert n == ACCOUNTS
    bill_ = world.client.bill
    spent = _spent(n, bill_, cpu_s)
    return [
        Figure("usage totals to frozen invoice with entry", pure, "ms CPU/invoice", 2, "lower"),
        Figure("whole run on the in-memory table", cpu_s / n * 1000, "ms CPU/invoice", None, "lower"),
        Figure("AWS calls of a run", bill_.total_calls / n, "calls/invoice", 4, "lower"),
        Figure("write units of a run", bill_.wru / n * 1000, "WRU/1,000 invoices", None, "lower"),
        Figure("read units of a run", bill_.rru / n * 1000, "RRU/1,000 invoices", None, "lower"),
        Figure("cost of a run without mail", spent.dollars / n * 1000, "$/1,000 invoices", 0.02, "lower"),
    ]
