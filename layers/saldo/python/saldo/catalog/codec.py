"""Plan versions as JSON: what sellers write, what is stored, what quotes are asked with."""

from __future__ import annotations

from typing import Any  # parsed JSON is of any shape until it is read

from saldo.catalog.model import ChargeKind, Component, DayCount, PlanVersion, Timing
from saldo.catalog.price_codec import price_from, price_to_json
from saldo.catalog.rules import problems_of
from saldo.kernel.errors import Problems
from saldo.kernel.exact import plain
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
        "components": [component_to_json(component) for component in plan_version.components],
        **({} if plan_version.minimum is None else {"minimum": plain(plan_version.minimum)}),
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
        minimum=fields.maybe_decimal("minimum"),
    )
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
    }


def component_from_json(document: Any) -> Component:
    """The reverse; Refusal `invalid_input` naming every field that cannot be read."""
    return read(document, _component, "the component cannot be read")


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
        tax_inclusive=fields.flag("tax_inclusive", False),
        priced_per=fields.choice("priced_per", Unit) if fields.has("priced_per") else None,
    )
    fields.finish()
    return component
