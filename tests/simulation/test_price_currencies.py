"""Runs of a seller whose prices are in dollars, for a customer who pays in euros."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from saldo.accounts.arrangements import Arrangements
from saldo.accounts.model import Terms
from saldo.catalog.service import Catalog, PlanVersions
from saldo.exchange.model import PriceDay, RatePolicy
from saldo.exchange.service import RateImport
from saldo.insight.invariants import check_all
from saldo.invoicing.codec import body_from_bytes
from saldo.invoicing.forecast import Forecasts
from saldo.invoicing.model import InvoiceBody
from saldo.invoicing.run.cases import Billing
from saldo.kernel.errors import Refusal
from saldo.kernel.exchange import rate_said
from saldo.subscriptions.model import Change, ChangeKind
from saldo.subscriptions.rules import subscribe
from saldo.subscriptions.service import Subscriptions
from saldo.tax.table import TableTax, shipped_table
from saldo.usage.service import UsageTotals
from tests.simulation.region import ENTITY_ID, Region, quiet
from tests.simulation.workflows import exchange
from tests.simulation.workflows.scenes import CLERK, JAN, bill, subscription_id, use
from tests.simulation.world import VERSION

FEB, MARCH = date(2026, 2, 1), date(2026, 3, 1)


def bodies(region: Region) -> list[InvoiceBody]:
    return [body_from_bytes(item["body"]) for item in region.store.query_all(exchange.BUYER, prefix="body#")]


def set_aside(region: Region) -> set[str]:
    return {aside[1] for item in region.store.scan() if item["kind"] == "aside" for aside in item["accounts"]}


def test_a_run_converts_each_line_and_the_invoice_says_at_which_rate() -> None:
    region = Region()
    with quiet(), region.serving():
        exchange.priced_in_dollars(region)
        bill(region, JAN)
        (body,) = bodies(region)
        assert body.currency == "EUR" and body.exchange is None
        first = body.lines[0]
        assert first.priced_in is not None
        assert (first.price_minor, first.net_minor) == (4900, 4170)  # 49 / 1.175 = 41.702…
        assert first.priced_in.rate == rate_said("1 EUR = 1.1750 USD", "ECB", date(2025, 12, 31))
        assert check_all(region.store).violations == []


def test_without_a_rate_the_account_is_set_aside_and_billed_once_there_is_one() -> None:
    region = Region()
    with quiet(), region.serving():
        exchange.priced_in_dollars(region)
        bill(region, JAN)
        bill(region, FEB)
        assert len(bodies(region)) == 1 and set_aside(region) == {"no_exchange_rate"}
        exchange.rates_of(region, (date(2026, 1, 30), "1.0500"))
        bill(region, FEB)
        assert [[x.net_minor for x in body.lines if x.net_minor] for body in bodies(region)][1:] == [[4667, 714]]
        assert check_all(region.store).violations == []


def test_usage_that_comes_late_is_converted_at_the_rate_of_its_window() -> None:
    region = Region()
    with quiet(), region.serving():
        exchange.priced_in_dollars(region)
        bill(region, JAN)
        use(region, exchange.DOLLARS, "e1", datetime(2026, 1, 10, 12, tzinfo=UTC), 40_000)
        exchange.rates_of(region, (date(2026, 1, 30), "1.0500"))
        bill(region, FEB)
        use(region, exchange.DOLLARS, "e2", datetime(2026, 1, 11, 12, tzinfo=UTC), 30_000)
        exchange.rates_of(region, (date(2026, 2, 27), "1.4000"))
        bill(region, MARCH)
        tokens = [line for body in bodies(region) for line in body.lines if line.component_id == "tokens"]
        assert {str(line.priced_in and line.priced_in.rate.rate) for line in tokens if line.net_minor} == {"1.05"}
        assert [line.kind.value for line in tokens if line.net_minor] == ["charge", "late"]
        assert check_all(region.store).violations == []


def test_the_next_invoice_is_foreseen_at_the_last_rate_there_is() -> None:
    region = Region()
    with quiet(), region.serving():
        exchange.priced_in_dollars(region)
        bill(region, JAN)
        tax = TableTax(shipped_table())
        billing = Billing(region.store, PlanVersions(region.store), UsageTotals(region.store), tax)
        foreseen = Forecasts(billing, region.clock).next_invoice(exchange.BUYER)
        assert foreseen.so_far.bodies[0].issued_on == FEB
        assert "1.1750" in {
            str(line.priced_in and line.priced_in.rate.rate) for line in foreseen.so_far.bodies[0].lines
        }


@pytest.mark.parametrize("agreed", [True, False])
def test_a_plan_in_another_currency_is_sold_where_its_price_can_be_converted(agreed: bool) -> None:
    region = Region()
    with quiet(), region.serving():
        exchange.priced_in_dollars(region)
        RateImport(region.store, region.clock).set_policy(ENTITY_ID, RatePolicy(prices_on=None), CLERK)
        if agreed:
            rate = rate_said("1 EUR = 1.10 USD", "contract", JAN)
            Arrangements(region.store, region.clock).change_terms(exchange.BUYER, Terms(price_rates=(rate,)), CLERK)
            assert start(region, "usd_v1")
            bill(region, JAN)
            fees = [line for body in bodies(region) for line in body.lines if line.component_id == "base"]
            assert [line.net_minor for line in fees] == [4455]  # 49 / 1.10
            assert check_all(region.store).violations == []
        else:
            with pytest.raises(Refusal, match="converts no prices") as refused:
                start(region, "usd_v1")
            assert [p.code for p in refused.value.problems] == ["other_currency"]


def test_a_plan_that_has_a_price_in_the_customers_currency_is_sold_at_that() -> None:
    region = Region()
    with quiet(), region.serving():
        exchange.priced_in_dollars(region)
        version = replace(VERSION, id="usd_v1_eur", plan_id="usd", version=VERSION.version + 2)
        Catalog(region.store, region.clock).publish(ENTITY_ID, version, CLERK)
        with pytest.raises(Refusal, match="usd has a price in EUR: usd_v1_eur") as refused:
            start(region, "usd_v1")
        assert [p.code for p in refused.value.problems] == ["priced_in_own_currency"]
        assert start(region, "usd_v1_eur")


def test_the_policy_of_a_seller_says_at_which_day_prices_are_converted() -> None:
    region = Region()
    with quiet(), region.serving():
        exchange.priced_in_dollars(region, policy=RatePolicy(prices_on=PriceDay.MONTH_END))
        assert RateImport(region.store, region.clock).policy(ENTITY_ID) == RatePolicy(prices_on=PriceDay.MONTH_END)
        exchange.rates_of(region, (JAN, "1.3000"))
        bill(region, JAN)
        assert {str(line.priced_in and line.priced_in.rate.rate) for line in bodies(region)[0].lines} == {"1.175"}


def start(region: Region, version_id: str) -> bool:
    """In place of what the customer has: both count the same meter."""
    instead = Change("instead", ChangeKind.CANCEL, JAN)
    Subscriptions(region.store, region.clock).change(exchange.BUYER, subscription_id(exchange.DOLLARS), instead, CLERK)
    version = Catalog(region.store, region.clock).plan_version(ENTITY_ID, version_id)
    names = {"account_id": exchange.BUYER, "entity_id": ENTITY_ID}
    sold = subscribe("sub_eu_another", plan_version=version, started_on=JAN, **names)
    return Subscriptions(region.store, region.clock).start(sold, CLERK)
