"""What makes a plan version sound, every problem with the path of the field at fault; and which one is sold when."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from saldo.catalog.model import (
    BY_MONTHS,
    Capped,
    ChargeKind,
    Commitment,
    Component,
    Flat,
    Graduated,
    Included,
    Matrix,
    Package,
    Percentage,
    PercentOf,
    PerUnit,
    PlanVersion,
    PriceModel,
    Ramp,
    StairStep,
    Tier,
    Timing,
    Volume,
    all_prices,
    prices_within,
)
from saldo.catalog.rules_tallies import problems_of_tallies
from saldo.kernel.errors import Problem, Problems
from saldo.kernel.numbers import check_number, fits
from saldo.kernel.periods import Length, Unit
from saldo.kernel.rounding import Rounding

MOST_CYCLES = 120  # that an allowance may go on

_CURRENCY, _COUNTRY = re.compile(r"[A-Z]{3}"), re.compile(r"[A-Z]{2}")


def problems_of(plan_version: PlanVersion) -> tuple[Problem, ...]:
    """Everything wrong with a plan version; empty for a sound one, which rating then prices without fail."""
    found = Problems()
    for name in ("id", "plan_id"):
        if not getattr(plan_version, name):
            found.add(name, "missing", "is required")
    if plan_version.version < 1:
        found.add("version", "below_one", "versions count from 1")
    if not _CURRENCY.fullmatch(plan_version.currency):
        found.add("currency", "invalid_currency", "must be an ISO 4217 code such as EUR")
    for i, country in enumerate(plan_version.countries):
        if not _COUNTRY.fullmatch(country):
            found.add(f"countries[{i}]", "invalid_country", "must be an ISO 3166 code such as DE")
    if plan_version.day_count in BY_MONTHS:
        _check_months(plan_version, found)
    if plan_version.cycle_count < 1:
        found.add("cycle_count", "below_one", "a cycle counts at least one unit")
    if not plan_version.components:
        found.add("components", "empty", "a plan charges for something")
    found.extend(problems_of_tallies(plan_version))
    for i, component in enumerate(plan_version.components):
        found.extend(_of_component(component), f"components[{i}]")
        if component.cumulates is not None and not plan_version.cycles_of(component.cumulates):
            cycle = f"{plan_version.cycle_count} {plan_version.cycle_unit}"
            why = f"must be a whole number of cycles of {cycle}"
            found.add(f"components[{i}].cumulates", "not_whole_cycles", why)
    _check_unique(found, "id", [c.id for c in plan_version.components])
    _check_unique(found, "meter_id", [c.meter_id for c in plan_version.components])
    return found.found


def _check_months(plan_version: PlanVersion, found: Problems) -> None:
    """Where whole months are counted there are such."""
    month = Length(Unit.MONTH)
    if not Length(plan_version.cycle_unit).holds(month):
        found.add("day_count", "not_months", f"there are no whole months in a cycle of a {plan_version.cycle_unit}")
    for i, component in enumerate(plan_version.components):
        if component.priced_per is not None and not Length(component.priced_per).holds(month):
            found.add(f"components[{i}].priced_per", "not_months", "the plan counts whole months")


def _check_unique(found: Problems, name: str, values: Sequence[str]) -> None:
    """A component is told by its id; a meter's events are charged for once."""
    times = Counter(values)
    for i, value in enumerate(values):
        if value and times[value] > 1:
            found.add(f"components[{i}].{name}", "not_unique", f"{value!r} is in more than one component")


def _of_component(component: Component) -> tuple[Problem, ...]:
    found = Problems()
    for name in ("id", "tax_category", "revenue_tag"):
        if not getattr(component, name):
            found.add(name, "missing", "is required")
    if not component.names.get("en"):
        found.add("names.en", "missing", "a name in English is required")
    if component.kind is ChargeKind.USAGE:
        if not component.meter_id:
            found.add("meter_id", "missing", "usage is counted by a meter")
        if component.timing is not Timing.ARREARS:
            found.add("timing", "usage_in_advance", "usage is known, and charged, in arrears")
    elif component.meter_id:
        found.add("meter_id", "meter_without_usage", "only a usage component has a meter")
    if component.priced_per is not None and component.kind is not ChargeKind.FIXED:
        found.add("priced_per", "not_fixed", "only what recurs has a price per time")
    if component.kind is not ChargeKind.USAGE and goes_by_parts(component.price):
        found.add("price", "not_usage", "only usage is told apart by properties or by event")
    _check_looking_back(component, found)
    if isinstance(component.price, PercentOf):
        _check_percent(component, found)
    found.extend(problems_of_price(component.price), "price")
    return found.found


