"""Audit records go into chains from what the stream delivers: whatever dies on the way, each is linked once."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from saldo.audit.chain import AuditChain
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.insight.invariants import check_all
from saldo.kernel.errors import Unavailable
from saldo.storage.items import Item
from saldo.storage.store import Store
from saldo.storage.units import Unit
from tests.simulation.dynamodb import Crash
from tests.simulation.world import World

CLERK = Actor("usr_1", "staff")


def acted(accounts: int, months: int = 1) -> tuple[World, list[Item]]:
    """One act on each account a month, and the runs of these months, whose acts are the seller's."""
    world = World()
    ids = world.found(accounts, started_on=date(2026, 1, 1))
    for month in range(1, months + 1):
        world.run(date(2026, month, 1))
        acts = [AuditRecord(one, world.now, CLERK, "account.changed", one) for one in ids]
        world.store.put_many([audit_item(act) for act in acts])
    return world, audit_records(world.store)


def audit_records(store: Store) -> list[Item]:
    return [item for item in store.scan() if item["kind"] == "audit"]


def linked(world: World) -> list[str]:
    links = [item for item in world.store.scan() if item["kind"] == "chain"]
    return sorted(f"{item['pk']} {sk}" for item in links for sk, _ in item["records"])


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_function_that_dies_at_any_call_links_each_record_once_when_it_comes_again(when: str) -> None:
    _, records = acted(accounts=120)
    expected = sorted(f"{r['pk']} {r['sk'].removeprefix('audit#')}" for r in records)
    died, at = True, 0
    while died:
        at, died = at + 1, False
        again, _ = acted(accounts=120)
        chain, calls = AuditChain(again.store, again.clock), again.client.calls

        def fault(number: int, _operation: str, moment: str, dies_at: int = calls + at) -> None:
            if number == dies_at and moment == when:
                raise Crash

        again.client.fault = fault
        try:
            chain.link(records)
        except Crash:
            died = True
        again.client.fault = None
        AuditChain(again.store, again.clock).link(records)
        assert linked(again) == expected
        assert check_all(again.store).violations == []
    assert at > 2


def test_chains_grow_month_by_month_and_hold_under_the_auditor() -> None:
    world, records = acted(accounts=3, months=12)
    chain = AuditChain(world.store, world.clock)
    for record in sorted(records, key=lambda r: r["sk"]):
        chain.link([record])
    assert check_all(world.store).violations == []
    bent = audit_records(world.store)[5]
    world.store.write_one(Unit("bend").put(bent | {"reason": "none"}))
    assert [(v.invariant, v.owner_id) for v in check_all(world.store).violations] == [(4, bent["pk"])]


def test_a_table_that_keeps_refusing_is_an_outage_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    world, records = acted(accounts=2)
    chain = AuditChain(world.store, world.clock)

    def lost_race(units: list[Unit]) -> Any:
        from saldo.storage.units import Conflict

        return [Conflict(u.name, ()) for u in units]

    with monkeypatch.context() as patch:
        patch.setattr(world.store, "write", lost_race)
        with pytest.raises(Unavailable):
            chain.link(records)
    assert chain.link(records) == len(records)
