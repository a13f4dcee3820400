"""`make load ACCOUNTS= EVENTS=`: a month end of so many accounts and events, and one account with as many invoices."""

from __future__ import annotations

import argparse
from datetime import date

from tests.load.month_end import month_end
from tests.load.portal import portal


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--accounts", type=int, default=100_000)
    asked.add_argument("--events", type=int, default=10_000_000)
    asked.add_argument("--invoices", type=int, default=100_000, help="of one account, for the portal; 0: no portal")
    asked.add_argument("--concurrency", type=int, default=50)
    asked.add_argument("--scaling", type=int, default=10_000, help="accounts for one worker against two; 0: not")
    options = asked.parse_args()
    for workers in (1, 2) if options.scaling else ():
        say(f"{options.scaling:,} accounts, {workers} at work")
        with month_end(options.scaling, workers, quiet) as load:
            say(str(load.run(date(2026, 1, 1))))
    if options.accounts:
        say(f"{options.accounts:,} accounts, {options.events:,} events, 2 at work")
        with month_end(options.accounts, 2, say) as load:
            load.run(date(2026, 1, 1))
            load.usage(options.accounts, options.events)
            load.run(date(2026, 2, 1))
    if options.invoices:
        portal(options.invoices, options.concurrency, say)


def say(line: str) -> None:
    print(line, flush=True)


def quiet(_line: str) -> None:
    """Of the small runs only the sum is told."""


if __name__ == "__main__":
    main()
