"""A month end on the in-memory table: what it computes, calls, writes, reads and would cost, counted call by call.

`python -m tests.bench.counted_run` prints what an invoice costs and what it cost last; `--renew` puts today's figure in
the place of that. A test holds the two together, so that a change that makes invoices dearer says so.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from saldo.accounts.records import account_from
from saldo.audit.chain import AuditChain
from saldo.invoicing.codec import body_to_bytes
from saldo.invoicing.model import BillingCase, Draft
from saldo.invoicing.rules import bill, due_of, usage_needed
from saldo.invoicing.rules_entry import issue_entry
from saldo.invoicing.run.model import ACCOUNTS_PER_BATCH, INVOICES_PER_BATCH
from saldo.ledger.records import entry_item
from saldo.subscriptions.records import subscription_from
from saldo.tax.table import TableTax, shipped_table
from tests.bench.figures import Figure
from tests.bench.prices import Spent
from tests.simulation.dynamodb import Bill
from tests.simulation.world import ENTITY, VERSION, World

ACCOUNTS = 2000
LAST = Path(__file__).with_name("counted_run.json")
# What is fixed in a run is shared by so many invoices.
AMORTISED_OVER = 100_000
# An invoice may cost so much more than last time before somebody has to say that it is meant.
TOLERANCE = 0.05
# Billing has 1.77 GB, as the steps of which there is one a run; issuing has 1 GB.
FUNCTION_GB = 1.5
# What our code takes for an invoice, read to issued: the figure is not to depend on the machine of the day.
CPU_S = 0.0015
# Transitions of a run are those of its Standard part: about a dozen, whatever the number of invoices.
TRANSITIONS = 12
LOG_BYTES_PER_INVOCATION = 600


@dataclass(frozen=True, slots=True)
class Counted:
    """What a run of so many invoices used of the table, its audit chain included, and the CPU it took here."""

    invoices: int
    bill: Bill
    cpu_s: float


@dataclass(frozen=True, slots=True)
class PerInvoice:
    """AWS calls of our functions and request units an invoice; dollars for 1,000. Without mail."""

    calls: float
    write_units: float
    read_units: float
    dollars_per_1000: float


def prepared(accounts: int = ACCOUNTS) -> World:
    """A seller whose customers have been billed once and used something since."""
    world = World()
    ids = world.found(accounts, started_on=date(2026, 1, 1))
    world.run(date(2026, 1, 1))
    for i, account_id in enumerate(ids):
        world.use(account_id, date(2026, 1, 20), 500 + i, f"e{i}")
    world.now = world.now.replace(month=2)
    return world


def counted(accounts: int) -> Counted:
    """The second month of these customers, from opening the run to the links of the audit chain."""
    world = prepared(accounts)
    linked = {(item["pk"], item["sk"]) for item in world.store.scan() if item["kind"] == "audit"}
    world.client.bill = Bill()
    start = time.process_time()
    closed = world.run(date(2026, 2, 1))
    cpu_s = time.process_time() - start
    assert closed.invoices == accounts
    spent, world.client.bill = world.client.bill, Bill()  # a look from outside
    new = [i for i in world.store.scan() if i["kind"] == "audit" and (i["pk"], i["sk"]) not in linked]
    world.client.bill = spent
    AuditChain(world.store, world.clock).link(new)
    return Counted(accounts, spent, cpu_s)


def spent_of(run: Counted, cpu_s: float) -> Spent:
    """A run and the news of each invoice up to the bus; nobody wants mail, so delivery hears nothing."""
    batches = -(-run.invoices // ACCOUNTS_PER_BATCH) + -(-run.invoices // INVOICES_PER_BATCH)
    news = run.invoices / 100  # the stream comes in hundreds
    return Spent(
        wru=run.bill.wru,
        rru=run.bill.rru,
        invocations=batches + 5 + news,
        # Waiting for the table about doubles the time that is billed.
        gb_s=cpu_s * 2 * FUNCTION_GB,
        transitions=TRANSITIONS,
        express=batches,
        express_gb_s=batches * 0.1 * 0.0625,
        events=run.invoices,
        sqs=0,
        log_bytes=(batches + news) * LOG_BYTES_PER_INVOCATION,
    )


def per_invoice(small: int = 200, large: int = 400) -> PerInvoice:
    """From two runs: what each further invoice adds, and its share in what a run costs anyhow."""
    one, other = counted(small), counted(large)

    def amortised(a: float, b: float) -> float:
        each = (b - a) / (large - small)
        return each + (a - each * small) / AMORTISED_OVER

    def dollars(run: Counted) -> float:
        return spent_of(run, run.invoices * CPU_S).dollars

    def calls(run: Counted) -> float:
        return run.bill.total_calls + run.invoices / 10  # ten events a call

    return PerInvoice(
        calls=amortised(calls(one), calls(other)),
        write_units=amortised(one.bill.wru, other.bill.wru),
        read_units=amortised(one.bill.rru, other.bill.rru),
        dollars_per_1000=amortised(dollars(one), dollars(other)) * 1000,
    )


def last() -> PerInvoice:
    """What an invoice cost when somebody last said that it is meant."""
    return PerInvoice(**json.loads(LAST.read_text()))


def grown(now: PerInvoice, before: PerInvoice) -> list[str]:
    """What of it is more than `TOLERANCE` above before, in words."""
    return [
        f"{name} was {asdict(before)[name]:.5f} and is {value:.5f}"
        for name, value in asdict(now).items()
        if value > asdict(before)[name] * (1 + TOLERANCE)
    ]


def renew(now: PerInvoice) -> None:
    LAST.write_text(json.dumps({name: round(value, 6) for name, value in asdict(now).items()}, indent=1) + "\n")


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


def figures() -> list[Figure]:
    pure = pure_ms_per_invoice(prepared(2))
    run = counted(ACCOUNTS)
    now = per_invoice()
    return [
        Figure("usage totals to frozen invoice with entry", pure, "ms CPU/invoice", 2, "lower"),
        Figure("whole run on the in-memory table", run.cpu_s / run.invoices * 1000, "ms CPU/invoice", None, "lower"),
        Figure("AWS calls of a run", now.calls, "calls/invoice", 2, "lower"),
        Figure("write units of a run", now.write_units * 1000, "WRU/1,000 invoices", None, "lower"),
        Figure("read units of a run", now.read_units * 1000, "RRU/1,000 invoices", None, "lower"),
        Figure("cost of a run without mail", now.dollars_per_1000, "$/1,000 invoices", 0.01, "lower"),
    ]


def main(*asked: str) -> None:
    now = per_invoice()
    before = last() if LAST.exists() else now
    for name, value in asdict(now).items():
        print(f"{name:>18} {value:10.5f}   last {getattr(before, name):10.5f}")
    if "--renew" in asked:
        renew(now)
        print(f"{LAST.name} holds today's figures")


if __name__ == "__main__":
    main(*sys.argv[1:])