def _check_percent(component: Component, found: Problems) -> None:
    """What is a percent of other charges is known when these are: once a cycle, when it is over."""
    if component.kind is not ChargeKind.FIXED:
        found.add("kind", "not_fixed", "a percent of other charges recurs with each cycle")
    if component.timing is Timing.ADVANCE:
        found.add("timing", "percent_in_advance", "what it is a percent of is known, and it is charged, in arrears")
    if component.priced_per is not None:
        found.add("priced_per", "not_expected", "it follows from what is charged, whatever the time")


def _check_looking_back(component: Component, found: Problems) -> None:
    """What depends on earlier cycles is usage, and a price that can be told from how much it was."""
    if component.looks_back and component.kind is not ChargeKind.USAGE:
        name = "price.rollover" if component.cumulates is None else "cumulates"
        found.add(name, "not_usage", "only what is used adds up from cycle to cycle, or is left over")
    if component.cumulates is None:
        return
    if any(_rolls_over(price) for price in all_prices(component.price)):
        found.add("cumulates", "one_of_two", "an allowance goes on from cycle to cycle, or is for all of them")
    if goes_by_parts(component.price):
        found.add("cumulates", "by_parts", "a price by properties or by event does not add up over cycles")
    if any(isinstance(price, Commitment) and price.true_up for price in all_prices(component.price)):
        found.add("cumulates", "trued_up", "a commitment over several cycles is the plan's `minimum`")


def _rolls_over(price: PriceModel) -> bool:
    return isinstance(price, Included) and price.rollover is not None


def goes_by_parts(price: PriceModel) -> bool:
    """Whether a price asks for more than a quantity: for the parts of it by properties, or one by one."""
    return any(isinstance(p, Matrix) or (isinstance(p, Percentage) and p.by_event) for p in all_prices(price))


def problems_of_price(price: PriceModel) -> tuple[Problem, ...]:
    """Everything wrong with a price model, and with those within it."""
    found = Problems()
    _CHECKS[type(price)](price, found)
    for name, within in prices_within(price).items():
        if isinstance(within, PercentOf):
            found.add(f"{name}.kind", "not_here", "a percent of other charges is the price of a component itself")
        if _rolls_over(within):
            found.add(f"{name}.rollover", "not_here", "an allowance that goes on is the price of a charge itself")
        found.extend(problems_of_price(within), name)
    return found.found


def _flat(price: Flat, found: Problems) -> None:
    check_number(found, "amount", price.amount)


def _per_unit(price: PerUnit, found: Problems) -> None:
    check_number(found, "unit_price", price.unit_price)


def _package(price: Package, found: Problems) -> None:
    check_number(found, "price", price.price)
    check_number(found, "free_units", price.free_units)
    if fits(price.size) and price.size <= 0:
        found.add("size", "not_above_zero", "a package holds more than nothing")
    else:
        check_number(found, "size", price.size)
    if not price.whole and price.count is not Rounding.UP:
        found.add("count", "not_expected", "packages that are sold in part are not rounded")


def _percentage(price: Percentage, found: Problems) -> None:
    for name in ("rate", "free_amount", "minimum", "per_event", "event_minimum"):
        check_number(found, name, getattr(price, name))
    if fits(price.rate) and price.rate > 1:
        found.add(
            "rate",
            "not_a_fraction",
            "a rate is a fraction of the amount: 0.029 is 2.9 %; more than all of it is a `per_unit` price",
        )
    if price.event_maximum is not None:
        check_number(found, "event_maximum", price.event_maximum)
    if price.free_events is not None and price.free_events < 0:
        found.add("free_events", "negative", "must be zero or more")
    if price.maximum is not None:
        check_number(found, "maximum", price.maximum)
        if fits(price.maximum) and fits(price.minimum) and price.maximum < price.minimum:
            found.add("maximum", "below_minimum", "must not be below the minimum")


def _percent_of(price: PercentOf, found: Problems) -> None:
    check_number(found, "minimum", price.minimum)
    for i, tier in enumerate(price.tiers):
        name = f"tiers[{i}].percent" if len(price.tiers) > 1 else "percent"
        check_number(found, name, tier.percent)
        if fits(tier.percent) and tier.percent > 100:
            found.add(name, "not_a_share", "must be from 0 to 100")
    _check_bounds(found, "tiers", [tier.up_to for tier in price.tiers])


def _included(price: Included, found: Problems) -> None:
    check_number(found, "units", price.units)
    if price.amount is not None:
        check_number(found, "amount", price.amount)
        if price.units or price.rollover:
            found.add(
                "amount", "one_of_two", "an allowance is of so many `units`, or an `amount`, which does not go on"
            )
    if price.rollover is not None:
        if not 1 <= price.rollover.cycles <= MOST_CYCLES:
            found.add("rollover.cycles", "out_of_range", f"must be from 1 to {MOST_CYCLES}")
        if price.rollover.most is not None:
            check_number(found, "rollover.most", price.rollover.most)


