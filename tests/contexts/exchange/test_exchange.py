"""Rates come in as published, and a document is booked at the one of its day or the last before it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from saldo.audit.model import Actor
from saldo.exchange.model import RatePolicy
from saldo.exchange.reading import rates_in
from saldo.exchange.service import ExchangeRates, RateImport
from saldo.insight.invariants import check_all
from saldo.invoicing.codec import body_from_bytes
from saldo.invoicing.run.number import set_aside_of
from saldo.kernel.errors import Refusal
from saldo.kernel.exchange import ExchangeRate
from saldo.kernel.ids import double_id
from saldo.kernel.money import Money
from saldo.ledger.rules import base_amounts
from saldo.ledger.service import entries
from tests.simulation.world import ENTITY, World

CLERK = Actor("user_eu_clerk", "staff")
XML = b"""<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
  <gesmes:subject>Reference rates</gesmes:subject>
  <Cube>
    <Cube time="2026-01-02"><Cube currency="USD" rate="1.1721"/><Cube currency="JPY" rate="184.21"/></Cube>
    <Cube time="2025-12-31"><Cube currency="USD" rate="1.1750"/><Cube currency="GBP" rate="0.8726"/></Cube>
  </Cube>
</gesmes:Envelope>"""
CSV = b"Date, USD, GBP, CYP, \n02 January 2026, 1.1721, 0.8700, N/A, \n"


def bank() -> tuple[World, RateImport]:
    world = World()
    world.found(0)
    rates = RateImport(world.store, world.clock)
    rates.set_policy(ENTITY.id, RatePolicy(), CLERK)
    return world, rates


def test_a_seller_that_has_not_said_whose_rates_it_books_at_books_none() -> None:
    world = World()
    world.found(0)
    assert ExchangeRates(world.store).rate_for(ENTITY.id, ENTITY.currency, "USD", date(2026, 1, 2)) is None


def test_a_file_comes_in_once_however_often_it_is_sent() -> None:
    world, rates = bank()
    assert [rates.import_file("ECB", XML, CLERK) for _ in range(3)] == [4, 0, 0]
    assert rates.import_file("ECB", CSV, CLERK) == 1, "only the pound of 2 January is new"
    assert check_all(world.store).violations == []


def test_a_file_that_says_otherwise_is_refused_whole() -> None:
    world, rates = bank()
    rates.import_file("ECB", XML, CLERK)
    with pytest.raises(Refusal, match="rate_differs") as refused:
        rates.import_file("ECB", CSV.replace(b"1.1721", b"1.2"), CLERK)
    assert [p.field for p in refused.value.problems] == ["2026-01-02 USD"]
    assert world.store.get("rates_ecb", "rate#GBP#2026-01-02") is None


def test_a_document_is_booked_at_the_rate_of_its_day_or_the_last_before_it() -> None:
    world, rates = bank()
    rates.import_file("ECB", XML, CLERK)
    found = ExchangeRates(world.store)
    assert found.rate_for(ENTITY.id, ENTITY.currency, "EUR", date(2026, 1, 2)) is None
    for day, rate, of in ((2, "1.1721", 2), (5, "1.1721", 2), (9, "1.1721", 2)):
        told = found.rate_for(ENTITY.id, ENTITY.currency, "USD", date(2026, 1, day))
        assert told is not None
        assert (told.rate, told.on, told.source) == (Decimal(rate), date(2026, 1, of), "ECB")
    new_year = found.rate_for(ENTITY.id, ENTITY.currency, "USD", date(2026, 1, 1))
    assert new_year is not None and new_year.on == date(2025, 12, 31)


def test_a_rate_that_is_missing_or_too_old_is_refused_with_the_last_one_there_is() -> None:
    world, rates = bank()
    rates.import_file("ECB", XML, CLERK)
    with pytest.raises(Refusal, match=r"no_exchange_rate.*2026-01-02"):
        ExchangeRates(world.store).rate_for(ENTITY.id, ENTITY.currency, "USD", date(2026, 1, 10))
    with pytest.raises(Refusal, match="no_exchange_rate"):
        ExchangeRates(world.store).rate_for(ENTITY.id, ENTITY.currency, "KWD", date(2026, 1, 2))
    rates.set_policy(ENTITY.id, RatePolicy(most_days=10), CLERK)
    assert ExchangeRates(world.store).rate_for(ENTITY.id, ENTITY.currency, "USD", date(2026, 1, 10)) is not None


def test_between_two_currencies_that_are_quoted_against_a_third_their_quotient_holds() -> None:
    world, rates = bank()
    rates.import_file("ECB", XML, CLERK)
    american = replace(ENTITY, currency="USD")
    told = ExchangeRates(world.store).rate_for(american.id, american.currency, "JPY", date(2026, 1, 2))
    assert told is not None and told.rate == Decimal("157.1623582"), "184.21 / 1.1721 to ten digits"
    assert told.convert(Money(10000, "USD")) == Money(15716, "JPY")
    to_euro = ExchangeRates(world.store).rate_for(american.id, american.currency, "EUR", date(2026, 1, 2))
    assert to_euro is not None and to_euro.convert(Money(11721, "USD")) == Money(10000, "EUR")


def test_a_batch_reads_each_currency_once() -> None:
    world, rates = bank()
    rates.import_file("ECB", XML, CLERK)
    found = ExchangeRates(world.store)
    before = world.client.calls
    for _ in range(50):
        found.rate_for(ENTITY.id, ENTITY.currency, "USD", date(2026, 1, 2))
        found.rate_for(ENTITY.id, ENTITY.currency, "GBP", date(2026, 1, 2))
    assert world.client.calls - before == 3, "the seller's policy and two currencies"


def test_every_row_at_fault_is_named() -> None:
    with pytest.raises(Refusal, match="invalid_rates") as refused:
        rates_in(
            b"Date,USD,usd\n2026-13-01,1.1,1\n2026-01-02,-1,2\n2026-01-03,x,3\n2026-01-04,1_0,3\n2026-01-05,1e99,3\n"
        )
    codes = {(p.field, p.code) for p in refused.value.problems}
    assert {("row 2 USD", "invalid_date"), ("row 3 USD", "invalid_rate"), ("row 4 USD", "invalid_rate")} <= codes
    assert {("row 5 USD", "invalid_rate"), ("row 6 USD", "invalid_rate"), ("row 3 usd", "invalid_currency")} <= codes


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<a>",
        b"<a/>",
        b"Day,USD\n2026-01-01,1\n",
        b"\xff\xfe",
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b"Date,USD\n2026-01-01,N/A\n",
    ],
)
def test_what_is_no_file_of_rates_is_refused(content: bytes) -> None:
    with pytest.raises(Refusal, match="invalid_rates"):
        rates_in(content)


def _dollars(world: World) -> None:
    """The customer pays in dollars, the seller keeps its books in euros."""
    from dataclasses import replace as changed

    from saldo.accounts.records import account_from, account_item
    from saldo.catalog.records import plan_version_item
    from tests.simulation.world import VERSION

    world.found(2, started_on=date(2026, 1, 1))
    item = world.store.get("acct_eu_000001", "account")
    assert item is not None
    world.lay(
        [
            account_item(changed(account_from(item), currency="USD")),
            plan_version_item(ENTITY.id, changed(VERSION, id="usd_v1", currency="USD")),
        ]
    )
    sold = world.store.get("acct_eu_000001", "subscription#sub_000001")
    assert sold is not None
    world.store.put_many([sold | {"plan_version_id": "usd_v1"}])


def test_a_run_freezes_the_rate_with_source_and_date_and_books_base_amounts_that_balance() -> None:
    world = World()
    _dollars(world)
    rates = RateImport(world.store, world.clock)
    rates.set_policy(ENTITY.id, RatePolicy(), CLERK)
    rates.import_file("ECB", XML, CLERK)
    world.run(date(2026, 1, 2))
    bodies = {i["pk"]: body_from_bytes(i["body"]) for i in world.store.scan() if i["kind"] == "body"}
    frozen = bodies["acct_eu_000001"].exchange
    assert frozen == ExchangeRate("EUR", "USD", Decimal("1.1721"), "ECB", date(2026, 1, 2))
    assert bodies["acct_eu_000000"].exchange is None
    (entry,) = entries(world.store, "acct_eu_000001")
    base = base_amounts(entry)
    assert entry.exchange == frozen and sum(base) == 0
    assert base[0] == frozen.convert(Money(entry.postings[0].minor, "USD")).minor
    assert check_all(world.store).violations == []


def test_a_run_sets_aside_an_account_whose_currency_has_no_rate_and_bills_the_others() -> None:
    world = World()
    _dollars(world)
    RateImport(world.store, world.clock).set_policy(ENTITY.id, RatePolicy(), CLERK)
    closed = world.run(date(2026, 1, 2))
    assert (closed.invoices, [s.code for s in set_aside_of(world.store, closed)]) == (1, ["no_exchange_rate"])


def test_a_double_in_next_year_is_booked_at_the_last_rate_there_is() -> None:
    world = World()
    there = double_id("ent", "eu", "0001")
    rates = RateImport(world.store, world.clock)
    world.found(1)
    rates.set_policy(ENTITY.id, RatePolicy(), CLERK)
    rates.import_file("ECB", XML, CLERK)
    policy = world.store.get(ENTITY.id, "rate_policy")
    assert policy is not None
    world.store.put_many([policy | {"pk": there}])
    next_year = date(2027, 3, 1)
    told = ExchangeRates(world.store).rate_for(there, "EUR", "USD", next_year)
    assert told is not None and told.on == date(2026, 1, 2)
    with pytest.raises(Refusal, match="no_exchange_rate"):
        ExchangeRates(world.store).rate_for(ENTITY.id, "EUR", "USD", next_year)
