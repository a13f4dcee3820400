"""Price lists with what goes on from cycle to cycle, half months and bonds' months, by a chance of their own, so that
all else of the world stays as it is."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from random import Random

from saldo.catalog.model import (
    ChargeKind,
    Commitment,
    Component,
    DayCount,
    Included,
    Package,
    PlanVersion,
    PriceModel,
    Rollover,
    all_prices,
)
from saldo.catalog.rules import goes_by_parts
from saldo.kernel.periods import Length, Unit
from saldo.kernel.rounding import Rounding

BONDS = [DayCount.THIRTY_360, DayCount.THIRTY_360_US, DayCount.THIRTY_360_EU]


def in_halves(family: str, unit: Unit, count: int) -> tuple[Unit, int]:
    """Some families are billed by half months."""
    chance = Random(f"{family} halves")
    if chance.random() < 0.12:
        return Unit.HALF_MONTH, chance.choice([1, 1, 1, 3])
    return unit, count


def as_bonds(family: str, day_count: DayCount) -> DayCount:
    """Those that count months of 30 days do so in one of three ways."""
    chance = Random(f"{family} bonds")
    if day_count is DayCount.ACTUAL and chance.random() < 0.15:
        day_count = DayCount.THIRTY_360
    return chance.choice(BONDS) if day_count is DayCount.THIRTY_360 else day_count


def going_on(version: PlanVersion) -> PlanVersion:
    """A version some of whose usage adds up over cycles or is left over; equal components stay equal."""
    components = tuple(_going_on(component, version) for component in version.components)
    return replace(version, components=components)


def _going_on(component: Component, version: PlanVersion) -> Component:
    chance = Random(f"{component.id} {component.meter_id} {component.price!r} goes on")
    component = replace(component, price=_in_part(component.price, chance))
    if component.kind is not ChargeKind.USAGE:
        return component
    if isinstance(component.price, Included) or chance.random() < 0.35:
        return replace(component, price=_allowance(component.price, version.currency, chance))
    trued_up = any(isinstance(price, Commitment) and price.true_up for price in all_prices(component.price))
    if goes_by_parts(component.price) or trued_up or chance.random() < 0.5:
        return component
    many = chance.choice([2, 3, 4, 12])
    return replace(component, cumulates=Length(version.cycle_unit, version.cycle_count * many))


def _in_part(price: PriceModel, chance: Random) -> PriceModel:
    """Half of the packages of which begun ones count are sold in part."""
    if isinstance(price, Package) and price.count is Rounding.UP and chance.random() < 0.5:
        return replace(price, whole=False)
    return price


def _allowance(price: PriceModel, currency: str, chance: Random) -> PriceModel:
    """An allowance before the price, most often one that goes on; or an amount that is free."""
    overage = price.overage if isinstance(price, Included) else price
    if chance.random() < 0.2:
        scale = {"JPY": 150, "INR": 80}.get(currency, 1)
        return Included(Decimal(0), overage, amount=Decimal(chance.randrange(1, 40) * scale))
    most = Decimal(chance.randrange(50, 1500)) if chance.random() < 0.4 else None
    goes_on = Rollover(chance.randrange(1, 5), most) if chance.random() < 0.8 else None
    return Included(Decimal(chance.randrange(20, 900)), overage, goes_on)
