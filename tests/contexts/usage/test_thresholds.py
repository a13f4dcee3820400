"""The next invoice before its day, and thresholds that are told once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from saldo.accounts.records import customer_item
from saldo.catalog.model import Capped, Commitment, Included, PerUnit, PriceModel
from saldo.catalog.records import plan_version_item
from saldo.catalog.service import PlanVersions
from saldo.invoicing.forecast import Forecasts
from saldo.invoicing.run.bill import Billing
from saldo.invoicing.thresholds import Thresholds
from saldo.kernel.errors import NotFound, Refusal
from saldo.storage.units import Unit
from saldo.subscriptions.model import Alignment
from saldo.subscriptions.records import subscription_item
from saldo.subscriptions.rules import billed, subscribe
from saldo.tax.model import TaxableLine, TaxAnswer
from saldo.usage.model import Meter
from saldo.usage.model_thresholds import Measure, Then, Threshold
from saldo.usage.records_thresholds import alerts_of
from saldo.usage.totals import UsageTotals
from tests.contexts.sellers import ACCOUNT, CLERK, ENTITY, account
from tests.contexts.usage.billing import usage_plan
from tests.contexts.usage.scenes import TOKENS, World, row

NOVEMBER = date(2026, 11, 1)


class Unasked:
    """A tax service of the run, which no look ahead asks."""

    parallel = 8

    def quote(self, lines: Sequence[TaxableLine], *_facts: object) -> TaxAnswer:
        raise AssertionError(lines)


class Watched:
    """An account whose plan charges for tokens by this price, in the middle of its month."""

    def __init__(self, price: PriceModel, meter: Meter = TOKENS) -> None:
        self.world = World()
        self.world.clock.now = datetime(2026, 11, 10, 23, tzinfo=UTC)  # a third of November, in Berlin
        version = usage_plan((meter.id, price))
        sold = subscribe(
            "sub_1",
            account_id=ACCOUNT,
            entity_id=ENTITY,
            plan_version=version,
            started_on=NOVEMBER,
            alignment=Alignment.CALENDAR,
        )
        self.sold, self.version = billed(sold, version, NOVEMBER), version
        items = [plan_version_item(ENTITY, version), subscription_item(self.sold), customer_item(account())]
        self.world.store.put_many(items)
        store = self.world.store
        billing = Billing(store, PlanVersions(store), UsageTotals(store), Unasked())
        self.forecasts = Forecasts(billing, self.world.clock)
        self.thresholds = Thresholds(store, self.forecasts, self.world.clock)

    def use(self, number: int, value: str, at: str = "2026-11-05T10:00:00Z") -> None:
        report = self.world.usage.ingest(ENTITY, [row(number, value=value, at=at)], origin=f"b{number}")
        assert report.accepted == 1

    def billed_through(self, day: date) -> None:
        self.world.store.put_many([subscription_item(billed(self.sold, self.version, day))])

    def check(self) -> list[tuple[str, str, str]]:
        found = self.thresholds.check([ACCOUNT, "acct_eu_second"])
        return [(a.threshold.id, a.period, str(a.measured)) for a in found]

    def put(self, threshold_id: str, measure: Measure, at: str, then: Then = Then.ALERT) -> None:
        meter_id = "" if measure is Measure.COST else TOKENS.id
        self.thresholds.put(ACCOUNT, Threshold(threshold_id, measure, Decimal(at), meter_id, then), CLERK)


def test_the_next_invoice_is_told_as_it_stands_and_as_it_is_likely_to_be() -> None:
    watched = Watched(PerUnit(Decimal("0.50")))
    watched.use(1, "100")
    found = watched.forecasts.next_invoice(ACCOUNT).as_dict()
    assert (found["on"], found["so_far"]["net"], found["expected"]["net"]) == ("2026-12-01", "50.00", "150.00")
    assert (found["so_far"]["tax"], found["expected"]["total"]) == ("9.50", "178.50"), "by the table, as an estimate"
    (meter,) = found["meters"]
    assert (meter["so_far"], meter["forecast"], meter["method"]) == ("100", "300", "straight_line")
    assert [i for i in watched.world.store.scan() if i["kind"] in ("invoice", "window")] == []


def test_where_the_table_decides_no_tax_a_look_ahead_goes_on_without_and_says_so() -> None:
    watched = Watched(PerUnit(Decimal("0.50")))
    watched.put("dear", Measure.COST, "50")
    watched.use(1, "100")
    where = {"country": "US", "tax_region": ""}
    watched.world.store.write_one(Unit("moved").update((ACCOUNT, "account"), set=where))
    texas = json.dumps({"US-TX": "1"})
    watched.world.store.write_one(Unit("sells there").update((ENTITY, "entity"), set={"tax_registrations": texas}))
    found = watched.forecasts.next_invoice(ACCOUNT).as_dict()["so_far"]
    assert (found["net"], found["net_minor"], found["tax"], found["total_minor"]) == ("50.00", 5000, None, None)
    assert watched.check() == [("dear", "2026-12-01", "50.00")], "limits of cost are of the net amount"


def test_a_quantity_and_a_cost_are_told_once_each_in_a_period() -> None:
    watched = Watched(PerUnit(Decimal("0.50")))
    watched.put("many", Measure.QUANTITY, "100")
    watched.put("dear", Measure.COST, "60")
    watched.use(1, "99")
    assert watched.check() == []
    watched.use(2, "1")
    assert watched.check() == [("many", "2026-11-01/2026-12-01", "100")]
    assert watched.check() == []
    watched.use(3, "50")
    assert watched.check() == [("dear", "2026-12-01", "75.00")]
    assert watched.check() == []
    assert len(list(alerts_of(watched.world.store, ACCOUNT))) == 2


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (Included(Decimal(200), PerUnit(Decimal(1))), "80"),
        (Commitment(Decimal(200), PerUnit(Decimal(1))), "80"),
        (Capped(Decimal(400), PerUnit(Decimal(2))), "80"),
    ],
)
def test_a_part_of_what_is_included_committed_or_capped_is_told(price: PriceModel, expected: str) -> None:
    watched = Watched(price)
    watched.put("most", Measure.PERCENT, "80")
    watched.use(1, "159")
    assert watched.check() == []
    watched.use(2, "1")
    ((_, _, measured),) = watched.check()
    assert Decimal(measured) == Decimal(expected)


def test_a_spend_cap_asks_for_a_stop_until_its_invoice_is_written_and_is_told_once_though_the_run_is_late() -> None:
    watched = Watched(PerUnit(Decimal(1)))
    watched.put("cap", Measure.COST, "100", Then.BLOCK)
    watched.use(1, "100")
    assert watched.thresholds.blocks(ACCOUNT) == []
    watched.check()
    assert [a.threshold.id for a in watched.thresholds.blocks(ACCOUNT)] == ["cap"]
    watched.world.clock.now = datetime(2026, 12, 2, tzinfo=UTC)
    assert watched.check() == []
    assert [a.threshold.id for a in watched.thresholds.blocks(ACCOUNT)] == ["cap"]
    watched.billed_through(date(2026, 12, 1))
    assert watched.thresholds.blocks(ACCOUNT) == []


def test_a_threshold_that_makes_no_sense_is_refused_with_every_fault() -> None:
    watched = Watched(PerUnit(Decimal(1)))
    with pytest.raises(Refusal) as refused:
        watched.thresholds.put(ACCOUNT, Threshold("A b", Measure.COST, Decimal(0), "tokens"), CLERK)
    assert {p.code for p in refused.value.problems} == {"invalid_id", "not_above_zero", "invalid_meter"}
    with pytest.raises(NotFound):
        watched.thresholds.put("acct_eu_gone", Threshold("a", Measure.COST, Decimal(1)), CLERK)
    watched.put("a", Measure.COST, "5")
    watched.put("a", Measure.COST, "7")
    assert [t.at for t in watched.thresholds.of_account(ACCOUNT)] == [7]
    watched.thresholds.remove(ACCOUNT, "a", CLERK)
    assert watched.thresholds.of_account(ACCOUNT) == []


def test_an_account_without_thresholds_costs_one_shared_read() -> None:
    watched = Watched(PerUnit(Decimal(1)))
    watched.world.table.bill.calls.clear()
    assert watched.thresholds.check([f"acct_eu_{n:03d}" for n in range(90)]) == []
    assert dict(watched.world.table.bill.calls) == {"BatchGetItem": 1}


def test_an_account_with_nothing_ahead_is_said_so() -> None:
    watched = Watched(PerUnit(Decimal(1)))
    with pytest.raises(Refusal, match="nothing_ahead"):
        watched.forecasts.next_invoice("acct_eu_second")
    with pytest.raises(NotFound):
        watched.forecasts.next_invoice("acct_eu_gone")
