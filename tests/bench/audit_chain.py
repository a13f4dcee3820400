"""What chaining audit records adds to an invoice: calls and units counted on the in-memory table, month after month."""

from __future__ import annotations

import time
from datetime import date

from saldo.audit.chain import AuditChain
from tests.bench.figures import Figure
from tests.bench.prices import Spent
from tests.simulation.dynamodb import Bill
from tests.simulation.world import World

# The stream's function takes up to 1,000 records; at a month end a shard delivers some hundreds within its window.
STREAM_BATCH = 200
FUNCTION_GB = 0.5


def counted(accounts: int = 500, months: int = 12) -> list[Figure]:
    """Customers billed month by month, their records linked after each run as the stream delivers them."""
    world, seen, issued = World(), set[tuple[str, str]](), 0
    world.found(accounts, started_on=date(2026, 1, 1))
    spent, cpu_s, batches = Bill(), 0.0, 0
    for month in range(1, months + 1):
        issued += world.run(date(2026, month, 1)).invoices
        new = [i for i in world.store.scan() if i["kind"] == "audit" and (i["pk"], i["sk"]) not in seen]
        seen |= {(item["pk"], item["sk"]) for item in new}
        own, world.client.bill = world.client.bill, spent
        start = time.process_time()
        for at in range(0, len(new), STREAM_BATCH):
            AuditChain(world.store, world.clock).link(new[at : at + STREAM_BATCH])
            batches += 1
        cpu_s += time.process_time() - start
        world.client.bill = own
    cost = Spent(
        wru=spent.wru,
        rru=spent.rru,
        invocations=batches,
        gb_s=cpu_s * 2 * FUNCTION_GB,
        transitions=0,
        express=0,
        express_gb_s=0,
        events=0,
        sqs=0,
        log_bytes=batches * 600,
    )
    return [
        Figure("audit chain, AWS calls", spent.total_calls / issued, "calls/invoice", None, "lower"),
        Figure("audit chain, write units", spent.wru / issued * 1000, "WRU/1,000 invoices", None, "lower"),
        Figure("audit chain, read units", spent.rru / issued * 1000, "RRU/1,000 invoices", None, "lower"),
        Figure("audit chain, our own code", cpu_s / issued * 1000, "ms CPU/invoice", None, "lower"),
        Figure("audit chain, cost", cost.dollars / issued * 1000, "$/1,000 invoices", None, "lower"),
    ]


def figures() -> list[Figure]:
    return counted()
