"""Meters as price lists and quotes write them."""

from __future__ import annotations

from typing import Any

from saldo.kernel.errors import Problem
from saldo.kernel.exact import ONE, ZERO, plain
from saldo.kernel.reading import Fields
from saldo.kernel.rounding import Rounding
from saldo.usage.model import Aggregation, CountWindow, LatePolicy, Meter, OfWindows, Repeats
from saldo.usage.rules import faults_of


def meter_from(fields: Fields, entity_id: str, repeats: Repeats = Repeats.FIRST) -> Meter:
    """One meter, checked as `define_meter` checks it; only `id` must be there. repeats: where it says nothing."""
    meter_id = fields.text("id")
    meter = Meter(
        id=meter_id,
        entity_id=entity_id,
        aggregation=fields.choice("aggregation", Aggregation, Aggregation.SUM),
        names=fields.texts("names") or {"en": meter_id or "?"},
        unit_names=fields.texts("unit_names"),
        unique_by=fields.text("unique_by", ""),
        counts=fields.text("counts", ""),
        filters=_filters(fields),
        group_by=fields.text_list("group_by"),
        carries=fields.flag("carries", False),
        grace_s=fields.integer("grace_s", 0),
        late=fields.choice("late", LatePolicy, LatePolicy.CARRY),
        repeats=fields.choice("repeats", Repeats, repeats),
        per=fields.choice("per", CountWindow) if fields.has("per") else None,
        factor=fields.decimal("factor", ONE),
        rounding=fields.choice("rounding", Rounding) if fields.has("rounding") else None,
        digits=fields.integer("digits", 0),
        whole_days=fields.flag("whole_days", False),
        by_subscription=fields.flag("by_subscription", False),
        of_windows=fields.choice("of_windows", OfWindows, OfWindows.SUM),
        percentile=fields.decimal("percentile", ZERO),
        increment=fields.maybe_decimal("increment"),
        least=fields.maybe_decimal("least"),
    )
    if meter.aggregation is Aggregation.UNIQUE and not meter.unique_by:
        fields.problems.add(fields.at("unique_by"), "missing", "a unique meter counts values of a property")
    fields.note(Problem(*fault) for fault in faults_of(meter))
    fields.finish()
    return meter


def _filters(fields: Fields) -> dict[str, tuple[str, ...]]:
    found = {}
    child = fields.maybe_child("filters")
    for name in child.names():
        found[name] = child.text_list(name)
    child.finish()
    return found


def meter_to_json(meter: Meter) -> dict[str, Any]:
    """The reverse: what differs from a meter of which only the id is told."""
    told: dict[str, Any] = {"id": meter.id, "aggregation": meter.aggregation.value, "names": meter.names}
    optional = {
        "unit_names": meter.unit_names,
        "unique_by": meter.unique_by,
        "counts": meter.counts,
        "filters": {name: list(values) for name, values in meter.filters.items()},
        "group_by": list(meter.group_by),
        "carries": meter.carries,
        "grace_s": meter.grace_s,
        "late": "" if meter.late is LatePolicy.CARRY else meter.late.value,
        "repeats": "" if meter.repeats is Repeats.FIRST else meter.repeats.value,
        "per": meter.per.value if meter.per else "",
        "factor": "" if meter.factor == ONE else plain(meter.factor),
        "rounding": meter.rounding.value if meter.rounding else "",
        "digits": meter.digits,
        "whole_days": meter.whole_days,
        "by_subscription": meter.by_subscription,
        "of_windows": "" if meter.of_windows is OfWindows.SUM else meter.of_windows.value,
        "percentile": plain(meter.percentile) if meter.percentile else "",
        "increment": "" if meter.increment is None else plain(meter.increment),
        "least": "" if meter.least is None else plain(meter.least),
    }
    return told | {name: value for name, value in optional.items() if value}
