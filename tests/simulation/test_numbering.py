"""Numbers under many workers at once: no gap, no clash, no draft left behind, dates that never fall."""

from __future__ import annotations

import random
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saldo.audit.model import Actor
from saldo.insight.invariants import check_all
from saldo.invoicing.numbering import change_numbering
from saldo.invoicing.records import draft_header, header_item
from saldo.invoicing.rules_numbers import Numbering, Restart, SeriesRule, SeriesType
from saldo.invoicing.run import records
from saldo.invoicing.run.model import INVOICES_PER_BATCH, Attempt, Drafted, RunState
from saldo.invoicing.run.number import number_invoices, taken_blocks
from saldo.invoicing.status import DocumentKind
from saldo.kernel.errors import Refusal
from saldo.storage.items import Item
from tests.simulation.world import ENTITY, World

ON = date(2026, 3, 1)
CLERK = Actor("user_eu_clerk", "staff")
WORKERS = 32

SETTINGS = {
    "the country's": Numbering(),
    "one common series": Numbering(
        dict.fromkeys((SeriesType.INVOICE, SeriesType.CREDIT_NOTE), SeriesRule("{prefix}-{n}", Restart.NEVER))
    ),
    "by customer": Numbering({SeriesType.INVOICE: SeriesRule("{customer}-{year}-{n:03}")}),
}


def attempt(number: int, on: date = ON) -> Attempt:
    return Attempt("run_eu_seller_20260301", number, ENTITY.id, on, RunState.OPEN, "plan", 0, False, "")


def drafts_of(number: int, batch: int, count: int) -> list[Drafted]:
    kinds = (DocumentKind.INVOICE, DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE)
    ids = [f"{number:02}{batch:03}{i:04}" for i in range(count)]
    return [Drafted(f"acct_eu_c{i % 5}", f"inv_{d}", "EUR", 100, 100, kinds[i % 3]) for i, d in enumerate(ids)]


def numbers_of(world: World, *attempts: Attempt) -> dict[str, list[tuple[int, str, str]]]:
    """By series: rank, date and document of each number that was given out."""
    found: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    for one in attempts:
        for block in taken_blocks(world.store, one):
            for i in range(len(block.batches)):
                item = world.store.get(*records.ranks_key(one.run_id, block.list_id, i))
                assert item is not None
                for rank, row in enumerate(item["drafts"], block.first + i * INVOICES_PER_BATCH):
                    found[block.series.name].append((rank, one.as_of.isoformat(), row[1]))
    return {series: sorted(rows) for series, rows in found.items()}


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.integers(0, 70), min_size=1, max_size=10),
    st.sampled_from(sorted(SETTINGS)),
    st.randoms(use_true_random=False),
)
def test_32_parallel_workers_leave_no_gap_no_clash_and_no_stuck_draft(
    batches: list[int], setting: str, chance: random.Random
) -> None:
    """Two attempts of a day are numbered at once, each by 16 workers, while batches are still being billed."""
    world = World()
    world.found(0)
    change_numbering(world.store, world.clock, ENTITY.id, SETTINGS[setting], CLERK)
    attempts = [attempt(1), attempt(2)]
    world.store.put_many([records.attempt_item(a) for a in attempts])
    waiting = [
        records.result_item(a.run_id, a.number, f"{i:05}", drafts_of(a.number, i, count))
        for a in attempts
        for i, count in enumerate(batches)
    ]
    chance.shuffle(waiting)

    def work(worker: int) -> None:
        one = attempts[worker % 2]
        if worker < len(waiting):
            world.store.put_many([waiting[worker]])
        number_invoices(world.store, world.clock, one.run_id, one.number)

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(work, range(WORKERS)))
    for one in attempts:  # the run's own order: it numbers once more after the last batch is in
        number_invoices(world.store, world.clock, one.run_id, one.number)
    given_out = numbers_of(world, *attempts)
    documents = [row[2] for rows in given_out.values() for row in rows]
    wanted = [d.invoice_id for a in attempts for i, count in enumerate(batches) for d in drafts_of(a.number, i, count)]
    assert sorted(documents) == sorted(wanted), "each draft has one number"
    for series, rows in given_out.items():
        assert [rank for rank, _, _ in rows] == list(range(1, len(rows) + 1)), f"{series} has a gap or a clash"
        state = world.store.get(ENTITY.id, f"series#{series}")
        assert state is not None and state["next"] == len(rows) + 1
    texts = [
        b.series.number(n)
        for a in attempts
        for b in taken_blocks(world.store, a)
        for n in range(b.first, b.first + b.count)
    ]
    assert len(set(texts)) == len(texts)


