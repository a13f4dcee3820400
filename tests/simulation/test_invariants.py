"""The auditor tells what is wrong; a damaged record does not stop it."""

from __future__ import annotations

from datetime import date

from saldo.insight.invariants import check_all
from saldo.storage.units import Unit
from tests.simulation.world import World


def test_an_entry_that_does_not_balance_is_told_and_the_rest_is_still_checked() -> None:
    world = World()
    accounts = world.found(3, started_on=date(2026, 1, 1))
    world.run(date(2026, 1, 1))
    entry = world.store.query(accounts[0], prefix="entry#").items[0]
    first, *others = entry["postings"]
    bent = entry | {"postings": [first | {"minor": first["minor"] + 1}, *others]}
    world.store.write_one(Unit("bend").put(bent))
    found = {(v.invariant, v.owner_id) for v in check_all(world.store).violations}
    assert (1, accounts[0]) in found
    assert {owner for _, owner in found} == {accounts[0]}
