"""A second look at what was found wrong: at just what it concerns, and before anybody is told.

A look over all records is no picture of one moment. It takes minutes, and what is written meanwhile it may see in part:
of a unit of two owners the one half, of an owner larger than a page records from before and after. DynamoDB promises no
more of a query, however consistent. Read twice the same, though, records were so at a moment between the two.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from saldo.audit.records import PREFIX as AUDIT_PREFIX
from saldo.insight.checks_across import SERIES, Of, Row, Share, block_rows, document_row, held, share_of
from saldo.insight.model import Owner
from saldo.invoicing.records import header_key
from saldo.invoicing.records_numbers import numbers_key, series_key
from saldo.invoicing.run.model import INVOICES_PER_BATCH
from saldo.invoicing.run.records import ranks_key
from saldo.storage.items import Item
from saldo.storage.store import Store

_MOST_READINGS = 5
# Where so many numbers are missing, no more are looked for.
_ENOUGH_MISSING = 100


def readings(
    store: Store, owner_ids: Sequence[str], before: Sequence[Item] | None = None
) -> Iterator[tuple[list[Item], bool]]:
    """All records of these owners, read again until they are as the time before, or often enough; each time with
    whether they are. before: a reading that is known."""
    known = before
    for _ in range(_MOST_READINGS):
        now = [item for owner_id in owner_ids for item in store.query_all(owner_id, consistent=True)]
        is_same = now == known
        yield now, is_same
        if is_same:
            return
        known = now


@dataclass(frozen=True, slots=True)
class SecondLook:
    """At what spans owners. Blocks on record of a seller are read once."""

    store: Store
    _blocks: dict[str, dict[str, list[Row]]] = field(default_factory=dict)

    def share(self, *owner_ids: str) -> Share | None:
        """What these owners contribute at one moment; None where they never rest."""
        for reading, is_same in readings(self.store, sorted({*owner_ids})):
            if is_same:
                whole = Share()
                for owner_id, group in groupby(reading, key=lambda item: item["pk"]):
                    whole.add(share_of(Owner(owner_id, _by_kind(group))))
                return whole
        return None

    def payer(self, account_id: str) -> str:
        """Whose invoices have what an account is charged."""
        account = self.store.get(account_id, "account") or {}
        return account.get("invoiced_to") or account_id

    def next_number(self, seller: str, series: str) -> int | None:
        return (self.store.get(*series_key(seller, series)) or {}).get("next")

    def block(self, seller: str, series: str, number: int) -> Row | None:
        """The block on record that a number is in."""
        if seller not in self._blocks:
            told = self.store.query_all(seller, prefix=AUDIT_PREFIX, consistent=True)
            by_series = self._blocks[seller] = defaultdict(list)
            for row in sorted(row for item in told for row in block_rows(seller, item)):
                by_series[row[2]].append(row)
        blocks = self._blocks[seller].get(series, [])
        at = bisect_right(blocks, number, key=lambda row: row[3]) - 1
        return blocks[at] if at >= 0 and number < blocks[at][3] + blocks[at][5] else None

    def numbers(self, seller: str, series: str, first: int, end: int) -> Iterator[Row]:
        """Of the numbers from `first` to before `end`, in their order: documents that are there, and what runs hold."""
        missing, start = 0, self._first_block(seller, series, first)
        bounds = {"first": numbers_key(seller, series, start)[1], "last": numbers_key(seller, series, end - 1)[1]}
        for block in self.store.query_all(seller, consistent=True, **bounds):
            stop = block["first"] + block["count"]
            reserved = "run_id" in block and stop in self._held_by(block["run_id"], series)
            if reserved:
                yield SERIES, seller, series, block["first"], Of.RESERVED, stop
            else:
                sought = range(max(first, block["first"]), min(end, stop))
                there = list(self._documents(seller, block, sought))
                yield from there
                missing += len(sought) - len(there)
                if missing > _ENOUGH_MISSING:
                    return

    def _first_block(self, seller: str, series: str, number: int) -> int:
        """Where the last block begins that begins no later than a number."""
        (_, first), (_, last) = numbers_key(seller, series, 0), numbers_key(seller, series, number)
        found = self.store.query(seller, first=first, last=last, newest_first=True, limit=1, consistent=True).items
        return found[0]["first"] if found else number

    def _held_by(self, run_id: str, series: str) -> set[int]:
        """Where the blocks end that attempts of a run hold which are not closed."""
        attempts, numbered = (
            [*self.store.query_all(run_id, prefix=prefix, consistent=True)] for prefix in ("attempt#", "numbered#")
        )
        run = Owner(run_id, {"attempt": attempts, "numbered": numbered})
        return {numbers.stop for _, name, numbers in held(run) if name == series}

    def _documents(self, seller: str, block: Item, numbers: range) -> Iterator[Row]:
        missing = 0
        for batch, group in groupby(numbers, lambda number: (number - block["first"]) // INVOICES_PER_BATCH):
            drafts = self._drafts(block, batch)
            keys = {n: drafts[rank] for n in group if (rank := (n - block["first"]) % INVOICES_PER_BATCH) < len(drafts)}
            there = self.store.get_many([header_key(*draft) for draft in keys.values()], consistent=True)
            for number, draft in keys.items():
                item = there.get(header_key(*draft))
                row = document_row(Owner(draft[0], {}), item) if item else None
                if row is not None and row[1:4] == (seller, block["series"], number):
                    yield row
                else:
                    missing += 1
            if missing > _ENOUGH_MISSING or not keys:
                return

    def _drafts(self, block: Item, batch: int) -> list[tuple[str, str]]:
        if "invoice_id" in block:
            return [(block["account_id"], block["invoice_id"])]
        ranks = self.store.get(*ranks_key(block["run_id"], block["list_id"], batch))
        return [(account_id, invoice_id) for account_id, invoice_id in ranks["drafts"]] if ranks else []


def _by_kind(items: Iterator[Item]) -> dict[str, list[Item]]:
    by_kind: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        by_kind[item["kind"]].append(item)
    return by_kind
