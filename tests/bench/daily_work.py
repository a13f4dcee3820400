"""What a day's reminders ask of the table, and how many accounts one function, or its parts, can look at.

`python -m tests.bench.daily_work` prints docs/scaling.md's table. Of 100 accounts 30 owe something and 10 get a letter,
as on a day a week after many invoices fell due; calls are counted, their time is that of the sizing model.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from functions.collections.issue_reminders import AT_ONCE
from infra.cdk.functions import ISSUE_REMINDERS
from saldo.accounts.records import account_from, account_item
from saldo.collections.service import Reminders
from tests.bench.figures import Figure
from tests.bench.prices import RRU, WRU
from tests.bench.sizing import CALL_S
from tests.simulation.dynamodb import Bill
from tests.simulation.world import ENTITY, World, account_id_of, founding_items

PARTS_AT_ONCE = 40
KEYS_A_PAGE = 8_000  # of a megabyte of the seller's list
MESSAGES_A_CALL = 10
JAN, DAY = date(2026, 1, 1), date(2026, 2, 9)


@dataclass(frozen=True, slots=True)
class Day:
    """Of so many accounts: letters written, and what the table was asked."""

    accounts: int
    letters: int
    bill: Bill

    @property
    def calls_an_account(self) -> float:
        return self.bill.total_calls / self.accounts

    @property
    def calls_a_letter(self) -> float:
        return self.bill.total_calls / self.letters


def measured(accounts: int = 1000) -> Day:
    """A day on which one account in ten is due for a step and two more owe something."""
    world = World()
    for count, on in ((accounts, date(2027, 1, 1)), (accounts * 3 // 10, date(2026, 1, 20)), (accounts // 10, JAN)):
        world.store.put_many(list(founding_items(count, on)))
    for n in range(accounts):
        account = account_from(world.store.get(account_id_of(n), "account") or {})
        world.store.put_many([account_item(replace(account, deliver_by_email=True))])
    for on in (JAN, date(2026, 1, 20)):
        world.run(on)
    world.now = world.now.replace(month=DAY.month, day=DAY.day, hour=9)
    reminders = Reminders(world.store, world.clock)
    keys = list(reminders.due(ENTITY.id, DAY))
    world.client.bill = Bill()
    letters = reminders.remind(ENTITY.id, DAY.isoformat(), keys).reminders
    return Day(accounts, len(letters), world.client.bill)


def alone_s(accounts: int, day: Day) -> float:
    """How long one function takes for all."""
    return accounts * day.calls_an_account * CALL_S


def listed_s(accounts: int) -> float:
    """How long the list takes, and handing it out."""
    return accounts * (1 / KEYS_A_PAGE + 1 / AT_ONCE / MESSAGES_A_CALL) * CALL_S


def shared_s(accounts: int, sellers: int, day: Day) -> float:
    """How long it takes in parts, the lists of all sellers being made at the same time."""
    parts = -(-accounts // AT_ONCE)
    return listed_s(accounts // sellers) + -(-parts // PARTS_AT_ONCE) * alone_s(AT_ONCE, day)


def told(day: Day) -> Iterator[str]:
    """The table, in Markdown."""
    yield f"{day.bill.total_calls} calls for {day.accounts:,} accounts and {day.letters} letters: "
    yield f"{day.calls_a_letter:.1f} a letter."
    yield ""
    yield "| invoices a month | sellers | calls a day | one function would take | in parts | a part |"
    yield "|---|---|---|---|---|---|"
    for accounts, sellers in ((100_000, 1), (1_000_000, 1), (100_000_000, 250)):
        calls, alone = accounts * day.calls_an_account, alone_s(accounts // sellers, day)
        over = "" if alone < ISSUE_REMINDERS.timeout_s else ", of its 15 min"
        parts, part = _time(shared_s(accounts, sellers, day)), alone_s(AT_ONCE, day)
        yield f"| {accounts:,} | {sellers} | {calls:,.0f} | {_time(alone)}{over} | {parts} | {part:.1f} s |"
    limit = ISSUE_REMINDERS.timeout_s
    yield ""
    yield f"One function ended in time with {limit / alone_s(1, day):,.0f} accounts; a list is handed out in time with "
    yield f"{limit / listed_s(1):,.0f} of one seller."


def _time(s: float) -> str:
    return f"{s / 3600:.1f} h" if s >= 7200 else f"{s / 60:.1f} min"


def figures() -> list[Figure]:
    day = measured()
    spent = (day.bill.wru * WRU + day.bill.rru * RRU) / day.letters * 1000
    return [
        Figure("reminders: calls a letter, of ten accounts", day.calls_a_letter, "calls", None, "lower"),
        Figure("reminders: of the table, 1,000 letters", spent, "$", None, "lower"),
        Figure("reminders: accounts one call shares out", ISSUE_REMINDERS.timeout_s / listed_s(1), "", 1e6, "higher"),
    ]


if __name__ == "__main__":
    print("\n".join(told(measured())))
