"""What a quantity costs by each price model, as a clerk with a price list works it out in fractions.

Nothing here is taken from Saldo's rating. Sources: row SUB-2, docs/quote.md ("Plans"), defaults of the worked cases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import TypeVar

from saldo.catalog.model import (
    Capped,
    Commitment,
    Component,
    Flat,
    Graduated,
    Included,
    Matrix,
    Package,
    Percentage,
    PerUnit,
    PriceModel,
    Ramp,
    Rollover,
    StairStep,
    Tier,
    Volume,
)

DIGITS = {"JPY": 0, "KRW": 0, "CLP": 0, "KWD": 3, "BHD": 3, "TND": 3}
ZERO = Fraction(0)
Name = TypeVar("Name")


def whole(amount: Fraction, mode: str = "half_up") -> int:
    """To a whole number of minor units: half_up is away from zero on a tie, down towards zero, up away from it."""
    size = abs(amount)
    floor = size.numerator // size.denominator
    rest = size - floor
    if mode == "up":
        grown = rest > 0
    elif mode == "down":
        grown = False
    elif rest == Fraction(1, 2):
        grown = mode == "half_up" or floor % 2 == 1
    else:
        grown = rest > Fraction(1, 2)
    result = floor + 1 if grown else floor
    return -result if amount < 0 else result


def in_cents(total: int, exact: Mapping[Name, Fraction]) -> dict[Name, int]:
    """Parts of a total in whole cents: odd ones to the largest remainders, then to the earlier."""
    found = {name: part.numerator // part.denominator for name, part in exact.items()}
    order = sorted(exact, key=lambda name: found[name] - exact[name])  # stable: the earlier first
    for name in order[: total - sum(found.values())]:
        found[name] += 1
    return found


def minor(amount: Fraction, currency: str, mode: str = "half_up") -> int:
    """Major units to minor ones, rounded once."""
    return whole(amount * 10 ** DIGITS.get(currency, 2), mode)


@dataclass(frozen=True)
class Used:
    """A quantity to price; its parts one by one and by properties where the price asks for these."""

    quantity: Fraction
    amounts: Sequence[Fraction] = ()
    by_value: dict[tuple[str, ...], Fraction] | None = None
    cycle: int = 0
    part: Fraction = Fraction(1)  # of the full period, by which allowances, commitments and caps shrink
    before: Fraction | None = None  # what was used in the cycles with which this one adds up; None: it is the first
    rolled: Fraction = ZERO  # what is left of earlier allowances


def charge_of(component: Component, used: Used) -> Fraction:
    """The exact price of a charge: where cycles add up, all of them so far less those before this one."""
    if used.before is None:
        return price_of(component.price, used)
    so_far = replace(used, quantity=used.before + used.quantity)
    return price_of(component.price, so_far) - price_of(component.price, replace(used, quantity=used.before))


def left_over(rollover: Rollover | None, cycles: Sequence[tuple[Fraction, Fraction]]) -> Fraction:
    """What of the allowances of earlier cycles (each with what was used in it) there still is in the one after them.

    A shelf: the oldest allowance stands in front. Each cycle puts its own behind, use takes from the front; then what
    has gone on often enough is thrown away, and from the front what is more than the shelf may hold.
    """
    if rollover is None:
        return ZERO
    shelf: list[list[Fraction]] = []  # how often it went on, how much there is
    for allowance, used in cycles:
        shelf.append([ZERO, allowance])
        take_from(shelf, used)
        for jar in shelf:
            jar[0] += 1
        shelf = [jar for jar in shelf if jar[0] <= rollover.cycles]
        if rollover.most is not None:
            take_from(shelf, max(sum(jar[1] for jar in shelf) - Fraction(rollover.most), ZERO))
    return sum((jar[1] for jar in shelf), ZERO)


def take_from(shelf: list[list[Fraction]], units: Fraction) -> None:
    for jar in shelf:
        taken = min(jar[1], units)
        jar[1] -= taken
        units -= taken


def begun(units: Fraction, size: Fraction) -> int:
    """Begun packages of a size."""
    return -((-units) // size)


def tier_units(units: Fraction, tier: Tier) -> Fraction:
    return units if tier.size is None else Fraction(begun(units, Fraction(tier.size)))


def price_of(model: PriceModel, used: Used) -> Fraction:
    """The exact price in major units."""
    match model:
        case Flat():
            return Fraction(model.amount)
        case PerUnit():
            return used.quantity * Fraction(model.unit_price)
        case Graduated():
            return graduated(model, used.quantity)
        case Volume():
            return volume(model, used.quantity)
        case Package():
            beyond = max(used.quantity - Fraction(model.free_units), ZERO)
            packages = beyond / Fraction(model.size)
            return (whole(packages, model.count.value) if model.whole else packages) * Fraction(model.price)
        case StairStep():
            return stair(model, used.quantity)
        case Percentage():
            return percentage(model, used)
        case _:
            return nested(model, used)


def nested(model: PriceModel, used: Used) -> Fraction:
    """Prices made of other prices."""
    match model:
        case Included():
            return beyond_allowance(model, used)
        case Commitment():
            return committed(model, used)
        case Capped():
            return min(price_of(model.price, used), Fraction(model.amount) * used.part)
        case Ramp():
            return price_of([s for s in model.steps if s.from_cycle <= used.cycle][-1].price, used)
        case Matrix():
            return matrix(model, used)
        case _:
            raise AssertionError(f"no clerk knows {model!r}")


def beyond_allowance(model: Included, used: Used) -> Fraction:
    """An amount is off the price of all. Units are off the quantity: off the first events, and off combinations of
    properties as the price lists them."""
    if model.amount is not None:
        return max(price_of(model.overage, used) - Fraction(model.amount) * used.part, ZERO)
    free = used.rolled + Fraction(model.units) * used.part
    if used.quantity <= free:
        return ZERO
    left, amounts = free, []
    for amount in used.amounts:
        amounts.append(amount - min(amount, left))
        left -= min(amount, left)
    by_value, left = dict(used.by_value or {}), free
    listed = [cell.values for cell in model.overage.cells] if isinstance(model.overage, Matrix) else []
    for values in [*listed, *(v for v in by_value if v not in listed)]:
        off = min(by_value.get(values, ZERO), left)
        by_value[values] = by_value.get(values, ZERO) - off
        left -= off
    there = {values: quantity for values, quantity in by_value.items() if quantity}
    return price_of(model.overage, Used(used.quantity - free, [a for a in amounts if a], there, used.cycle, used.part))


def committed(model: Commitment, used: Used) -> Fraction:
    """At least an amount, or what so many units cost (unless less may stay less); what is more has a factor."""
    asked, least = price_of(model.price, used), Fraction(model.amount) * used.part
    if model.units is not None:
        least = price_of(model.price, Used(Fraction(model.units) * used.part, (), None, used.cycle, used.part))
    if asked <= least:
        return least if model.true_up else asked
    return least + (asked - least) * Fraction(model.overage_factor)


def graduated(model: Graduated, quantity: Fraction) -> Fraction:
    """Fill the tiers from the bottom; whoever puts anything into a tier pays its flat once."""
    total, floor = ZERO, ZERO
    for n, tier in enumerate(model.tiers):
        top = quantity if tier.up_to is None else Fraction(tier.up_to)
        in_tier = max(min(quantity, top) - floor, ZERO)
        if in_tier > 0 or (n == 0 and model.flat_at_zero):
            total += tier_units(in_tier, tier) * Fraction(tier.unit_price) + Fraction(tier.flat)
        floor = top
    return total


def volume(model: Volume, quantity: Fraction) -> Fraction:
    if quantity == 0 and not model.flat_at_zero:
        return ZERO
    tier = next(t for t in model.tiers if t.up_to is None or quantity <= Fraction(t.up_to))
    return tier_units(quantity, tier) * Fraction(tier.unit_price) + Fraction(tier.flat)


def stair(model: StairStep, quantity: Fraction) -> Fraction:
    if quantity == 0:
        return ZERO
    return Fraction(next(s for s in model.stairs if s.up_to is None or quantity <= Fraction(s.up_to)).amount)


def percentage(model: Percentage, used: Used) -> Fraction:
    """A fee that is due at all lies between minimum and maximum."""
    if model.free_events is not None or model.per_event or model.event_minimum or model.event_maximum is not None:
        return percentage_by_event(model, used.amounts)
    beyond = max(used.quantity - Fraction(model.free_amount), ZERO)
    return bounded(beyond * Fraction(model.rate), model.minimum, model.maximum) if beyond else ZERO


def percentage_by_event(model: Percentage, amounts: Sequence[Fraction]) -> Fraction:
    """Free are the first `free_events` as long as together they are within `free_amount` (where one is set)."""
    fees, gone = ZERO, ZERO
    for n, amount in enumerate(amounts):
        free = ZERO
        if model.free_events is None or n < model.free_events:
            limitless = not model.free_amount and model.free_events
            free = amount if limitless else min(amount, max(Fraction(model.free_amount) - gone, ZERO))
        gone += amount
        if free == amount and free > 0:
            continue
        fee = (amount - free) * Fraction(model.rate) + Fraction(model.per_event)
        fees += bounded(fee, model.event_minimum, model.event_maximum)
    return bounded(fees, model.minimum, model.maximum) if fees else ZERO


def bounded(fee: Fraction, least: Decimal, most: Decimal | None) -> Fraction:
    fee = max(fee, Fraction(least))
    return fee if most is None else min(fee, Fraction(most))


def matrix(model: Matrix, used: Used) -> Fraction:
    """Each combination of properties by itself, as if it were all."""
    total = ZERO
    for values, quantity in (used.by_value or {}).items():
        cell = next((c.price for c in model.cells if c.values == values), model.other)
        assert cell is not None, "the world only uses what has a price"
        total += price_of(cell, Used(quantity, (), None, used.cycle, used.part))
    return total


def dimensions_of(model: PriceModel) -> tuple[str, ...]:
    """The properties that a price tells usage apart by."""
    match model:
        case Matrix():
            return model.dimensions
        case Included():
            return dimensions_of(model.overage)
        case Commitment() | Capped():
            return dimensions_of(model.price)
        case Ramp():
            return next((d for s in model.steps if (d := dimensions_of(s.price))), ())
        case _:
            return ()
