"""Invoice headers: as they went in, and settled only by what is still open."""

from __future__ import annotations

from dataclasses import replace

import pytest

from saldo.invoicing import records
from saldo.invoicing.records import InvoiceStatus, Numbered
from saldo.invoicing.records_moves import settle_update
from saldo.kernel.errors import Refusal
from saldo.storage.units import Unit
from tests.contexts.conftest import Region
from tests.contexts.payments.scenes import ACCOUNT, header


def test_a_header_comes_back_as_it_went_in(region: Region) -> None:
    written = header("inv_1", 11_900)
    region.store.write_one(Unit("put").insert(records.header_item(written)))
    item = region.store.get(*records.header_key(ACCOUNT, "inv_1"))
    assert item is not None and records.header_from(item) == written


def test_an_open_invoice_is_on_the_agenda_until_it_is_paid(region: Region) -> None:
    first = header("inv_1", 11_900)
    region.store.write_one(Unit("put").insert(records.header_item(first)))
    assert [i["invoice_id"] for i in region.store.query(records.open_agenda(ACCOUNT), agenda=True).items] == ["inv_1"]

    unit = Unit("part")
    part_paid = settle_update(unit, first, 11_000, region.clock())
    assert region.store.write_one(unit) is None
    assert (part_paid.status, part_paid.open_minor) == (InvoiceStatus.PART_PAID, 900)

    unit = Unit("rest")
    paid = settle_update(unit, part_paid, 900, region.clock())
    assert region.store.write_one(unit) is None
    assert region.store.query(records.open_agenda(ACCOUNT), agenda=True).items == []
    item = region.store.get(*records.header_key(ACCOUNT, "inv_1"))
    assert item is not None and records.header_from(item) == paid
    assert [h.status for h in paid.history] == ["issued", "part_paid", "paid"]


def test_a_draft_is_on_no_agenda_and_cannot_be_paid(region: Region) -> None:
    draft = replace(header("inv_1", 11_900), status=InvoiceStatus.DRAFT, number="")
    assert "agenda_pk" not in records.header_item(draft)
    with pytest.raises(Refusal, match="not_payable"):
        settle_update(Unit("draft"), draft, 1, region.clock())


def test_two_who_settle_the_same_balance_do_not_both_succeed(region: Region) -> None:
    read = header("inv_1", 11_900)
    region.store.write_one(Unit("put").insert(records.header_item(read)))
    for name, holds in (("one", True), ("two", False)):
        unit = Unit(name)
        settle_update(unit, read, 11_900, region.clock())
        assert (region.store.write_one(unit) is None) is holds


@pytest.mark.parametrize("minor", [0, -1, 11_901])
def test_no_more_than_what_is_open_is_applied(minor: int) -> None:
    read = header("inv_1", 11_900)
    with pytest.raises(Refusal, match="over_open_balance"):
        settle_update(Unit("too much"), read, minor, read.history[0].at)


def test_a_document_goes_on_the_open_list_when_it_is_issued(region: Region) -> None:
    draft = replace(header("inv_1", 11_900), status=InvoiceStatus.DRAFT, number="", history=())
    issued = records.issued_header(draft, Numbered("EU-1", "EU", 1), region.clock())
    region.store.write_one(Unit("issue").insert(records.header_item(issued)))
    assert [i["number"] for i in region.store.query(records.open_agenda(ACCOUNT), agenda=True).items] == ["EU-1"]
    with pytest.raises(Refusal, match="already_issued"):
        records.issued_header(issued, Numbered("EU-2", "EU", 2), region.clock())


def test_an_invoice_of_nothing_is_paid_when_it_is_issued(region: Region) -> None:
    draft = replace(header("inv_1", 0), status=InvoiceStatus.DRAFT, number="", history=())
    issued = records.issued_header(draft, Numbered("EU-1", "EU", 1), region.clock())
    assert [h.status for h in issued.history] == ["issued", "paid"]
    assert "agenda_pk" not in records.header_item(issued)
