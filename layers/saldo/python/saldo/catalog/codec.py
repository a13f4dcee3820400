"""Plan versions as JSON: what sellers write, what is stored, what quotes are asked with."""

from __future__ import annotations

from datetime import date
from typing import Any  # parsed JSON is of any shape until it is read

from saldo.catalog.minimum_codec import (
    length_from,
    length_to_json,
    maximum_to_json,
    maybe_maximum,
    maybe_minimum,
    minimum_to_json,
)
from saldo.catalog.model import ChargeKind, Component, DayCount, PercentOf, PlanVersion, Timing
from saldo.catalog.price_codec import price_from, price_to_json
from saldo.catalog.rules import problems_of
from saldo.kernel.errors import Problems
from saldo.kernel.periods import Unit
from saldo.kernel.reading import Fields, read
from saldo.kernel.rounding import Rounding

LONG_AGO = date(1900, 1, 1)
_MOST_UNITS = 1200


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
        "components": [component_to_json(component) for component in plan_version.components],
        **({} if plan_version.minimum is None else {"minimum": minimum_to_json(plan_version.minimum)}),
        **({} if plan_version.maximum is None else {"maximum": maximum_to_json(plan_version.maximum)}),
        **({"countries": list(plan_version.countries)} if plan_version.countries else {}),
    }


def plan_version_from_json(document: Any) -> PlanVersion:
    """The plan version a document describes; Refusal `invalid_input` naming every field that is wrong."""
    plan_version = read(document, plan_version_from, "the plan version cannot be read")
    problems = Problems()
    problems.extend(problems_of(plan_version))
    problems.refuse_if_any("the plan version is not sound")
    return plan_version


def plan_version_from(fields: Fields, currency: str = "") -> PlanVersion:
    """As price lists and quotes write it: only `id` and `components` must be there, and `currency` where none is given
    for all."""
    version_id, inclusive = fields.text("id"), fields.flag("tax_inclusive", False)
    plan_version = PlanVersion(
        id=version_id,
        plan_id=fields.text("plan_id", version_id),
        version=fields.integer("version", 1),
        currency=fields.text("currency", currency) if currency else fields.text("currency"),
        cycle_unit=fields.choice("cycle_unit", Unit, Unit.MONTH),
        cycle_count=fields.integer("cycle_count", 1),
        components=tuple(_component(child, inclusive) for child in fields.children("components")),
        effective_on=fields.maybe_day("effective_on") or LONG_AGO,
        rounding=fields.choice("rounding", Rounding, Rounding.HALF_UP),
        day_count=fields.choice("day_count", DayCount, DayCount.ACTUAL),
        minimum=maybe_minimum(fields),
        countries=fields.text_list("countries"),
        maximum=maybe_maximum(fields),
    )
    if plan_version.cycle_count > _MOST_UNITS:
        fields.problems.add(fields.at("cycle_count"), "too_long", f"must be at most {_MOST_UNITS}")
    fields.finish()
    return plan_version


def component_to_json(component: Component) -> dict[str, Any]:
    """One component as plain JSON values."""
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
        **({"tax_inclusive": True} if component.tax_inclusive else {}),
        **({"priced_per": component.priced_per.value} if component.priced_per else {}),
        **({"cumulates": length_to_json(component.cumulates)} if component.cumulates else {}),
    }


def component_from_json(document: Any) -> Component:
    """The reverse; Refusal `invalid_input` naming every field that cannot be read."""
    return read(document, _component, "the component cannot be read")


def _component(fields: Fields, inclusive: bool = False) -> Component:
    component_id, meter_id = fields.text("id"), fields.text("meter_id", "")
    kind = fields.choice("kind", ChargeKind, ChargeKind.USAGE if meter_id else ChargeKind.FIXED)
    price = price_from(fields.child("price"))
    in_arrears = kind is ChargeKind.USAGE or isinstance(price, PercentOf)
    component = Component(
        id=component_id,
        kind=kind,
        names=fields.texts("names") or {"en": component_id or "?"},
        price=price,
        timing=fields.choice("timing", Timing, Timing.ARREARS if in_arrears else Timing.ADVANCE),
        tax_category=fields.text("tax_category", "standard"),
        revenue_tag=fields.text("revenue_tag", component_id or "?"),
        meter_id=meter_id,
        unit_names=fields.texts("unit_names"),
        prorate=fields.flag("prorate", True),
        tax_inclusive=fields.flag("tax_inclusive", inclusive),
        priced_per=fields.choice("priced_per", Unit) if fields.has("priced_per") else None,
        cumulates=length_from(fields.child("cumulates")) if fields.has("cumulates") else None,
    )
    fields.finish()
    return component
