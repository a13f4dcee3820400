"""What makes a plan version sound. Every problem is returned, with the path of the field at fault."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from saldo.catalog.model import (
    ChargeKind,
    Component,
    Flat,
    Graduated,
    Package,
    PerUnit,
    PlanVersion,
    PriceModel,
    Tier,
    Timing,
    Volume,
)
from saldo.kernel.errors import Problem, Problems
from saldo.kernel.exact import MOST_DIGITS, fits

_CURRENCY = re.compile(r"[A-Z]{3}")


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
    if plan_version.cycle_count < 1:
        found.add("cycle_count", "below_one", "a cycle counts at least one unit")
    if not plan_version.components:
        found.add("components", "empty", "a plan charges for something")
    for i, component in enumerate(plan_version.components):
        found.extend(_of_component(component), f"components[{i}]")
    _check_unique(found, "id", [c.id for c in plan_version.components])
    _check_unique(found, "meter_id", [c.meter_id for c in plan_version.components])
    return found.found


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
    found.extend(problems_of_price(component.price), "price")
    return found.found


def problems_of_price(price: PriceModel) -> tuple[Problem, ...]:
    """Everything wrong with a price model."""
    found = Problems()
    _CHECKS[type(price)](price, found)
    return found.found


def _flat(price: Flat, found: Problems) -> None:
    _check_number(found, "amount", price.amount)


def _per_unit(price: PerUnit, found: Problems) -> None:
    _check_number(found, "unit_price", price.unit_price)


def _package(price: Package, found: Problems) -> None:
    _check_number(found, "price", price.price)
    _check_number(found, "free_units", price.free_units)
    if fits(price.size) and price.size <= 0:
        found.add("size", "not_above_zero", "a package holds more than nothing")
    else:
        _check_number(found, "size", price.size)


def _tiered(price: Graduated | Volume, found: Problems) -> None:
    found.extend(problems_of_tiers(price.tiers))


def problems_of_tiers(tiers: Sequence[Tier]) -> tuple[Problem, ...]:
    """Tiers follow each other upwards, and only the last has no end."""
    found = Problems()
    if not tiers:
        found.add("tiers", "empty", "at least one tier is required")
    floor = Decimal(0)
    for i, tier in enumerate(tiers):
        _check_number(found, f"tiers[{i}].unit_price", tier.unit_price)
        _check_number(found, f"tiers[{i}].flat", tier.flat)
        last = i == len(tiers) - 1
        if tier.up_to is None:
            if not last:
                found.add(f"tiers[{i}].up_to", "missing", "only the last tier is without end")
            continue
        _check_number(found, f"tiers[{i}].up_to", tier.up_to)
        if last:
            found.add(f"tiers[{i}].up_to", "last_tier_ends", "the last tier is without end")
        if fits(tier.up_to) and tier.up_to <= floor:
            found.add(f"tiers[{i}].up_to", "not_rising", f"must be above {floor}")
        floor = tier.up_to if fits(tier.up_to) else floor
    return found.found


def _check_number(found: Problems, field: str, number: Decimal) -> None:
    if not fits(number):
        found.add(field, "too_long", f"must be finite and have at most {MOST_DIGITS} digits")
    elif number < 0:
        found.add(field, "negative", "must be zero or more")


# Any: each check takes its own model, which the key of its row names.
_CHECKS: Mapping[type, Callable[[Any, Problems], None]] = {
    Flat: _flat,
    Graduated: _tiered,
    Package: _package,
    PerUnit: _per_unit,
    Volume: _tiered,
}
