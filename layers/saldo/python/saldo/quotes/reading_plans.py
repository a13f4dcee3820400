"""Plans of a quote's document: those of the catalog, with everything left out that a quote does not need."""

from __future__ import annotations

from datetime import date

from saldo.catalog.model import ChargeKind, Component, DayCount, PlanVersion, Timing
from saldo.catalog.price_codec import price_from
from saldo.catalog.rules import problems_of
from saldo.kernel.periods import Unit
from saldo.kernel.reading import Fields
from saldo.kernel.rounding import Rounding

LONG_AGO = date(1900, 1, 1)
_MOST_UNITS = 1200


def plans_from(document: Fields, currency: str) -> dict[str, PlanVersion]:
    """Plan versions by id, each checked as the catalog checks it; currency: of plans that name none."""
    found: dict[str, PlanVersion] = {}
    for fields in document.maybe_children("plans"):
        before = len(document.problems.found)
        plan_version = _plan(fields, currency)
        if plan_version.id in found:
            document.problems.add(fields.at("id"), "not_unique", f"{plan_version.id!r} is there twice")
        if len(document.problems.found) == before:
            document.problems.extend(problems_of(plan_version), fields.path)
        found[plan_version.id] = plan_version
    return found


def _plan(fields: Fields, currency: str) -> PlanVersion:
    plan_id, inclusive = fields.text("id"), fields.flag("tax_inclusive", False)
    plan_version = PlanVersion(
        id=plan_id,
        plan_id=fields.text("plan_id", plan_id),
        version=fields.integer("version", 1),
        currency=fields.text("currency", currency),
        cycle_unit=fields.choice("cycle_unit", Unit, Unit.MONTH),
        cycle_count=fields.integer("cycle_count", 1),
        components=tuple(_component(child, inclusive) for child in fields.children("components")),
        effective_on=fields.maybe_day("effective_on") or LONG_AGO,
        rounding=fields.choice("rounding", Rounding, Rounding.HALF_UP),
        day_count=fields.choice("day_count", DayCount, DayCount.ACTUAL),
        minimum=fields.maybe_decimal("minimum"),
    )
    if plan_version.cycle_count > _MOST_UNITS:
        fields.problems.add(fields.at("cycle_count"), "too_long", f"must be at most {_MOST_UNITS}")
    fields.finish()
    return plan_version


def _component(fields: Fields, inclusive: bool) -> Component:
    component_id, meter_id = fields.text("id"), fields.text("meter_id", "")
    kind = fields.choice("kind", ChargeKind, ChargeKind.USAGE if meter_id else ChargeKind.FIXED)
    component = Component(
        id=component_id,
        kind=kind,
        names=fields.texts("names") or {"en": component_id or "?"},
        price=price_from(fields.child("price")),
        timing=fields.choice("timing", Timing, Timing.ARREARS if kind is ChargeKind.USAGE else Timing.ADVANCE),
        tax_category=fields.text("tax_category", "standard"),
        revenue_tag=fields.text("revenue_tag", component_id or "?"),
        meter_id=meter_id,
        unit_names=fields.texts("unit_names"),
        prorate=fields.flag("prorate", True),
        tax_inclusive=fields.flag("tax_inclusive", inclusive),
        priced_per=fields.choice("priced_per", Unit) if fields.has("priced_per") else None,
    )
    fields.finish()
    return component
