"""Number a run's drafts: one block of each series for all of its drafts, each draft its rank in it.

A counter bumped per invoice caps a run's speed and leaves gaps when a worker dies. Here the drafts are listed and
frozen first; then one unit takes the blocks and ties them to those lists. Repeating it finds the same lists and
numbers; drafts that appear later (an account billed by a straggling worker) get further blocks.

Each unit is the next part of the attempt and holds only if no other part came in between: whoever decided on an older
view of what is numbered already writes nothing and looks again.
"""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from saldo.invoicing.records_numbers import claim, read_seller, read_series
from saldo.invoicing.rules_numbers import Series, series_type
from saldo.invoicing.run import records
from saldo.invoicing.run.model import ACCOUNTS_PER_BATCH, Attempt, BatchResult, Drafted
from saldo.kernel.errors import NotFound, Unavailable
from saldo.storage.store import Store
from saldo.storage.units import Unit

# Two writes a series would be 100 in one unit; the rest of them is for the part itself.
_MOST_SERIES = 45
_MOST_ATTEMPTS = 60


@dataclass(frozen=True, slots=True)
class Block:
    """Numbers `first` … `first + count - 1` of a series, for the drafts ranked under `list_id`."""

    list_id: str
    first: int
    count: int
    series: Series

    @property
    def batches(self) -> list[str]:
        """`<list>.<batch>.<first number of the batch>` for each batch of ranks."""
        size = ACCOUNTS_PER_BATCH
        return [f"{self.list_id}.{i}.{self.first + i * size}" for i in range(-(-self.count // size))]

    @property
    def numbers(self) -> tuple[str, str]:
        """Its first and its last number, as they are written."""
        return self.series.number(self.first), self.series.number(self.first + self.count - 1)


def number_invoices(store: Store, run_id: str, attempt_number: int) -> list[str]:
    """Give every draft of the attempt its number; returns the batches to issue. Safe to repeat and to run twice."""
    attempt = load_attempt(store, run_id, attempt_number)
    for tried in range(_MOST_ATTEMPTS):
        parts = taken_parts(store, attempt)
        blocks = [block for part in parts for block in part]
        fresh = _unnumbered(store, attempt, blocks)
        if not fresh:
            return [batch for block in blocks for batch in block.batches]
        if not _take_blocks(store, attempt, len(parts), fresh):
            time.sleep(random.uniform(0, 0.002 * min(tried, 20)))  # noqa: S311 - jitter, not a secret
    raise Unavailable("the number series is contended; repeat the step")


def load_attempt(store: Store, run_id: str, number: int) -> Attempt:
    item = store.get(*records.attempt_key(run_id, number))
    if item is None:
        raise NotFound(f"no attempt {number} of {run_id}")
    return records.attempt_from(item)


def results_of(store: Store, attempt: Attempt) -> list[BatchResult]:
    """What became of each batch of the attempt, batch by batch."""
    items = store.query_all(attempt.run_id, prefix=records.result_prefix(attempt.number), consistent=True)
    return [records.result_from(item) for item in items]


def in_number_order(results: Iterable[BatchResult]) -> list[Drafted]:
    """Every draft of these results, by account, then invoice."""
    return sorted((d for result in results for d in result.drafts), key=lambda d: (d.account_id, d.invoice_id))


def drafts_of(store: Store, attempt: Attempt) -> list[Drafted]:
    """Every draft the attempt froze, in number order."""
    return in_number_order(results_of(store, attempt))


def taken_parts(store: Store, attempt: Attempt) -> list[list[Block]]:
    """What the attempt took so far, part by part."""
    items = store.query_all(attempt.run_id, prefix=records.numbered_prefix(attempt.number), consistent=True)
    return [[Block(r["list_id"], r["first"], r["count"], records.series_from(r)) for r in i["blocks"]] for i in items]


def taken_blocks(store: Store, attempt: Attempt) -> list[Block]:
    return [block for part in taken_parts(store, attempt) for block in part]


def _unnumbered(store: Store, attempt: Attempt, blocks: Sequence[Block]) -> list[Drafted]:
    keys = [records.ranks_key(attempt.run_id, block.list_id, i) for block in blocks for i in range(len(block.batches))]
    ranked = {row[1] for item in store.get_many(keys, consistent=True).values() for row in item["drafts"]}
    return [draft for draft in drafts_of(store, attempt) if draft.invoice_id not in ranked]


def _take_blocks(store: Store, attempt: Attempt, part: int, fresh: Sequence[Drafted]) -> bool:
    """Freeze the ranks, then in one unit move each series on and bind the blocks to them; losing a race is no harm."""
    lists = dict(list(_by_series(store, attempt, fresh).items())[:_MOST_SERIES])
    ids = {series: secrets.token_hex(6) for series in lists}
    store.put_many(
        [
            records.ranks_item(
                attempt.run_id, ids[series], i // ACCOUNTS_PER_BATCH, drafts[i : i + ACCOUNTS_PER_BATCH], series
            )
            for series, drafts in lists.items()
            for i in range(0, len(drafts), ACCOUNTS_PER_BATCH)
        ]
    )
    states = read_series(store, attempt.entity_id, [series.name for series in lists])
    unit = Unit(f"blocks {attempt.run_id} {attempt.number} {part}")
    wanted = [(series, len(drafts)) for series, drafts in lists.items()]
    firsts = claim(unit, attempt.entity_id, wanted, attempt.as_of, states)
    rows = [
        {"list_id": ids[series], "first": first, "count": count, **records.series_fields(series)}
        for (series, count), first in zip(wanted, firsts, strict=True)
    ]
    unit.insert(records.numbered_item(attempt, part, rows))
    return store.write_one(unit) is None


def _by_series(store: Store, attempt: Attempt, drafts: Sequence[Drafted]) -> dict[Series, list[Drafted]]:
    """The drafts of each series, in number order; two kinds of document may share one."""
    seller = read_seller(store, attempt.entity_id)
    found: dict[Series, list[Drafted]] = {}
    for draft in drafts:
        kind = series_type(draft.kind, one_off=attempt.is_one_off)
        found.setdefault(seller.series(kind, attempt.as_of, draft.account_id), []).append(draft)
    return found