def test_numbers_taken_between_a_look_and_its_write_are_not_taken_again() -> None:
    world = World()
    world.found(0)
    first, second = attempt(1), attempt(2)
    for one in (first, second):
        drafted = drafts_of(one.number, 0, 3)
        world.store.put_many([records.attempt_item(one), records.result_item(one.run_id, one.number, "00000", drafted)])

    def meddle(_number: int, operation: str, when: str) -> None:
        if operation == "TransactWriteItems" and when == "before":
            world.client.fault = None
            number_invoices(world.store, world.clock, second.run_id, second.number)

    world.client.fault = meddle
    number_invoices(world.store, world.clock, first.run_id, first.number)
    given_out = numbers_of(world, first, second)
    assert {series: [rank for rank, _, _ in rows] for series, rows in given_out.items()} == {
        "RW-2026": [1, 2, 3, 4],
        "RW-RK-2026": [1, 2],
    }
    assert len({document for rows in given_out.values() for _, _, document in rows}) == 6


def test_a_later_day_goes_on_in_the_series_and_dates_never_fall() -> None:
    world = World()
    world.found(0)
    attempts = [attempt(1), attempt(2, date(2026, 3, 2)), attempt(3)]
    for one in attempts:
        drafts = tuple(drafts_of(one.number, 0, 60))
        item = records.result_item(one.run_id, one.number, "00000", drafts)
        world.store.put_many([records.attempt_item(one), item])
    number_invoices(world.store, world.clock, attempts[0].run_id, 1)
    number_invoices(world.store, world.clock, attempts[1].run_id, 2)
    with pytest.raises(Refusal, match="numbers_would_go_back"):
        number_invoices(world.store, world.clock, attempts[2].run_id, 3)
    for rows in numbers_of(world, *attempts[:2]).values():
        assert all(one[1] <= later[1] for one, later in pairwise(rows))


def test_settings_changed_between_numbering_and_issue_do_not_change_the_numbers() -> None:
    world = World()
    world.found(3, started_on=date(2026, 1, 1))
    changed = Numbering({SeriesType.INVOICE: SeriesRule("N{n}/{year}")})

    def step(act: object) -> object:
        answer = act()  # type: ignore[operator]
        if isinstance(answer, list):
            change_numbering(world.store, world.clock, ENTITY.id, changed, CLERK)
        return answer

    closed = world.run(date(2026, 1, 1), repeat=step)
    assert (closed.first_number, closed.last_number) == ("RW-2026-000001", "RW-2026-000003")
    assert world.run(date(2026, 2, 1)).first_number == "N1/2026"
    assert check_all(world.store).violations == []


def test_the_check_finds_a_missing_number() -> None:
    world = World()
    world.found(3, started_on=date(2026, 1, 1))
    world.run(date(2026, 1, 1))
    item: Item = next(i for i in world.store.scan() if i["kind"] == "invoice" and i["number"] == "RW-2026-000002")
    world.store.put_many([item | {"sequence": 7, "number": "RW-2026-000007"}])
    assert {v.invariant for v in check_all(world.store).violations} == {8, 24}


def test_a_credit_note_that_a_run_drafts_is_settled_when_issued() -> None:
    from saldo.invoicing.model import Draft
    from saldo.invoicing.rules import bill
    from saldo.invoicing.rules_credit_notes import credit_note, whole
    from tests.unit.invoicing.scenes import BASE, BUYER, TAX, case_of, plan, sold  # the pure scenes

    version = plan(BASE)
    outcome = bill(case_of(version, sold(version, ON), as_of=ON), TAX)
    assert isinstance(outcome, Draft)
    note = credit_note(outcome.body, ON, whole(outcome.body))
    header = draft_header(note, "run_1")
    assert (header.open_minor, header.document, header.of_invoice) == (0, "credit_note", outcome.body.id)
    assert "agenda_pk" not in header_item(header) and BUYER.id == header.account_id
