"""What a statement is made of: lines, sums of days, and one page of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from saldo.ledger.model import AgingBucket, LedgerAccount

# What a customer owes less what lies unapplied: moving money between the two changes nothing for them.
CUSTOMERS = frozenset({LedgerAccount.RECEIVABLES.value, LedgerAccount.UNAPPLIED_CASH.value})
# A journal with more entries is long: it is read day by day, with sums of all its days beside it.
LONG = 500
# So many lines are on a page.
PAGE = 50


class Line(NamedTuple):
    """One entry as a customer sees it. `minor`: what is owed more, or less; 0 where that stays. `on`: an ISO date.

    `number`: of the document that was booked, "" for entries that were posted before it was kept beside them.
    """

    on: str
    currency: str
    kind: str
    source_id: str
    minor: int
    number: str


class DaySum(NamedTuple):
    """What a day's entries in one currency come to. `entries`: all of them; `lines`: those that change what is owed,
    by `charged_minor` (0 or more) and `paid_minor` (0 or less)."""

    on: str
    currency: str
    entries: int
    lines: int
    charged_minor: int
    paid_minor: int


class StatementLine(NamedTuple):
    """A line with what is owed after it, in minor units."""

    line: Line
    balance: int


@dataclass(frozen=True, slots=True)
class Statement:
    """One currency between two dates, both included, and its lines on one page. Minor units.

    `opening`, `charged`, `paid` (0 or less) and `closing` are of all the dates; `carried`: the balance before the first
    line of the page. `aged`: what was open at the end, by how late it was then; empty where that is not known.
    """

    currency: str
    opening: int
    carried: int
    lines: tuple[StatementLine, ...]
    charged: int
    paid: int
    closing: int
    aged: tuple[AgingBucket, ...] = ()


@dataclass(frozen=True, slots=True)
class StatementPage:
    """One page of a statement in all currencies; `page` counts from 1. `ages`: whether what was open is told by age."""

    statements: tuple[Statement, ...]
    page: int
    pages: int
    ages: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """A page lies in the days `first_on` to `last_on`; of their lines the first `skip` are on the pages before.

    Both days are "" when there are no lines.
    """

    first_on: str
    last_on: str
    skip: int
    page: int
    pages: int
