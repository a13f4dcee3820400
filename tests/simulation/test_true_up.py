"""Invoices estimated while the tax service was away are trued up when it is back: once, and the books stay right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from local.tax_services.faults import Fault
from local.tax_services.rating import NEW_YORK_CITY
from saldo.accounts.records import account_from, account_item, entity_item
from saldo.audit.model import Actor
from saldo.catalog.service import PlanVersions
from saldo.insight.invariants import check_all
from saldo.invoicing.codec import body_from_bytes
from saldo.invoicing.corrections import Corrections, CreditRequest
from saldo.invoicing.model import InvoiceBody
from saldo.invoicing.records import InvoiceHeader, body_key, header_from
from saldo.invoicing.records_true_up import true_up_key
from saldo.invoicing.rules_corrections import Reason
from saldo.invoicing.run.bill import Billing
from saldo.invoicing.true_ups import TrueUps
from saldo.ledger.model import LedgerAccount
from saldo.ledger.records import balances_from
from saldo.ledger.service import entries
from saldo.usage.service import UsageTotals
from tests.contexts.tax.scenes import Running, running
from tests.crashes import assert_survives_every_crash
from tests.simulation.world import ENTITY, World, account_id_of

JAN = date(2026, 1, 1)
CLERK = Actor("user_eu_clerk", "staff")


class TaxedWorld(World):
    """A seller in New York with a tax service; its customers are in Brooklyn."""

    tax: Running

    def billing(self) -> Billing:
        return Billing(self.store, PlanVersions(self.store), UsageTotals(self.store), self.tax.port)

    def settle(self, accounts: int) -> list[str]:
        ids = self.found(accounts, started_on=JAN)
        registrations = {"US-NY": "11-1"}
        self.store.put_many([entity_item(replace(ENTITY, country="US", region="NY", tax_registrations=registrations))])
        for account_id in ids:
            item = self.store.get(account_id, "account")
            assert item is not None
            there = replace(account_from(item), country="US", tax_region="NY", tax_postcode="11201", has_tax_id=False)
            self.store.put_many([account_item(there)])
        return ids

    def true_ups(self) -> TrueUps:
        self.tax.clock.now += 1000  # the circuit has rested
        return TrueUps(self.store, self.clock, self.tax.port)

    def headers(self, account_id: str) -> list[InvoiceHeader]:
        return [header_from(item) for item in self.store.query_all(account_id, prefix="invoice#")]

    def body(self, header: InvoiceHeader) -> InvoiceBody:
        item = self.store.get(*body_key(header.account_id, header.invoice_id))
        assert item is not None
        return body_from_bytes(item["body"])

    def outcome(self, header: InvoiceHeader) -> str:
        item = self.store.get(*true_up_key(header.account_id, header.invoice_id))
        assert item is not None
        return str(item["status"])

    def check(self) -> None:
        assert check_all(self.store).violations == []


@pytest.fixture(params=["avalara", "vertex"])
def world(request: pytest.FixtureRequest) -> Iterator[TaxedWorld]:
    with running(request.param) as tax:
        made = TaxedWorld()
        made.tax = tax
        yield made


def estimated(world: TaxedWorld, accounts: int = 1) -> list[str]:
    ids = world.settle(accounts)
    world.tax.script.always = Fault.STATUS_503
    world.run(JAN)
    world.tax.script.always = Fault.NONE
    world.now = datetime(2026, 1, 2, 9, tzinfo=UTC)
    return ids


def test_a_service_that_answers_leaves_nothing_to_true_up(world: TaxedWorld) -> None:
    (account,) = world.settle(1)
    world.run(JAN)
    (header,) = world.headers(account)
    body = world.body(header)
    assert (body.tax_estimated, body.tax_source) == (False, world.tax.service.name)
    assert len(body.tax_totals) == 3
    assert world.true_ups().run(ENTITY.id) == {}
    world.check()


def test_an_estimate_too_low_is_taken_back_and_billed_again_with_the_right_tax(world: TaxedWorld) -> None:
    (account,) = estimated(world)
    (first,) = world.headers(account)
    assert world.body(first).tax_estimated
    assert world.body(first).tax_minor == 226  # 4 % of 56.50
    assert world.true_ups().run(ENTITY.id) == {"corrected": 1}
    assert world.outcome(first) == "corrected"
    documents = {world.body(h).kind: world.body(h) for h in world.headers(account) if h.number != first.number}
    note, new = documents["credit_note"], documents["invoice"]  # type: ignore[index]  # by value
    assert note.tax_totals[0].tax_minor == -226
    assert (new.net_minor, new.tax_minor, new.tax_estimated) == (5650, 226 + 255 + 21, False)
    tags = {}
    for entry in entries(world.store, account):
        for p in entry.postings:
            if p.account is LedgerAccount.TAX_PAYABLE:
                tags[p.tag] = tags.get(p.tag, 0) + p.minor
    assert sorted(tags.values()) == [-255, -226, -21]
    world.check()


def test_it_is_done_once_however_often_the_job_runs(world: TaxedWorld) -> None:
    (account,) = estimated(world)
    assert world.true_ups().run(ENTITY.id) == {"corrected": 1}
    assert world.true_ups().run(ENTITY.id) == {}
    assert len(world.headers(account)) == 3


def test_a_crash_at_any_call_is_made_good_by_the_next_run() -> None:
    @contextmanager
    def scene() -> Iterator[TaxedWorld]:
        with running("avalara") as tax:
            made = TaxedWorld()
            made.tax = tax
            estimated(made)
            yield made

    def end_state(world: TaxedWorld) -> object:
        world.check()
        account = account_id_of(0)
        documents = sorted((h.number, h.total_minor, h.open_minor) for h in world.headers(account))
        return documents, balances_from(world.store.get(account, "balance"))

    calls = assert_survives_every_crash(
        scene, lambda world: [world.client], lambda world: world.true_ups().run(ENTITY.id), end_state
    )
    assert calls > 10


def test_a_right_estimate_is_confirmed(world: TaxedWorld) -> None:
    world.tax.book.rater = replace(world.tax.book.rater, locals=())
    (account,) = estimated(world)
    assert world.true_ups().run(ENTITY.id) == {"confirmed": 1}
    assert len(world.headers(account)) == 1
    world.check()


def test_a_little_too_low_is_the_sellers_own_and_moves_to_the_right_jurisdiction(world: TaxedWorld) -> None:
    small = replace(NEW_YORK_CITY[1], percent=Decimal("0.375"))
    world.tax.book.rater = replace(world.tax.book.rater, locals=(small,))
    (account,) = estimated(world)
    assert world.true_ups().run(ENTITY.id) == {"absorbed": 1}
    assert len(world.headers(account)) == 1, "the customer hears nothing"
    balances = balances_from(world.store.get(account, "balance"))
    assert balances["EUR", LedgerAccount.TAX_DIFFERENCE] == 21
    assert balances["EUR", LedgerAccount.TAX_PAYABLE] == -247
    world.check()


def test_too_high_always_goes_back_to_the_customer(world: TaxedWorld) -> None:
    (account,) = estimated(world)
    world.tax.book.rater = replace(
        world.tax.book.rater, seller=replace(world.tax.book.rater.seller, region="TX", registrations=frozenset())
    )
    assert world.true_ups().run(ENTITY.id) == {"corrected": 1}
    assert balances_from(world.store.get(account, "balance"))["EUR", LedgerAccount.RECEIVABLES] == 5650
    world.check()


def test_while_the_service_is_away_estimates_wait(world: TaxedWorld) -> None:
    ids = estimated(world, 3)
    world.tax.script.always = Fault.STATUS_500
    assert world.true_ups().run(ENTITY.id) == {"unavailable": 3}
    world.tax.script.always = Fault.WRONG_SUM
    assert world.true_ups().run(ENTITY.id) == {"unavailable": 3}
    world.tax.script.always = Fault.NONE
    assert world.true_ups().run(ENTITY.id) == {"corrected": 3}
    assert all(len(world.headers(account)) == 3 for account in ids)
    world.check()


def test_what_staff_took_back_whole_needs_no_true_up_and_in_part_needs_a_person(world: TaxedWorld) -> None:
    whole, part = estimated(world, 2)
    corrections = Corrections(world.store, world.clock, world.tax.port)
    for account, amounts in ((whole, {}), (part, {"1": 100})):
        (header,) = world.headers(account)
        asked = CreditRequest(account, header.invoice_id, "r1", Reason.PRICE, CLERK, amounts=amounts)
        corrections.credit(asked)
    assert world.true_ups().run(ENTITY.id) == {"credited": 1, "refused": 1}
    world.check()


def test_a_run_asks_about_many_accounts_at_once(world: TaxedWorld) -> None:
    world.settle(20)
    world.run(JAN)
    assert world.tax.script.calls == 20
    world.check()
