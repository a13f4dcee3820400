"""What a quantity costs by each price model, and how a price becomes money."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from saldo.catalog.model import (
    Capped,
    Commitment,
    DayCount,
    Flat,
    Graduated,
    Included,
    Package,
    Percentage,
    PerUnit,
    PriceModel,
    Ramp,
    RampStep,
    Stair,
    StairStep,
    Tier,
    Volume,
)
from saldo.kernel.errors import Refusal
from saldo.kernel.periods import Period
from saldo.kernel.rounding import Rounding
from saldo.rating.model import Share
from saldo.rating.rules.proration import counted, share_of
from saldo.rating.rules.registry import price, rate

TIERS = (
    Tier(Decimal(10), Decimal(10), Decimal(2)),
    Tier(Decimal(20), Decimal(5), Decimal(3)),
    Tier(None, Decimal(5), Decimal(3)),
)
STAIRS = StairStep((Stair(Decimal(10), Decimal(30)), Stair(None, Decimal(50))))
CALLS = PerUnit(Decimal("0.10"))


@pytest.mark.parametrize(
    ("model", "quantity", "amount"),
    [
        (Flat(Decimal("9.99")), "0", "9.99"),
        (PerUnit(Decimal("0.0000015")), "1000000", "1.5"),
        (Graduated(TIERS), "0", "0"),
        (Graduated(TIERS, flat_at_zero=True), "0", "2"),
        (Graduated(TIERS), "10", "102"),
        (Graduated(TIERS), "10.5", "107.5"),
        (Graduated(TIERS), "21", "163"),
        (Volume(TIERS), "0", "0"),
        (Volume(TIERS, flat_at_zero=True), "0", "2"),
        (Volume(TIERS), "10", "102"),
        (Volume(TIERS), "11", "58"),
        (Package(Decimal(10), Decimal(15)), "0", "0"),
        (Package(Decimal(10), Decimal(15)), "10", "15"),
        (Package(Decimal(10), Decimal(15)), "10.0001", "30"),
        (Package(Decimal(10), Decimal(15), Decimal(5)), "5", "0"),
        (STAIRS, "0", "0"),
        (STAIRS, "10", "30"),
        (STAIRS, "10.5", "50"),
        (Percentage(Decimal("0.013")), "800", "10.4"),
        (Percentage(Decimal("0.013"), Decimal(250)), "800", "7.15"),
        (Percentage(Decimal("0.013"), Decimal(250)), "250", "0"),
        (Percentage(Decimal("0.01"), minimum=Decimal(5)), "1", "5"),
        (Percentage(Decimal("0.01"), maximum=Decimal(5)), "10000", "5"),
        (Included(Decimal(100), CALLS), "100", "0"),
        (Included(Decimal(100), CALLS), "150", "5"),
        (Commitment(Decimal(500), CALLS, Decimal("1.5")), "6000", "650"),
        (Commitment(Decimal(500), CALLS), "1000", "500"),
        (Capped(Decimal(125), CALLS), "2000", "125"),
        (Capped(Decimal(125), CALLS), "1000", "100"),
    ],
)
def test_a_quantity_has_one_exact_price(model: PriceModel, quantity: str, amount: str) -> None:
    priced = price(model, Decimal(quantity))
    assert priced.amount == Decimal(amount)
    assert sum(step.amount for step in priced.steps) == priced.amount


def test_the_steps_name_the_tiers_that_were_used() -> None:
    first, second = price(Graduated(TIERS), Decimal(12)).steps
    assert (first.rule, first.units, first.price, first.flat, first.above, first.up_to) == ("tier", 10, 10, 2, 0, 10)
    assert (second.units, second.amount) == (2, 13)


def test_a_price_is_rounded_once_and_as_named() -> None:
    cents = PerUnit(Decimal("0.005"))
    assert rate(cents, Decimal(1), "EUR").net_minor == 1
    assert rate(cents, Decimal(1), "EUR", rounding=Rounding.HALF_EVEN).net_minor == 0
    assert rate(cents, Decimal(3), "EUR", rounding=Rounding.HALF_EVEN).net_minor == 2
    assert rate(PerUnit(Decimal("24.95")), Decimal(1), "EUR", Share(9, 31)).net_minor == 724


def test_a_true_up_an_overage_and_a_cap_are_steps_of_their_own() -> None:
    assert [(s.rule, s.amount) for s in price(Commitment(Decimal(100), CALLS), Decimal(400)).steps] == [
        ("per_unit", 40),
        ("true_up", 60),
    ]
    assert price(Commitment(Decimal(10), CALLS, Decimal("1.5")), Decimal(120)).steps[-1].amount == 1
    assert price(Capped(Decimal(10), CALLS), Decimal(120)).steps[-1].amount == -2


def test_a_ramp_prices_by_the_age_of_the_subscription() -> None:
    ramp = Ramp((RampStep(0, Flat(Decimal(10))), RampStep(3, Flat(Decimal(20)))))
    assert [price(ramp, Decimal(1), cycle).amount for cycle in (0, 2, 3, 40)] == [10, 10, 20, 20]


def test_a_negative_quantity_has_no_price() -> None:
    with pytest.raises(Refusal, match="negative_quantity"):
        price(PerUnit(Decimal(1)), Decimal(-1))


@pytest.mark.parametrize(
    ("day_count", "expected"),
    [(DayCount.ACTUAL, (5, 31)), (DayCount.ACTUAL_OVER_30, (5, 30)), (DayCount.THIRTY_360, (4, 30))],
)
def test_part_of_a_month_is_measured_by_the_plans_day_count(day_count: DayCount, expected: tuple[int, int]) -> None:
    part, month = Period.from_text("2021-01-27/2021-02-01"), Period.from_text("2021-01-01/2021-02-01")
    assert share_of(part, month, day_count) == Share(*expected)
    assert share_of(month, month, day_count) == Share(1, 1)


def test_of_months_of_thirty_days_the_thirtieth_is_one_and_the_31st_adds_nothing() -> None:
    january = Period(date(2026, 1, 1), date(2026, 2, 1))
    parts = [counted(Period(january.start, date(2026, 1, day)), january, DayCount.THIRTY_360) for day in (30, 31)]
    assert [(part.days, part.of) for part in parts] == [(29, 30), (30, 30)]
    last = counted(Period(date(2026, 1, 31), january.end), january, DayCount.THIRTY_360)
    assert (last.days, last.of) == (0, 30)
