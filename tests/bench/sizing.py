"""How long a month end of so many invoices takes on AWS, what it costs, and which quota is met first.

`python -m tests.bench.sizing` prints docs/scaling.md's tables. Pure: what an invoice asks for is measured
(`counted_run.json`), what AWS gives are its published quotas of November 2026 (us-east-1, before any is raised).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from infra.cdk.capacity import READY_HOURS, USUAL_READS, USUAL_WRITES, MonthEndCapacity, capacity_for
from infra.cdk.functions import (
    A_CORE,
    API,
    CLOSE_RUN,
    NUMBER_INVOICES,
    OPEN_RUN,
    PORTAL,
    RECONCILE_RUN,
    SWEEP_EVERY_MINUTES,
    FunctionSpec,
)
from saldo.accounts.agenda import DUE_SHARDS
from saldo.invoicing.run.account_parts import parts_of
from saldo.invoicing.run.model import ACCOUNTS_PER_BATCH
from saldo.payments.rules import MOST_WAIT
from saldo.payments.sweeping import MOST_PAYMENTS
from tests.bench.counted_run import CPU_S, PerInvoice, last
from tests.bench.prices import KMS_SIGN, MAIL, PROVISIONED_GB_S, WARM_READ, WARM_WRITE

# What the run is deployed with (cdk.json, production): batches at work at once.
RUN_CONCURRENCY = 40
# A call to the table from a function, all kinds together: reads of 100 items and transactions of 100 writes among them.
CALL_S = 0.02
# A subscription leaves its place on the agenda and takes another; each shard of the agenda is one partition.
DUE_WRITES = 2
PARTITION_WRU_S = 1_000
SWEPT_EVERY = timedelta(minutes=SWEEP_EVERY_MINUTES)

Work = tuple[float, float]  # calls to the table, seconds of a core


@dataclass(frozen=True, slots=True)
class Quota:
    """How many invoices a second (or, for `whole`, in one run) it allows, and what moves it. `hard`: AWS raises it
    for nobody."""

    name: str
    allows: float
    moves: str
    hard: bool = False


@dataclass(frozen=True, slots=True)
class MonthEnd:
    """invoices: of all sellers, billed in one night. sellers: each has a run of its own, of equal size."""

    invoices: int
    sellers: int = 1
    mail: bool = False

    @property
    def in_a_run(self) -> int:
        return -(-self.invoices // self.sellers)


def speeds(end: MonthEnd, each: PerInvoice) -> list[Quota]:
    """Invoices a second that each quota allows, the narrowest first."""
    function_s = each.calls * CALL_S + CPU_S
    found = [
        Quota(
            "run_concurrency", RUN_CONCURRENCY * end.sellers / function_s, "cdk.json, up to 10,000 children of a map"
        ),
        Quota("Lambda: 1,000 at once", 1_000 / function_s, "a request; tens of thousands are usual"),
        Quota("DynamoDB: 40,000 write units/s a table", 40_000 / each.write_units, "a request"),
        Quota("DynamoDB: 40,000 read units/s a table", 40_000 / each.read_units, "a request"),
        Quota(
            f"DynamoDB: a table never used, {USUAL_WRITES:,} write units/s",
            USUAL_WRITES / each.write_units,
            "`month_end_invoices` (cdk.json)",
        ),
        Quota(
            "DynamoDB: 1,000 write units/s a partition of the agenda",
            PARTITION_WRU_S * DUE_SHARDS * end.sellers / DUE_WRITES,
            "DUE_SHARDS, or more sellers",
            hard=True,
        ),
        Quota("EventBridge: 10,000 PutEvents/s", 10_000 * 10, "a request (2,400 in smaller regions)"),
    ]
    if end.mail:
        found.append(Quota("SES: 14 mails/s", 14, "a request, with a history of few bounces"))
        found.append(
            Quota("KMS: 10,000 requests/s", 10_000, "a request; a key is opened once per customer and process")
        )
        found.append(Quota("KMS: 1,000 signatures/s on elliptic curves", 1_000, "a request; documents are made once"))
    return sorted(found, key=lambda quota: quota.allows)


@dataclass(frozen=True, slots=True)
class WholeStep:
    """A step that goes through a whole run, one call after the other. `each`: what it does for an invoice; `again`:
    what besides, once for each part of the accounts where they are very many."""

    spec: FunctionSpec
    moves: str
    each: Work
    again: Work = (0.0, 0.0)

    def seconds(self, invoices: int) -> float:
        parts, core = len(parts_of(invoices)), min(1.0, self.spec.memory / A_CORE)
        calls, cpu_s = (one + parts * more for one, more in zip(self.each, self.again, strict=True))
        return invoices * (calls * CALL_S + cpu_s / core)

    @property
    def quota(self) -> Quota:
        """The most invoices with which it ends in its time, to the next 100,000."""
        most = 0
        while self.seconds(most + 100_000) <= self.spec.timeout_s:
            most += 100_000
        return Quota(f"Lambda: {self.spec.name} in {self.spec.timeout_s} s", most, self.moves)


# Measured (`make load`, 100,000 accounts). Opening reads the agenda in parts, some 1,200 calls for a million due, and
# writes 25 batches a call; reconciling reads entries by the hundred; whatever else reads drafts has 7,700 in a call.
# Closing compares a month with the one before, part by part.
WHOLE_STEPS = (
    WholeStep(OPEN_RUN, "more sellers", (0.0012 + 1 / ACCOUNTS_PER_BATCH / 25, 25e-6)),
    WholeStep(NUMBER_INVOICES, "numbering part by part", (0.0004, 50e-6)),
    WholeStep(RECONCILE_RUN, "reconciling batch by batch", (1 / 100, 85e-6)),
    WholeStep(CLOSE_RUN, "comparing batch by batch", (0.00013, 17e-6), again=(0.0002, 33e-6)),
)


def sizes() -> list[Quota]:
    """Invoices in one run that each limit allows, the narrowest first."""
    return sorted((step.quota for step in WHOLE_STEPS), key=lambda quota: quota.allows)


def asked_in(wait: timedelta) -> int:
    """So many payments can wait at once that sweeps ask about each of them once in this time."""
    return int(wait / SWEPT_EVERY) * MOST_PAYMENTS


def sweeps_told() -> str:
    """What bounds the sweep, in words."""
    paying, clearing = asked_in(MOST_WAIT["paying"]), asked_in(MOST_WAIT["clearing"])
    return (
        f"A sweep looks after {MOST_PAYMENTS} payments every {SWEPT_EVERY.seconds // 60} minutes: "
        f"{paying:,} that take days are asked about every {MOST_WAIT['paying'].seconds // 3600} hours, "
        f"or {clearing:,} that wait for their payout every day."
    )


def in_batches(end: MonthEnd, each: PerInvoice, *, warm: bool = True) -> float:
    """Seconds of what goes side by side, at the first quota that holds it; `warm`: the table has carried as much
    before."""
    allowed = [q.allows for q in speeds(end, each) if not (warm and "never used" in q.name)]
    return end.invoices / min(allowed)


def through_runs(end: MonthEnd) -> float:
    """Seconds of the steps that go through a whole run; sellers' runs go side by side."""
    return sum(step.seconds(end.in_a_run) for step in WHOLE_STEPS)


