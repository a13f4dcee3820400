"""`make decade`: the whole decade through the real steps of the run, each seller in a process of its own."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from datetime import date, timedelta

from tests.decade.audit import Pure, Verdict, audited
from tests.decade.history import History
from tests.decade.shrink import is_late, shrunk, told
from tests.decade.stored import StoredSeller
from tests.decade.world import PLACES, history_of

PURE = os.environ.get("PURE", "") == "1"


def main() -> int:
    seed, accounts = int(os.environ.get("SEED", "1")), int(os.environ.get("ACCOUNTS", "1000"))
    months = int(os.environ.get("MONTHS", "120"))
    workers = int(os.environ.get("WORKERS", "0")) or os.cpu_count() or 1
    print(f"a decade: seed {seed}, {accounts} accounts, {months} months, {workers} at a time", flush=True)
    begun = time.monotonic()
    sellers = [int(n) for n in os.environ.get("SELLERS", "").split(",") if n] or range(min(len(PLACES), accounts))
    total = Counter[str]()
    with ProcessPoolExecutor(workers) as pool:
        for done in as_completed([pool.submit(seller, n, seed, accounts, months) for n in sellers]):
            text, counts = done.result()
            total += counts
            print(f"{text}; {total['invoices']} invoices so far, {time.monotonic() - begun:.0f} s", flush=True)
    took = time.monotonic() - begun
    print(f"{total['invoices']} invoices, {total['lines']} lines, {total['bad']} bad, {took:.1f} s")
    return 1 if total["bad"] else 0


def seller(n: int, seed: int, accounts: int, months: int) -> tuple[str, Counter[str]]:
    """The n-th seller's decade: a line about it, and how many invoices, lines and bad accounts it had."""
    histories = [history_of(i, seed, months, late=not PURE) for i in range(n, accounts, len(PLACES))]
    if PURE:
        verdicts = [([history], audited([history])) for history in histories]
    else:
        held = held_true(int(os.environ.get("CHECK_MONTHS", "12")))
        verdicts = [(histories, audited(histories, StoredSeller, held))]
    counts = Counter[str]()
    for of, verdict in verdicts:
        counts["bad"] += report(seed, of, verdict) if verdict.findings else 0
        counts["invoices"] += verdict.invoices
        counts["lines"] += verdict.lines
    day = max(verdict.day for _, verdict in verdicts)
    return f"  {histories[0].market.seller.id}: {len(histories)} accounts through {day}", counts


def held_true(months: int) -> Callable[[StoredSeller, date], list[str]]:
    """After the first run of every so many months, and of the last: all invariants over all records."""
    seen: set[int] = set()

    def held(system: StoredSeller, day: date) -> list[str]:
        span = (day.year * 12 + day.month) // months
        last = day + timedelta(days=system.market.every) > system.histories[0].last_on
        if (span in seen or (day.month - 1) % months) and not last:
            return []
        seen.add(span)
        return system.broken()

    return held


def report(seed: int, histories: Sequence[History], verdict: Verdict) -> int:
    for account_id, findings in verdict.findings.items():
        print(f"\nseed {seed} account {account_id} on {verdict.day}")
        for finding in findings[:8]:
            print("   ", finding)
        alone = next((h for h in histories if h.account.id == account_id), None)
        if alone is not None:
            shortest(alone, verdict.day)
    return 1


def shortest(history: History, day: date) -> None:
    alone = replace(history, last_on=day)
    stored = is_late(history.facts) or not audited([alone]).findings  # late usage is a matter of records
    make = StoredSeller if stored else Pure
    short = shrunk(alone, lambda h: bool(audited([h], make).findings))
    print("  shortest history:")
    for line in told(short):
        print("   ", line)
    again = audited([short], make)
    print("  finds on", again.day, *[f for found in again.findings.values() for f in found[:6]], sep="\n    ")


if __name__ == "__main__":
    sys.exit(main())
