"""Number a run's drafts: one block of each series for all of its drafts, each draft its rank in it.

A counter bumped per invoice caps a run's speed and leaves gaps when a worker dies. Here the drafts are listed and
frozen first; then one unit takes the blocks and ties them to those lists. Repeating it finds the same lists and
numbers; drafts that appear later (an account billed by a straggling worker) get further blocks.

Each unit is the next part of the attempt and holds only if no other part came in between: whoever decided on an older
view of what is numbered already writes nothing and looks again. It carries the audit record of all that it numbers: the
blocks, and a digest of which documents of what amount are on their lists.
"""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from saldo.audit.model import AuditRecord, job
from saldo.audit.records import audit_item
from saldo.invoicing.records_numbers import claim, note_numbers, read_seller, read_series, series_fields, series_from
from saldo.invoicing.rules_numbers import Series, series_type
from saldo.invoicing.run import records
from saldo.invoicing.run.model import INVOICES_PER_BATCH, Attempt, Drafted, SetAside
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Unavailable
from saldo.storage.items import Item
from saldo.storage.store import Store
from saldo.storage.units import Unit

# Two writes a series would be 100 in one unit; the rest of them is for the part itself.
_MOST_SERIES = 45
_MOST_ATTEMPTS = 60
_WRITTEN_AT_ONCE = 25


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
        size = INVOICES_PER_BATCH
        return [f"{self.list_id}.{i}.{self.first + i * size}" for i in range(-(-self.count // size))]

    @property
    def numbers(self) -> tuple[str, str]:
        """Its first and its last number, as they are written."""
        return self.series.number(self.first), self.series.number(self.first + self.count - 1)


def number_invoices(
    store: Store, clock: Clock, run_id: str, attempt_number: int, correlation_id: str = ""
) -> list[str]:
    """Give every draft of the attempt its number; returns the batches to issue. Safe to repeat and to run twice.

    Drafts are taken batch by batch: memory does not grow with their number. correlation_id: of the act that asked for
    them, else the run's own id.
    """
    attempt = load_attempt(store, run_id, attempt_number)
    for tried in range(_MOST_ATTEMPTS):
        parts = taken_parts(store, attempt)
        blocks = [block for part in parts for block in part]
        lists = _rank(store, attempt, _unnumbered(store, attempt, blocks))
        if not lists:
            return [batch for block in blocks for batch in block.batches]
        if not _take_blocks(store, clock, attempt, len(parts), lists, correlation_id or run_id):
            time.sleep(random.uniform(0, 0.002 * min(tried, 20)))  # noqa: S311 - jitter, not a secret
    raise Unavailable("the number series is contended; repeat the step")


def load_attempt(store: Store, run_id: str, number: int) -> Attempt:
    item = store.get(*records.attempt_key(run_id, number))
    if item is None:
        raise NotFound(f"no attempt {number} of {run_id}")
    return records.attempt_from(item)


def batches_of(store: Store, attempt: Attempt) -> Iterator[tuple[Drafted, ...]]:
    """The drafts of the attempt, batch by batch."""
    items = store.query_all(attempt.run_id, prefix=records.result_prefix(attempt.number), consistent=True)
    return map(records.drafted_from, items)


def drafts_of(store: Store, attempt: Attempt) -> Iterator[Drafted]:
    """Every draft the attempt froze, in number order: by account, then invoice, as its batches are."""
    for drafts in batches_of(store, attempt):
        yield from sorted(drafts, key=lambda d: (d.account_id, d.invoice_id))


def set_aside_of(store: Store, attempt: Attempt) -> list[SetAside]:
    """The accounts that an attempt could not bill, each with the reason; batch by batch."""
    items = store.query_all(attempt.run_id, prefix=records.aside_prefix(attempt.number), consistent=True)
    return [aside for item in items for aside in records.set_aside_from(item)]


def attempt_with_aside(store: Store, run_id: str, number: int) -> tuple[Attempt, list[SetAside]]:
    """An attempt and the accounts that it could not bill, in one call. NotFound."""
    own, (_, last) = records.aside_prefix(number), records.attempt_key(run_id, number)
    found = {
        item["sk"]: item for item in store.query_all(run_id, first=own, last=last)
    }  # later attempts' are among them
    if last not in found:
        raise NotFound(f"no attempt {number} of {run_id}")
    asides = [item for sk, item in found.items() if sk.startswith(own)]
    return records.attempt_from(found[last]), [aside for item in asides for aside in records.set_aside_from(item)]


def taken_parts(store: Store, attempt: Attempt) -> list[list[Block]]:
    """What the attempt took so far, part by part."""
    items = store.query_all(attempt.run_id, prefix=records.numbered_prefix(attempt.number), consistent=True)
    return [[Block(r["list_id"], r["first"], r["count"], series_from(r)) for r in i["blocks"]] for i in items]


def taken_blocks(store: Store, attempt: Attempt) -> list[Block]:
    return [block for part in taken_parts(store, attempt) for block in part]


def _unnumbered(store: Store, attempt: Attempt, blocks: Sequence[Block]) -> Iterator[Drafted]:
    """Drafts on no list. Lists are only looked at where there are more drafts than numbers."""
    if not blocks:
        return drafts_of(store, attempt)
    if sum(1 for _ in drafts_of(store, attempt)) == sum(block.count for block in blocks):
        return iter(())
    keys = [records.ranks_key(attempt.run_id, block.list_id, i) for block in blocks for i in range(len(block.batches))]
    ranked = {row[1] for item in store.get_many(keys, consistent=True).values() for row in item["drafts"]}
    return (draft for draft in drafts_of(store, attempt) if draft.invoice_id not in ranked)


@dataclass(slots=True)
class _Ranking:
    """A list of drafts of one series as it is written, batch by batch. `digest`: of all that is on it, in order."""

    series: Series
    id: str = field(default_factory=lambda: secrets.token_hex(6))
    waiting: list[Drafted] = field(default_factory=list)
    count: int = 0
    digest: Any = field(default_factory=sha256)

    def add(self, draft: Drafted) -> None:
        self.waiting.append(draft)
        self.digest.update(
            records.ranked_line(draft.account_id, draft.invoice_id, draft.currency, draft.total_minor).encode()
        )
        self.count += 1

    def batch(self, run_id: str) -> Item:
        """What waits, as the next batch of ranks."""
        item = records.ranks_item(run_id, self.id, (self.count - 1) // INVOICES_PER_BATCH, self.waiting, self.series)
        self.waiting = []
        return item


def _rank(store: Store, attempt: Attempt, drafts: Iterable[Drafted]) -> list[_Ranking]:
    """Freeze these drafts in lists, one a series, in number order; two kinds of document may share one."""
    lists: dict[Series, _Ranking] = {}
    series_of = _series_of(store, attempt)
    full: list[Item] = []
    for draft in drafts:
        series = series_of(draft)
        if series not in lists and len(lists) == _MOST_SERIES:
            continue  # its turn comes with the next part
        ranking = lists.setdefault(series, _Ranking(series))
        ranking.add(draft)
        if len(ranking.waiting) == INVOICES_PER_BATCH:
            full.append(ranking.batch(attempt.run_id))
        if len(full) == _WRITTEN_AT_ONCE:
            store.put_many(full)
            full = []
    store.put_many(full + [ranking.batch(attempt.run_id) for ranking in lists.values() if ranking.waiting])
    return list(lists.values())


def _series_of(store: Store, attempt: Attempt) -> Callable[[Drafted], Series]:
    seller = read_seller(store, attempt.entity_id)

    def series_of(draft: Drafted) -> Series:
        return seller.series(series_type(draft.kind, one_off=attempt.is_one_off), attempt.as_of, draft.account_id)

    return series_of


def _take_blocks(
    store: Store, clock: Clock, attempt: Attempt, part: int, lists: Sequence[_Ranking], correlation_id: str
) -> bool:
    """In one unit move each series on and bind the blocks to the lists, on record; losing a race is no harm."""
    states = read_series(store, attempt.entity_id, [ranking.series.name for ranking in lists])
    unit = Unit(f"blocks {attempt.run_id} {attempt.number} {part}")
    wanted = [(ranking.series, ranking.count) for ranking in lists]
    firsts = claim(unit, attempt.entity_id, wanted, attempt.as_of, states)
    rows = [
        {"list_id": r.id, "first": first, "count": r.count, **series_fields(r.series)}
        for r, first in zip(lists, firsts, strict=True)
    ]
    unit.insert(records.numbered_item(attempt, part, rows))
    for r, first in zip(lists, firsts, strict=True):
        taken_by = {"run_id": attempt.run_id, "list_id": r.id}
        note_numbers(unit, attempt.entity_id, r.series, first, r.count, taken_by)
    said = [
        records.numbered_block(r.series, first, r.count, r.digest.hexdigest())
        for r, first in zip(lists, firsts, strict=True)
    ]
    actor = job("invoice_run", correlation_id)
    subject = f"{attempt.run_id}#{attempt.number}#{part}"
    audited = AuditRecord(attempt.entity_id, clock(), actor, records.NUMBERED, subject, after={"blocks": said})
    return store.write_one(unit.put(audit_item(audited))) is None
