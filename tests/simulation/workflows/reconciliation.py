"""A look over all records: what does not agree becomes a task, and ends when it agrees again."""

from __future__ import annotations

from datetime import timedelta

from functions.services import differences
from saldo.reconciliation.model import DifferenceState
from saldo.storage.looks import parts_of
from saldo.storage.units import Unit
from tests.simulation.region import ENTITY_ID, Region
from tests.simulation.workflows import invoke, small_parts, whole, workflow
from tests.simulation.workflows.scenes import CLERK, account_id, billed
from tests.streams import chain_all

_LOOK = "operations.check_invariants"


def stored(region: Region, off_by: int, n: int = 1) -> None:
    """A stored balance is so much off what its entries come to."""
    store, account = region.store, account_id(n)
    item = store.get(account, "balance")
    legs = [leg for entry in store.query_all(account, prefix="entry#") for leg in entry["postings"]]
    assert item is not None
    minor = sum(leg["minor"] for leg in legs if leg["account"] == "receivables")
    store.write_one(Unit("bend").put(item | {"EUR receivables": minor + off_by}))


def bent(region: Region) -> None:
    billed(region)
    stored(region, off_by=7)


def found(region: Region) -> None:
    bent(region)
    invoke(_LOOK, {})
    chain_all(region.store, region.clock)
    region.now += timedelta(hours=1)


def mended(region: Region) -> None:
    found(region)
    stored(region, off_by=0)


@workflow("reconciliation: found", prepare=bent)
def look(region: Region) -> None:
    with region.undisturbed():
        stored(region, off_by=7)
    invoke(_LOOK, {})
    with region.undisturbed():
        assert {one.invariant for one in differences().of(ENTITY_ID, 9)} >= {3}
        stored(region, off_by=0)  # what is held after each workflow is that the records agree


@workflow("reconciliation: gone", prepare=mended)
def look_again(region: Region) -> None:
    invoke(_LOOK, {})
    with region.undisturbed():
        assert {one.state for one in differences().of(ENTITY_ID, 9)} == {DifferenceState.GONE}


@workflow("reconciliation: found and gone, in parts", prepare=mended)
@small_parts()
def look_in_parts(region: Region) -> None:
    """What was mended is gone, and what is bent meanwhile is found, by one look of many parts."""
    with region.undisturbed():
        stored(region, off_by=7, n=2)
        assert 2 < parts_of(region.store) < 9, parts_of(region.store)
    whole(region, _LOOK)
    with region.undisturbed():
        states = {one.owner_id: one.state for one in differences().of(ENTITY_ID, 99) if one.invariant == 3}
        assert states == {account_id(1): DifferenceState.GONE, account_id(2): DifferenceState.OPEN}
        stored(region, off_by=0, n=2)


@workflow("reconciliation: taken", prepare=found)
def take(region: Region) -> None:
    for one in differences().of(ENTITY_ID, 9):
        differences().take(ENTITY_ID, one.id, CLERK, "a job wrote the balance twice")
    with region.undisturbed():
        stored(region, off_by=0)
