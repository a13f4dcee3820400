"""`make decade`: the whole decade, account by account."""

from __future__ import annotations

import os
import sys
import time

from dataclasses import replace

from tests.decade.audit import audited
from tests.decade.shrink import shrunk, told
from tests.decade.world import history_of


def main() -> int:
    seed, accounts = int(os.environ.get("SEED", "1")), int(os.environ.get("ACCOUNTS", "1000"))
    months = int(os.environ.get("MONTHS", "120"))
    begun, invoices, lines, bad = time.process_time(), 0, 0, 0
    for n in range(accounts):
        history = history_of(n, seed, months)
        verdict = audited(history)
        invoices += verdict.invoices
        lines += verdict.lines
        if verdict.findings:
            bad += 1
            if bad <= int(os.environ.get("SHOW", "3")):
                print(f"\nseed {seed} account {n} on {verdict.day}")
                for finding in verdict.findings[:8]:
                    print("   ", finding)
                short = shrunk(replace(history, last_on=verdict.day), lambda h: bool(audited(h).findings))
                print("  shortest history:")
                for line in told(short):
                    print("   ", line)
                again = audited(short)
                print("  finds on", again.day, *again.findings[:6], sep="\n    ")
    print(f"{accounts} accounts, {invoices} invoices, {lines} lines, {bad} bad, {time.process_time() - begun:.1f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
