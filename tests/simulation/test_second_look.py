"""However the records move while a look goes over them, nothing is told that is not so, and what is so is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from local.gateway.methods import CARDS
from saldo.catalog.model import Minimum
from saldo.catalog.service import Catalog
from saldo.insight.invariants import Violation, check_across, check_all, look_at
from saldo.insight.parts import BooksLook
from saldo.insight.second_look import SecondLook, readings
from saldo.invoicing.corrections import Corrections, CreditRequest
from saldo.invoicing.rules_corrections import Reason
from saldo.storage.claims import CLAIM
from saldo.storage.files import Files
from saldo.storage.items import Item
from saldo.storage.looks import Look
from saldo.storage.store import Store
from saldo.storage.units import Unit
from tests.simulation.region import ENTITY_ID, Region, quiet
from tests.simulation.workflows.corrections import TAX
from tests.simulation.workflows.payments import KEY, webhooks
from tests.simulation.workflows.scenes import (
    CLERK,
    FEB,
    JAN,
    account_id,
    bill,
    news,
    offer,
    open_account,
    open_invoices,
    pay,
    sell,
    use,
)
from tests.simulation.world import ENTITY, VERSION
from tests.streams import chain_all

Moved = Callable[[Region], None]
CUTS = 12  # of each look, evenly


class Torn(Store):
    """A store whose scan reads records before a place as they were, and those from there on as they are now."""

    def __init__(self, store: Store, before: list[Item], share: float, *, backwards: bool) -> None:
        super().__init__(store._client, store.table)
        self._before, self._share, self._backwards = before, share, backwards

    def scan(self, segment: int = 0, segments: int = 1) -> Iterator[Item]:
        now = list(super().scan(segment, segments))
        mine = {item["pk"] for item in now}
        records = {(item["pk"], item["sk"]): item for item in [*now, *(i for i in self._before if i["pk"] in mine)]}
        owners = sorted(mine, reverse=self._backwards)
        keys = sorted(records, key=lambda key: (owners.index(key[0]), key[1]))
        then, later = ({(i["pk"], i["sk"]): i for i in items} for items in (self._before, now))
        cut = int(len(keys) * self._share)
        yield from (then[key] for key in keys[:cut] if key in then)
        yield from (later[key] for key in keys[cut:] if key in later)


def torn(region: Region, before: list[Item]) -> Iterator[Torn]:
    for backwards in (False, True):
        for cut in range(1, CUTS):
            yield Torn(region.store, before, cut / CUTS, backwards=backwards)


def seen_by(store: Store, region: Region, parts: int) -> set[Violation]:
    """As `saldo check` sees it, or the hourly look in so many parts."""
    if not parts:
        return set(check_all(store).violations)
    look, books = Look("look_1", region.now, parts), BooksLook(store, Files(region.client("s3"), "work"))
    for part in range(parts):
        books.part(look, part)
    return set(books.together(look).report.violations)


@pytest.fixture
def region() -> Iterator[Region]:
    """Customers of whom one pays for another, which has missed its minimum."""
    one = Region()
    with quiet(), one.serving():
        offer(one)
        version = replace(VERSION, id="v_bounded", version=VERSION.version + 1, minimum=Minimum((Decimal(5000),)))
        Catalog(one.store, one.clock).publish(ENTITY.id, version, CLERK)
        for n in range(4):
            open_account(one, n)
            sell(one, n, version=version if n == 1 else VERSION)
        payer, member = (one.store.get(account_id(n), "account") or {} for n in (2, 1))
        moved = member | {"invoiced_to": payer["pk"], "organisation_id": payer["organisation_id"]}
        one.store.write_one(Unit("move").put(moved))
        bill(one, JAN)
        use(one, 0, "u", datetime(2026, 1, 20, 12, tzinfo=UTC), 40)
        chain_all(one.store, one.clock)
        assert check_all(one.store).violations == []
        yield one


def a_run(region: Region) -> None:
    bill(region, FEB)
    assert any(item.get("trued_up_minor") for item in region.store.scan() if item["kind"] == "minimum")


def a_credit_note(region: Region) -> None:
    invoice_id = open_invoices(region, 0)[0][0]
    ask = CreditRequest(account_id(0), invoice_id, "r1", Reason.PRICE, CLERK, net_minor=100)
    Corrections(region.store, region.clock, TAX).credit(ask)


def a_payment(region: Region) -> None:
    payment = pay(region, 0, KEY)
    region.book.pay_by_card(payment.gateway_ref, CARDS[0], region.now)
    region.queues.waiting = [("gateway", body) for body in news(region)]
    webhooks(region)
    assert not open_invoices(region, 0)


@pytest.mark.parametrize("parts", [0, 3])
@pytest.mark.parametrize("moved", [a_run, a_credit_note, a_payment])
def test_what_is_written_while_a_look_reads_is_no_violation(region: Region, moved: Moved, parts: int) -> None:
    before = list(region.store.scan())
    moved(region)
    assert set().union(*(seen_by(store, region, parts) for store in torn(region, before))) == set()


def test_seen_once_it_would_be(region: Region) -> None:
    """Or the test above proves nothing."""
    before, told = list(region.store.scan()), set()
    a_run(region)
    for store in torn(region, before):
        report, share = look_at(store.scan())
        told |= {violation.invariant for violation in [*report.violations, *check_across(share)]}
    assert {6, 8, 24} <= told


def a_number_lost(region: Region) -> None:
    _drop(next(i for i in region.store.scan() if i["kind"] == "invoice" and i.get("sequence") == 2), region)


def an_audit_record_lost(region: Region) -> None:
    _drop(next(i for i in region.store.scan() if i["kind"] == "audit" and i["action"] == "invoices.numbered"), region)


def a_balance_moved(region: Region) -> None:
    item = next(i for i in region.store.scan() if i["kind"] == "balance" and i["pk"] == account_id(3))
    region.store.write_one(Unit("bend").put(item | {"EUR receivables": item["EUR receivables"] + 1}))


def a_claim_of_nobody(region: Region) -> None:
    item = next(i for i in region.store.scan() if i["kind"] == "subscription")
    region.store.write_one(Unit("claim").put(item | {CLAIM: f"{account_id(0)}/none"}))


def _drop(item: Item, region: Region) -> None:
    region.store.write_one(Unit("drop").delete((item["pk"], item["sk"])))


@pytest.mark.parametrize("damage", [a_number_lost, an_audit_record_lost, a_balance_moved, a_claim_of_nobody])
def test_what_is_wrong_is_told_in_the_look_that_finds_it_whatever_moves(region: Region, damage: Moved) -> None:
    damage(region)
    wrong = set(check_all(region.store).violations)
    before = list(region.store.scan())
    assert wrong
    a_credit_note(region)
    for store in torn(region, before):
        assert seen_by(store, region, 0) == wrong


def test_records_read_twice_the_same_were_so_at_one_moment(region: Region) -> None:
    store = _Restless(region.store, times=2)
    *_, (reading, is_same) = readings(store, [ENTITY_ID])
    assert is_same
    assert reading == list(region.store.query_all(ENTITY_ID))
    assert [item["left"] for item in reading if item["kind"] == "moves"] == [0]


def test_of_an_owner_that_never_rests_only_what_every_reading_shows_is_told(region: Region) -> None:
    store = _Restless(region.store, times=1000)
    assert SecondLook(store).share(ENTITY_ID) is None
    assert check_all(store).violations == []
    a_balance_moved(region)
    assert {v.invariant for v in check_all(store).violations} == {3}


class _Restless(Store):
    """Something of an owner changes with each of so many readings of it."""

    def __init__(self, store: Store, times: int) -> None:
        super().__init__(store._client, store.table)
        self._times = times

    def query_all(self, pk: str, **bounds: Any) -> Iterator[Item]:
        if self._times:
            self._times -= 1
            self.write_one(Unit("move").put({"pk": pk, "sk": "moves", "kind": "moves", "left": self._times}))
        return super().query_all(pk, **bounds)
