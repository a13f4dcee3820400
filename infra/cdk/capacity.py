"""What a region is made ready with for its month ends, from how many invoices are expected (cdk.json:
`month_end_invoices`). Plain arithmetic: tests/bench/sizing.py prints what it costs, docs/scaling.md tells it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

# What an invoice asks of the table and of its index together, rounded up; tests/simulation/test_sizing.py holds them to
# what a run was counted to use.
WRITE_UNITS, READ_UNITS = 13, 9
# In how long all of them are to be billed, if nothing but the table holds them.
WITHIN_S = 900
# What every table on demand takes at once without being asked, and what AWS gives a table before it is asked for more.
USUAL_WRITES, USUAL_READS = 4_000, 12_000
MOST_UNITS = 40_000
# Assumed, not measured: for one invoice in ten somebody looks within the hour after, five requests of 60 ms each, and
# at the peak three times as many.
# Beyond a hundred it is the start of a thousand in ten seconds, as Lambda does by itself, that counts.
AT_ONCE_PER_INVOICE = 0.1 * 5 * 0.06 * 3 / 3600
MOST_AT_ONCE = 100
# Portal and API are kept ready from noon of a month's last day until noon of the third (UTC): every zone's month end,
# and the two days in which invoices are looked at.
READY_HOURS = 72


@dataclass(frozen=True, slots=True)
class MonthEndCapacity:
    """`write_units` and `read_units` a second that table and index take at once; `at_once`: functions of portal and of
    API, each, that are started before anybody asks."""

    write_units: int
    read_units: int
    at_once: int


def capacity_for(invoices: int) -> MonthEndCapacity | None:
    """For so many invoices in one night; None for 0: nothing is made ready, and nothing is paid for it."""
    if invoices <= 0:
        return None
    return MonthEndCapacity(
        write_units=_within(invoices * WRITE_UNITS / WITHIN_S, USUAL_WRITES),
        read_units=_within(invoices * READ_UNITS / WITHIN_S, USUAL_READS),
        at_once=min(ceil(invoices * AT_ONCE_PER_INVOICE), MOST_AT_ONCE),
    )


def _within(wanted: float, usual: int) -> int:
    return min(max(ceil(wanted), usual), MOST_UNITS)
