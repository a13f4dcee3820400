"""`make decade`: the whole decade, seller by seller, through the real steps of the run."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from tests.decade.audit import Pure, Verdict, audited
from tests.decade.history import History
from tests.decade.shrink import shrunk, told
from tests.decade.stored import StoredSeller
from tests.decade.world import PLACES, history_of

PURE = os.environ.get("PURE", "") == "1"


def main() -> int:
    seed, accounts = int(os.environ.get("SEED", "1")), int(os.environ.get("ACCOUNTS", "1000"))
    months = int(os.environ.get("MONTHS", "120"))
    print(f"a decade: seed {seed}, {accounts} accounts, {months} months")
    begun, invoices, lines, bad = time.process_time(), 0, 0, 0
    sellers = [int(n) for n in os.environ.get("SELLERS", "").split(",") if n] or range(min(len(PLACES), accounts))
    for n in sellers:
        histories = [history_of(i, seed, months, late=not PURE) for i in range(n, accounts, len(PLACES))]
        if PURE:
            for history in histories:
                verdict = audited([history])
                bad += report(seed, [history], verdict) if verdict.findings else 0
                invoices, lines = invoices + verdict.invoices, lines + verdict.lines
        else:
            verdict = audited(histories, StoredSeller, held_true(int(os.environ.get("CHECK_MONTHS", "12"))))
            bad += report(seed, histories, verdict) if verdict.findings else 0
            invoices, lines = invoices + verdict.invoices, lines + verdict.lines
        print(
            f"  {histories[0].market.seller.id}: {len(histories)} accounts through {verdict.day}, "
            f"{invoices} invoices so far, {time.process_time() - begun:.0f} s",
            flush=True,
        )
    print(f"{invoices} invoices, {lines} lines, {bad} bad, {time.process_time() - begun:.1f} s")
    return 1 if bad else 0


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
    make = Pure if audited([alone]).findings else StoredSeller
    short = shrunk(alone, lambda h: bool(audited([h], make).findings))
    print("  shortest history:")
    for line in told(short):
        print("   ", line)
    again = audited([short], make)
    print("  finds on", again.day, *[f for found in again.findings.values() for f in found[:6]], sep="\n    ")


if __name__ == "__main__":
    sys.exit(main())