def _commitment(price: Commitment, found: Problems) -> None:
    check_number(found, "overage_factor", price.overage_factor)
    if price.units is not None:
        check_number(found, "units", price.units)
        if price.amount:
            found.add("units", "one_of_two", "a commitment is an `amount` or so many `units`")
        if goes_by_parts(price.price):
            found.add("units", "no_one_price", "what units cost depends on what they are; commit to an `amount`")
    _capped(price, found)


def _capped(price: Commitment | Capped, found: Problems) -> None:
    check_number(found, "amount", price.amount)


def _ramp(price: Ramp, found: Problems) -> None:
    """Steps rise from cycle 0."""
    if not price.steps:
        found.add("steps", "empty", "at least one step is required")
    floor = -1
    for i, step in enumerate(price.steps):
        if i == 0 and step.from_cycle != 0:
            found.add("steps[0].from_cycle", "not_zero", "the first step begins with cycle 0")
        elif step.from_cycle <= floor:
            found.add(f"steps[{i}].from_cycle", "not_rising", f"must be above {floor}")
        floor = max(floor, step.from_cycle)


def _matrix(price: Matrix, found: Problems) -> None:
    """One cell per combination, each with a value per dimension."""
    if not price.dimensions:
        found.add("dimensions", "empty", "at least one property is required")
    if len(set(price.dimensions)) < len(price.dimensions):
        found.add("dimensions", "not_unique", "each property tells usage apart once")
    seen: set[tuple[str, ...]] = set()
    for i, cell in enumerate(price.cells):
        if len(cell.values) != len(price.dimensions):
            found.add(f"cells[{i}].values", "wrong_length", f"must be {len(price.dimensions)} values")
        if cell.values in seen:
            found.add(f"cells[{i}].values", "not_unique", "these values have a cell already")
        seen.add(cell.values)


def _stair_step(price: StairStep, found: Problems) -> None:
    for i, stair in enumerate(price.stairs):
        check_number(found, f"stairs[{i}].amount", stair.amount)
    _check_bounds(found, "stairs", [stair.up_to for stair in price.stairs])


def _tiered(price: Graduated | Volume, found: Problems) -> None:
    found.extend(problems_of_tiers(price.tiers))


def problems_of_tiers(tiers: Sequence[Tier]) -> tuple[Problem, ...]:
    """Tiers follow each other upwards, and only the last has no end."""
    found = Problems()
    for i, tier in enumerate(tiers):
        check_number(found, f"tiers[{i}].unit_price", tier.unit_price)
        check_number(found, f"tiers[{i}].flat", tier.flat)
        if tier.size is not None and (not fits(tier.size) or tier.size <= 0):
            found.add(f"tiers[{i}].size", "not_above_zero", "a block holds more than nothing")
    _check_bounds(found, "tiers", [tier.up_to for tier in tiers])
    return found.found


def _check_bounds(found: Problems, name: str, bounds: Sequence[Decimal | None]) -> None:
    if not bounds:
        found.add(name, "empty", "at least one is required")
    floor = Decimal(0)
    for i, up_to in enumerate(bounds):
        field, last = f"{name}[{i}].up_to", i == len(bounds) - 1
        if up_to is None:
            if not last:
                found.add(field, "missing", "only the last is without end")
            continue
        check_number(found, field, up_to)
        if last:
            found.add(field, "last_one_ends", "the last is without end")
        if fits(up_to):
            if up_to <= floor:
                found.add(field, "not_rising", f"must be above {floor}")
            floor = up_to


# Any: each check takes its own model, which the key of its row names.
_CHECKS: Mapping[type, Callable[[Any, Problems], None]] = {
    Capped: _capped,
    Commitment: _commitment,
    Flat: _flat,
    Graduated: _tiered,
    Included: _included,
    Matrix: _matrix,
    Package: _package,
    PerUnit: _per_unit,
    Percentage: _percentage,
    PercentOf: _percent_of,
    Ramp: _ramp,
    StairStep: _stair_step,
    Volume: _tiered,
}


def version_in_force(
    versions: Iterable[PlanVersion], plan_id: str, currency: str, country: str, on: date
) -> PlanVersion | None:
    """The version of a plan that is sold on a day in this currency and country: of those that name the country, else of
    those for all, the last to become effective, in any order given."""
    sold = [
        v
        for v in versions
        if v.plan_id == plan_id and v.currency == currency and v.effective_on <= on and v.is_sold_in(country)
    ]
    return max(sold, key=lambda v: (bool(v.countries), v.effective_on, v.version, v.id), default=None)