def seconds(end: MonthEnd, each: PerInvoice, *, warm: bool = True) -> float:
    return in_batches(end, each, warm=warm) + through_runs(end)


def dollars(end: MonthEnd, each: PerInvoice) -> float:
    """A mail carries its document, which is signed."""
    a_mail = MAIL + KMS_SIGN if end.mail else 0
    return end.invoices / 1000 * each.dollars_per_1000 + end.invoices * a_mail


def ready_dollars(ready: MonthEndCapacity) -> tuple[float, float]:
    """What `month_end_invoices` costs: once, for table and index each; and each month, for functions kept started."""
    writes, reads = ready.write_units - USUAL_WRITES, ready.read_units - USUAL_READS
    gb_s = ready.at_once * (PORTAL.memory + API.memory) / 1024 * READY_HOURS * 3600
    return 2 * (writes * WARM_WRITE + reads * WARM_READ), gb_s * PROVISIONED_GB_S


def _ready(end: MonthEnd, each: PerInvoice) -> str:
    ready = capacity_for(end.invoices)
    assert ready is not None, "a month end has invoices"
    once, monthly = ready_dollars(ready)
    took = max(in_batches(end, each), end.invoices * each.write_units / ready.write_units) + through_runs(end)
    functions = f"{ready.at_once:,} functions each of portal and API, {READY_HOURS} h"
    return (
        f"With `month_end_invoices` of as many: {_time(took)} also the first time, for ${once:,.2f} once"
        f" ({ready.write_units:,} write units/s) and ${monthly:,.2f} a month ({functions})."
    )


def told(end: MonthEnd, each: PerInvoice) -> Iterator[str]:
    """The table of one month end, in Markdown."""
    mail = "with mail" if end.mail else "without mail"
    yield f"### {end.invoices:,} invoices, {end.sellers} {'seller' if end.sellers == 1 else 'sellers'}, {mail}"
    yield ""
    took, first = seconds(end, each), seconds(end, each, warm=False)
    yield f"{_time(took)} ({_time(first)} on a table never used before), ${dollars(end, each):,.2f}."
    yield _ready(end, each)
    yield ""
    yield "| quota, as it comes | allows | what moves it |"
    yield "|---|---|---|"
    for quota in speeds(end, each):
        yield f"| {quota.name} | {quota.allows:,.0f} invoices/s | {quota.moves} |"
    for quota in sizes():
        met = " **met**" if quota.allows < end.in_a_run else ""
        yield f"| {quota.name} | {quota.allows:,.0f} invoices a run{met} | {quota.moves} |"
    yield ""


def _time(s: float) -> str:
    return f"{s / 3600:.1f} h" if s >= 7200 else f"{s / 60:.0f} min"


SHOWN = MonthEnd(1_000_000), MonthEnd(1_000_000, mail=True), MonthEnd(100_000_000, sellers=250)


def main() -> None:
    print(sweeps_told(), end="\n\n")
    for end in SHOWN:
        print("\n".join(told(end, last())))


if __name__ == "__main__":
    main()
