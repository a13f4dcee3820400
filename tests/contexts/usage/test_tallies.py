"""A maximum and a percent of other charges on record: what each counted lies with the account from run to run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from saldo.catalog.model import ChargeKind, Maximum, PercentOf, PercentTier, PerUnit
from tests.contexts.sellers import CLERK, ENTITY
from tests.contexts.usage.billing import Customer, amounts, usage_plan
from tests.contexts.usage.scenes import TOKENS, World, row

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)
TENTH = PercentOf((PercentTier(None, Decimal(10)),), minimum=Decimal(20))


def use(world: World, number: int, day: str, value: str) -> None:
    at = f"{day}T12:00:00Z"
    world.clock.now = max(world.clock.now, datetime.fromisoformat(at))
    world.usage.ingest(ENTITY, [row(number, at=at, value=value)], origin=f"b{number}")


def test_late_usage_moves_a_percent_of_it_and_costs_nothing_beyond_a_maximum() -> None:
    world = World()
    world.usage.define_meter(TOKENS, CLERK)
    plan = usage_plan(("tokens", PerUnit(Decimal(1))))
    fee = replace(plan.components[0], id="fee", kind=ChargeKind.FIXED, meter_id="", price=TENTH)
    plan = replace(plan, components=(*plan.components, fee), maximum=Maximum(Decimal(110)))
    buyer = Customer.of(world, plan, OCTOBER)
    use(world, 1, "2026-10-05", "30")
    assert amounts(buyer.bill(NOVEMBER)) == [("charge", "2026-10-01", 3000), ("true_up", "2026-10-01", 2000)]
    world.clock.now = datetime(2026, 11, 3, tzinfo=UTC)
    use(world, 2, "2026-10-31", "190")
    assert amounts(buyer.bill(DECEMBER)) == [
        ("true_up", "2026-11-01", 2000),
        ("late", "2026-10-01", 19000),
        ("true_up", "2026-10-01", 200),
        ("true_up", "2026-10-01", -13200),
    ]
    kept = {i["sk"]: (i["counted_minor"], i["trued_up_minor"]) for i in world.items("tally")}
    assert kept["tally#sub_1#2026-10-01#fee"] == (22000, 2200)
    assert kept["tally#sub_1#2026-10-01#maximum"] == (24200, -13200)
