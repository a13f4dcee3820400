"""A number leads to its document, whoever gave it out, without a record for each document."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from saldo.invoicing.corrections import Corrections
from saldo.invoicing.finding import FoundDocument, document_numbered
from saldo.invoicing.numbering import change_numbering
from saldo.invoicing.records import header_from
from saldo.storage.store import Store
from tests.simulation.test_corrections import CLERK, JAN, Desk
from tests.simulation.test_numbering import SETTINGS
from tests.simulation.world import ENTITY, World
from tests.unit.invoicing.scenes import TAX


def numbered(store: Store, accounts: list[str]) -> dict[str, FoundDocument]:
    """Every issued document by its number, read the long way."""
    items = [item for account in accounts for item in store.query_all(account, prefix="invoice#")]
    return {h.number: FoundDocument(h.account_id, h.invoice_id) for h in map(header_from, items)}


@pytest.mark.parametrize("name", SETTINGS)
def test_every_number_of_a_run_leads_to_its_invoice_and_no_other_text_does(name: str) -> None:
    world = World()
    accounts = world.found(23, started_on=JAN)
    change_numbering(world.store, world.clock, ENTITY.id, SETTINGS[name], CLERK)
    world.run(JAN)
    there = numbered(world.store, accounts)
    assert len(there) == 23
    for number, place in there.items():
        assert document_numbered(world.store, ENTITY.id, number) == place
    one = next(iter(there))
    for wrong in (f"{one}0", one[:-1] + "x", one.replace("1", "9", 1) + "9", "2026", "0", "-", "", "9" * 40, f" {one}"):
        assert wrong in there or document_numbered(world.store, ENTITY.id, wrong) is None, wrong
    assert document_numbered(world.store, "ent_eu_another", one) is None


def test_a_credit_note_and_what_is_billed_again_are_found_too() -> None:
    desk = Desk(accounts=3)
    Corrections(desk.world.store, desk.world.clock, TAX).credit(desk.asked())
    there = numbered(desk.world.store, desk.accounts)
    assert len(there) == 4
    for number, place in there.items():
        assert document_numbered(desk.world.store, ENTITY.id, number) == place


def test_a_number_that_was_taken_but_not_issued_yet_leads_nowhere() -> None:
    world = World()
    accounts = world.found(2, started_on=JAN)
    world.run(JAN)
    number, place = next(iter(numbered(world.store, accounts).items()))
    world.store.change((place.account_id, f"invoice#{place.invoice_id}"), set={"status": "draft"}, when={})
    assert document_numbered(world.store, ENTITY.id, number) is None


def test_finding_reads_a_few_records_however_many_there_are() -> None:
    world = World()
    world.now = datetime(2026, 1, 20, 9, tzinfo=UTC)
    accounts = world.found(60, started_on=JAN)
    world.run(JAN)
    for number in numbered(world.store, accounts):
        before = world.client.calls
        document_numbered(world.store, ENTITY.id, number)
        assert world.client.calls - before == 3  # the block, its list, the header
