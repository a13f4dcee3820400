"""Plan versions as JSON: what sellers write, what is stored, what quotes are asked with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any  # parsed JSON is of any shape until it is read

from saldo.catalog.model import (
    ChargeKind,
    Component,
    DayCount,
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
from saldo.catalog.rules import problems_of
from saldo.kernel.errors import Problems
from saldo.kernel.exact import ZERO, plain
from saldo.kernel.periods import Unit
from saldo.kernel.reading import Fields, read
from saldo.kernel.rounding import Rounding


def plan_version_to_json(plan_version: PlanVersion) -> dict[str, Any]:
    """Plain JSON values; numbers are text, so that no digit is lost."""
    return {
        "id": plan_version.id,
        "plan_id": plan_version.plan_id,
        "version": plan_version.version,
        "currency": plan_version.currency,
        "cycle_unit": plan_version.cycle_unit.value,
        "cycle_count": plan_version.cycle_count,
        "effective_on": plan_version.effective_on.isoformat(),
        "rounding": plan_version.rounding.value,
        "day_count": plan_version.day_count.value,
        "components": [_component_to(component) for component in plan_version.components],
    }


def plan_version_from_json(document: Any) -> PlanVersion:
    """The plan version a document describes; Refusal `invalid_input` naming every field that is wrong."""
    plan_version = read(document, _plan_version, "the plan version cannot be read")
    problems = Problems()
    problems.extend(problems_of(plan_version))
    problems.refuse_if_any("the plan version is not sound")
    return plan_version


def _plan_version(fields: Fields) -> PlanVersion:
    plan_version = PlanVersion(
        id=fields.text("id"),
        plan_id=fields.text("plan_id"),
        version=fields.integer("version"),
        currency=fields.text("currency"),
        cycle_unit=fields.choice("cycle_unit", Unit),
        cycle_count=fields.integer("cycle_count", 1),
        components=tuple(_component(child) for child in fields.children("components")),
        effective_on=fields.day("effective_on"),
        rounding=fields.choice("rounding", Rounding, Rounding.HALF_UP),
        day_count=fields.choice("day_count", DayCount, DayCount.ACTUAL),
    )
    fields.finish()
    return plan_version


def _component_to(component: Component) -> dict[str, Any]:
    return {
        "id": component.id,
        "kind": component.kind.value,
        "names": component.names,
        "price": price_to_json(component.price),
        "timing": component.timing.value,
        "tax_category": component.tax_category,
        "revenue_tag": component.revenue_tag,
        "meter_id": component.meter_id,
        "unit_names": component.unit_names,
        "prorate": component.prorate,
    }


def _component(fields: Fields) -> Component:
    component = Component(
        id=fields.text("id"),
        kind=fields.choice("kind", ChargeKind),
        names=fields.texts("names"),
        price=price_from(fields.child("price")),
        timing=fields.choice("timing", Timing),
        tax_category=fields.text("tax_category"),
        revenue_tag=fields.text("revenue_tag"),
        meter_id=fields.text("meter_id", ""),
        unit_names=fields.texts("unit_names"),
        prorate=fields.flag("prorate", True),
    )
    fields.finish()
    return component


def price_to_json(price: PriceModel) -> dict[str, Any]:
    """A price model with its `kind` tag."""
    match price:
        case Flat():
            return {"kind": Flat.kind, "amount": plain(price.amount)}
        case PerUnit():
            return {"kind": PerUnit.kind, "unit_price": plain(price.unit_price)}
        case Package():
            numbers = {"size": price.size, "price": price.price, "free_units": price.free_units}
            return {"kind": Package.kind, **{name: plain(number) for name, number in numbers.items()}}
        case Graduated() | Volume():
            tiers = [_tier_to(tier) for tier in price.tiers]
            return {"kind": price.kind, "tiers": tiers, "flat_at_zero": price.flat_at_zero}


def price_from(fields: Fields) -> PriceModel:
    """The price model that `kind` names; an unknown one is a problem of the field."""
    kind = fields.text("kind")
    reader = _READERS.get(kind)
    if reader is None:
        if kind:
            known = ", ".join(sorted(_READERS))
            fields.problems.add(fields.at("kind"), "unknown_price_model", f"must be one of {known}")
        return Flat(ZERO)
    price = reader(fields)
    fields.finish()
    return price


def _flat(fields: Fields) -> Flat:
    return Flat(fields.decimal("amount"))


def _per_unit(fields: Fields) -> PerUnit:
    return PerUnit(fields.decimal("unit_price"))


def _package(fields: Fields) -> Package:
    return Package(fields.decimal("size"), fields.decimal("price"), fields.decimal("free_units", ZERO))


def _graduated(fields: Fields) -> Graduated:
    return Graduated(_tiers(fields), fields.flag("flat_at_zero", False))


def _volume(fields: Fields) -> Volume:
    return Volume(_tiers(fields), fields.flag("flat_at_zero", False))


def _tier_to(tier: Tier) -> dict[str, Any]:
    up_to = None if tier.up_to is None else plain(tier.up_to)
    return {"up_to": up_to, "unit_price": plain(tier.unit_price), "flat": plain(tier.flat)}


def _tiers(fields: Fields) -> tuple[Tier, ...]:
    return tuple(_tier(child) for child in fields.children("tiers"))


def _tier(fields: Fields) -> Tier:
    tier = Tier(fields.maybe_decimal("up_to"), fields.decimal("unit_price"), fields.decimal("flat", ZERO))
    fields.finish()
    return tier


_READERS: Mapping[str, Callable[[Fields], PriceModel]] = {
    Flat.kind: _flat,
    Graduated.kind: _graduated,
    Package.kind: _package,
    PerUnit.kind: _per_unit,
    Volume.kind: _volume,
}
