"""A customer who pays in dollars, of a seller that keeps its books in euros."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from local.gateway.methods import CARDS
from saldo.accounts.model import Organisation
from saldo.catalog.model import Plan
from saldo.catalog.service import Catalog
from saldo.exchange.model import PriceDay, RatePolicy
from saldo.exchange.service import RateImport
from saldo.invoicing.choices import change_choices
from saldo.invoicing.corrections import Corrections, CreditRequest
from saldo.invoicing.model import BillingOptions
from saldo.invoicing.rules_corrections import Reason
from saldo.invoicing.rules_tolerance import Tolerance
from saldo.kernel.money import Money
from saldo.payments.model import Payment
from saldo.payments.receiving import MoneyCame, Receiving
from saldo.subscriptions.model import Alignment
from saldo.subscriptions.rules import subscribe
from saldo.subscriptions.service import Subscriptions
from tests.simulation.region import ENTITY_ID, Region
from tests.simulation.workflows import invoke, messages, workflow
from tests.simulation.workflows.corrections import TAX
from tests.simulation.workflows.scenes import (
    CLERK,
    JAN,
    account_id,
    accounts,
    bill,
    customer,
    founded,
    news,
    offer,
    open_account,
    open_invoices,
    pay,
    profile,
    sell,
    subscription_id,
    until,
)
from tests.simulation.world import ENTITY, PLAN, VERSION

DOLLARS = 7
BUYER = account_id(DOLLARS)
CONVERTING = RatePolicy(prices_on=PriceDay.INVOICE)


def rates_of(region: Region, *days: tuple[date, str]) -> None:
    rows = "\n".join(f"{on.isoformat()},{rate}" for on, rate in days)
    RateImport(region.store, region.clock).import_file("ECB", f"Date,USD\n{rows}\n".encode(), CLERK)


def billed_in_dollars(region: Region) -> None:
    offer(region)
    version = replace(VERSION, id="usd_v1", version=VERSION.version + 1, currency="USD")
    Catalog(region.store, region.clock).publish(ENTITY_ID, version, CLERK)
    one = replace(customer(DOLLARS), currency="USD")
    accounts(region).register_organisation(Organisation(one.organisation_id, one.name, "DE"), CLERK)
    accounts(region).open_account(one, profile(DOLLARS), CLERK)
    sold = subscribe(
        subscription_id(DOLLARS),
        account_id=BUYER,
        entity_id=ENTITY_ID,
        plan_version=version,
        started_on=JAN,
        alignment=Alignment.CALENDAR,
    )
    Subscriptions(region.store, region.clock).start(sold, CLERK)
    RateImport(region.store, region.clock).set_policy(ENTITY_ID, RatePolicy(), CLERK)
    rates_of(region, (date(2025, 12, 31), "1.1750"), (date(2026, 1, 15), "1.0500"))
    bill(region, JAN)


def paid_on(region: Region, on: date) -> None:
    billed_in_dollars(region)
    pay_by_card(region, on)


def pay_by_card(region: Region, on: date, less: int = 0) -> None:
    """What the gateway tells of it lies on the queue, the payout too. less: so much is left to pay."""
    until(region, on)
    payment = pay(region, DOLLARS, "form-key-usd", less)
    region.book.pay_by_card(payment.gateway_ref, CARDS[0], region.now)
    region.queues.waiting = [("gateway", body) for body in news(region) + news(region, after=timedelta(days=3))]


def paid_at_a_known_rate(region: Region) -> None:
    paid_on(region, date(2026, 1, 16))


@workflow("exchange: money at the rate of its day", prepare=paid_at_a_known_rate)
def settle(region: Region) -> None:
    invoke("payments.gateway_events", messages(*(body for _, body in region.queues.waiting)))


def tolerated(region: Region) -> None:
    little = ("EUR", Tolerance(amount_minor=50)), ("USD", Tolerance(amount_minor=50, percent=Decimal(2)))
    change_choices(region.store, region.clock, ENTITY_ID, BillingOptions(tolerances=little), CLERK)


def little_left(region: Region) -> None:
    """A customer pays thirty cents less than is owed, which the seller does not chase."""
    billed_in_dollars(region)
    tolerated(region)
    pay_by_card(region, date(2026, 1, 16), less=30)


@workflow("exchange: little is left, and written off", prepare=little_left)
def write_off(region: Region) -> None:
    settle(region)


def paid_without_a_rate(region: Region) -> None:
    """No rate is young enough on the day on which the money comes; one is published late."""
    paid_on(region, date(2026, 2, 10))
    settle(region)
    rates_of(region, (date(2026, 2, 9), "1.2000"))


@workflow("exchange: a rate that comes late", prepare=paid_without_a_rate)
def value_late(region: Region) -> None:
    invoke("payments.sweep", {})


@workflow("exchange: a credit note at the rate of its invoice", prepare=billed_in_dollars)
def credit(region: Region) -> None:
    with region.undisturbed():
        first = next(i for i in region.store.query_all(BUYER, prefix="invoice#") if i["document"] == "invoice")
    ask = CreditRequest(BUYER, first["invoice_id"], "r1", Reason.PRICE, CLERK, net_minor=1001)
    Corrections(region.store, region.clock, TAX).credit(ask)


def priced_in_dollars(region: Region, *, policy: RatePolicy | None = CONVERTING) -> None:
    """A customer who pays in euros, of a plan that is priced in dollars."""
    offer(region)
    version = replace(VERSION, id="usd_v1", plan_id="usd", version=VERSION.version + 1, currency="USD")
    Catalog(region.store, region.clock).offer_plan(Plan("usd", PLAN.product_id, ENTITY_ID, {"en": "Dollars"}), CLERK)
    Catalog(region.store, region.clock).publish(ENTITY_ID, version, CLERK)
    one = customer(DOLLARS)
    accounts(region).register_organisation(Organisation(one.organisation_id, one.name, "DE"), CLERK)
    accounts(region).open_account(one, profile(DOLLARS), CLERK)
    if policy:
        RateImport(region.store, region.clock).set_policy(ENTITY_ID, policy, CLERK)
    rates_of(region, (date(2025, 12, 31), "1.1750"))
    sold = subscribe(
        subscription_id(DOLLARS),
        account_id=BUYER,
        entity_id=ENTITY_ID,
        plan_version=version,
        started_on=JAN,
        alignment=Alignment.CALENDAR,
    )
    Subscriptions(region.store, region.clock).start(sold, CLERK)


@workflow("runs: prices in dollars billed in euros", prepare=priced_in_dollars)
def bill_in_euros(region: Region) -> None:
    bill(region, JAN)


def owed_in_euros(region: Region) -> None:
    """A customer owes euros; the seller takes dollars at the rate of the day."""
    founded(region, DOLLARS + 1)
    RateImport(region.store, region.clock).set_policy(ENTITY_ID, RatePolicy(tolerance=Decimal("0.5")), CLERK)
    rates_of(region, (date(2025, 12, 31), "1.1750"), (date(2026, 1, 15), "1.0500"))
    bill(region, JAN)
    until(region, date(2026, 1, 20))


@workflow("payments: dollars for euros", prepare=owed_in_euros)
def receive_dollars(region: Region) -> None:
    receive(region, Money(5000, "USD"))


def receive(region: Region, money: Money, on: date = date(2026, 1, 15), **more: Any) -> Payment:
    came = MoneyCame(BUYER, money, on, more.pop("reference", "line 1"), CLERK, **more)
    return Receiving(region.store, region.clock).receive(came)


def left_to_pay(region: Region) -> int:
    return sum(minor for _, minor in open_invoices(region, DOLLARS))


def owed_in_own(region: Region, own: str) -> None:
    """The same, of a seller that keeps its books in another currency."""
    offer(region)
    accounts(region).register_entity(replace(ENTITY, currency=own), CLERK)
    open_account(region, DOLLARS)
    sell(region, DOLLARS)
    RateImport(region.store, region.clock).set_policy(ENTITY_ID, RatePolicy(), CLERK)
    rows = "Date,USD,JPY,GBP\n2025-12-31,1.1750,180.1,0.85\n2026-01-15,1.0500,162.3,0.87\n"
    RateImport(region.store, region.clock).import_file("ECB", rows.encode(), CLERK)
    bill(region, JAN)
    until(region, date(2026, 1, 20))


def dollars_came(region: Region) -> None:
    owed_in_euros(region)
    receive(region, Money(9000, "USD"))


@workflow("payments: the bank takes money back", prepare=dollars_came)
def take_back(region: Region) -> None:
    with region.undisturbed():
        (payment,) = region.store.query_all(BUYER, prefix="payment#")
    receiving, on = Receiving(region.store, region.clock), date(2026, 1, 20)
    receiving.take_back(BUYER, payment["payment_id"], on, CLERK, "recalled by the payer's bank")


def written_off(region: Region) -> None:
    owed_in_euros(region)
    tolerated(region)
    receive(region, Money(left_to_pay(region) - 30, "EUR"))
    assert not left_to_pay(region)


@workflow("payments: the bank takes back what had little left", prepare=written_off)
def take_back_all(region: Region) -> None:
    take_back(region)
    with region.undisturbed():
        assert left_to_pay(region) > 30
