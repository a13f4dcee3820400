"""What a quantity costs by each price model, and how a price becomes money."""

from __future__ import annotations

from decimal import Decimal

import pytest

from saldo.catalog.model import DayCount, Flat, Graduated, Package, PerUnit, PriceModel, Tier, Volume
from saldo.kernel.errors import Refusal
from saldo.kernel.periods import Period
from saldo.kernel.rounding import Rounding
from saldo.rating.model import Share
from saldo.rating.rules.proration import share_of
from saldo.rating.rules.registry import price, rate

TIERS = (
    Tier(Decimal(10), Decimal(10), Decimal(2)),
    Tier(Decimal(20), Decimal(5), Decimal(3)),
    Tier(None, Decimal(5), Decimal(3)),
)


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
