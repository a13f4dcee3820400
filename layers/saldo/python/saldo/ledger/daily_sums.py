"""Sums of the days of long journals, folded from them when the stream tells that an account was posted to.

Nothing is added up twice: each day that is told of is read anew, whole, and put in the place of its sums. So word of a
day may come twice, late, in any order or never: sums are behind the journal, or equal to it, and whoever reads them
knows which by comparing their count of entries with the balance's (entries are never taken away).
"""

from __future__ import annotations

from collections.abc import Collection

from saldo.kernel.errors import Unavailable
from saldo.ledger.model_statement import LONG, DaySum, Line
from saldo.ledger.records import BALANCE, ENTRIES, PREFIX, entries_counted
from saldo.ledger.records_statement import day_sums_from, day_sums_item, day_sums_key, days_bounds, line_from
from saldo.ledger.rules_statement import entries_in, replaced, sums_of
from saldo.storage.items import Item
from saldo.storage.store import Store
from saldo.storage.units import Unit

_MOST_ATTEMPTS = 5


class DailySums:
    """The sums of one region's long journals. Both use cases may be repeated at any point."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def fold(self, account_id: str, days: Collection[str], entries: int) -> bool:
        """Take these days (ISO dates) as they are in the journal; whether it is long enough to have sums.

        entries: how many it had when the days were told of. Where the sums do not reach that, word of another day was
        lost, and all days are read. Raises Unavailable when others write the same sums all the time.
        """
        if entries < LONG:
            return False
        for _ in range(_MOST_ATTEMPTS):
            item = self._store.get(*day_sums_key(account_id))
            sums = day_sums_from(item) if item else []
            if item is not None:
                fresh = [line for on in sorted(days) for line in lines_of(self._store, account_id, on, on)]
                sums = replaced(sums, days, sums_of(fresh))
            if entries_in(sums) < entries:
                sums = sums_of(all_lines(self._store, account_id))
            if self._written(account_id, item, sums):
                return True
        raise Unavailable("the sums are being written elsewhere")

    def rebuild(self, account_id: str) -> int:
        """Fold the whole journal, and count its entries anew beside the balance; how many there are.

        For journals from before either was kept, and when somebody doubts them.
        """
        for _ in range(_MOST_ATTEMPTS):
            balance = self._store.get(account_id, BALANCE)
            item = self._store.get(*day_sums_key(account_id))
            sums = sums_of(all_lines(self._store, account_id))
            count = entries_in(sums)
            if balance is None or not self._counted(account_id, balance, count):
                if balance is None:
                    return 0
                continue
            if count < LONG or self._written(account_id, item, sums):
                return count
        raise Unavailable("the account is being posted to all the time; try again")

    def _counted(self, account_id: str, balance: Item, count: int) -> bool:
        if entries_counted(balance) == count:
            return True
        unit = Unit("count").update((account_id, BALANCE), set={ENTRIES: count}, when={ENTRIES: balance.get(ENTRIES)})
        return self._store.write_one(unit) is None

    def _written(self, account_id: str, before: Item | None, sums: list[DaySum]) -> bool:
        made = day_sums_item(account_id, sums, before["version"] + 1 if before else 1)
        if before and before["days"] == made["days"]:
            return True
        unit = Unit(f"sums of {account_id}")
        unit = unit.put(made, when={"version": before["version"]}) if before else unit.insert(made)
        return self._store.write_one(unit) is None


def lines_of(store: Store, account_id: str, first_on: str, last_on: str) -> list[Line]:
    """The entries of these days, in booking order."""
    items = store.query_all(account_id, consistent=True, **days_bounds(first_on, last_on))
    return [line_from(item) for item in items]


def all_lines(store: Store, account_id: str) -> list[Line]:
    return [line_from(item) for item in store.query_all(account_id, prefix=PREFIX, consistent=True)]
