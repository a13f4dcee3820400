"""Number a run's drafts: one block for all of them, each draft its rank in it.

A counter bumped per invoice caps a run's speed and leaves gaps when a worker dies. Here the drafts are listed and
frozen first; then one unit takes the block and ties it to that list. Repeating it finds the same list and numbers;
drafts that appear later (an account billed by a straggling worker) get a further block.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from saldo.accounts.records import entity_from
from saldo.invoicing.rules import series_name
from saldo.invoicing.run import records
from saldo.invoicing.run.model import ACCOUNTS_PER_BATCH, Attempt, BatchResult, Drafted
from saldo.kernel.errors import NotFound, Refusal, Unavailable
from saldo.storage.store import Store
from saldo.storage.units import Unit


@dataclass(frozen=True, slots=True)
class Block:
    """Numbers `first` … `first + count - 1` of a series, for the drafts ranked under `list_id`."""

    list_id: str
    first: int
    count: int

    @property
    def batches(self) -> list[str]:
        """`<list>.<batch>.<first number of the batch>` for each batch of ranks."""
        size = ACCOUNTS_PER_BATCH
        return [f"{self.list_id}.{i}.{self.first + i * size}" for i in range(-(-self.count // size))]


def number_invoices(store: Store, run_id: str, attempt_number: int) -> list[str]:
    """Give every draft of the attempt its number; returns the batches to issue. Safe to repeat and to run twice."""
    attempt = load_attempt(store, run_id, attempt_number)
    for _ in range(20):
        blocks = taken_blocks(store, attempt)
        fresh = _unnumbered(store, attempt, blocks)
        if not fresh:
            return [batch for block in blocks for batch in block.batches]
        _take_block(store, attempt, len(blocks), fresh)
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


def taken_blocks(store: Store, attempt: Attempt) -> list[Block]:
    items = store.query_all(attempt.run_id, prefix=records.numbered_prefix(attempt.number), consistent=True)
    return [Block(i["list_id"], i["first"], i["count"]) for i in items]


def _unnumbered(store: Store, attempt: Attempt, blocks: Sequence[Block]) -> list[Drafted]:
    keys = [records.ranks_key(attempt.run_id, block.list_id, i) for block in blocks for i in range(len(block.batches))]
    ranked = {row[1] for item in store.get_many(keys, consistent=True).values() for row in item["drafts"]}
    return [draft for draft in drafts_of(store, attempt) if draft.invoice_id not in ranked]


def _take_block(store: Store, attempt: Attempt, part: int, drafts: Sequence[Drafted]) -> None:
    """Freeze the ranks, then in one unit move the series on and bind the block to them; losing a race is no harm."""
    list_id = secrets.token_hex(6)
    size = ACCOUNTS_PER_BATCH
    store.put_many(
        [
            records.ranks_item(attempt.run_id, list_id, i // size, drafts[i : i + size])
            for i in range(0, len(drafts), size)
        ]
    )
    series = series_of(store, attempt)
    key = (attempt.entity_id, f"series#{series}")
    state = store.get(*key) or {}
    issued_on = attempt.as_of.isoformat()
    if state.get("last_issued_on", "") > issued_on:
        raise Refusal("numbers_would_go_back", f"{series} has numbers dated {state['last_issued_on']}")
    first = state.get("next", 1)
    unit = Unit(f"block {attempt.run_id} {attempt.number} {part}")
    unit.update(
        key,
        set={"kind": "series", "next": first + len(drafts), "last_issued_on": issued_on},
        when={"next": state.get("next")},
    )
    unit.insert(
        {
            "pk": attempt.run_id,
            "sk": f"{records.numbered_prefix(attempt.number)}{part:04d}",
            "kind": "numbered",
            "list_id": list_id,
            "series": series,
            "first": first,
            "count": len(drafts),
        }
    )
    store.write_one(unit)


def series_of(store: Store, attempt: Attempt) -> str:
    """The number series of the attempt's invoices: by seller's prefix, document kind and year of issue."""
    item = store.get(attempt.entity_id, "entity", consistent=False)
    if item is None:
        raise NotFound(f"no such legal entity: {attempt.entity_id}")
    return series_name(entity_from(item).number_prefix, attempt.as_of.year)
