"""Prices that came later keep the stored form of the earlier ones."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from saldo.catalog.codec import plan_version_from_json, plan_version_to_json
from saldo.catalog.model import (
    Cell,
    ChargeKind,
    Commitment,
    Graduated,
    Included,
    Matrix,
    Minimum,
    Package,
    Percentage,
    PerUnit,
    Ramp,
    RampStep,
    Rollover,
    Tier,
    Timing,
)
from saldo.catalog.rules import problems_of, problems_of_price
from saldo.kernel.periods import Length, Unit
from saldo.kernel.rounding import Rounding
from tests.unit.invoicing.scenes import ADVANCE, component, plan

BLOCKS = Graduated((Tier(Decimal(10), Decimal(1), size=Decimal(5)), Tier(None, Decimal("0.5"))))
BY_PLACE = Matrix(("region", "class"), (Cell(("eu", "s"), PerUnit(Decimal(1))),), other=BLOCKS)
BY_EVENT = Percentage(Decimal("0.01"), per_event=Decimal("0.3"), free_events=3, event_maximum=Decimal(9))


def test_blocks_matrices_and_prices_per_event_are_read_back_as_they_were() -> None:
    models = (("a", BLOCKS), ("b", BY_PLACE), ("c", BY_EVENT))
    components = (component(name, model, ChargeKind.USAGE, Timing.ARREARS, name) for name, model in models)
    yearly = replace(component("d", PerUnit(Decimal(9))), priced_per=Unit.YEAR, tax_inclusive=True)
    version = replace(plan(*components, yearly), minimum=Minimum((Decimal("99.50"),), components=("d",)))
    assert plan_version_from_json(plan_version_to_json(version)) == version


def test_what_a_plan_does_not_use_is_not_in_its_stored_form() -> None:
    document = plan_version_to_json(plan(component("a", Graduated((Tier(None, Decimal(1)),)), timing=ADVANCE)))
    assert "minimum" not in document
    assert set(document["components"][0]) & {"tax_inclusive", "priced_per"} == set()
    assert set(document["components"][0]["price"]["tiers"][0]) == {"up_to", "unit_price", "flat"}


def test_a_matrix_with_cells_that_cannot_be_told_apart_is_refused() -> None:
    cell = Cell(("eu",), PerUnit(Decimal(-1)))
    found = {(p.field, p.code) for p in problems_of_price(Matrix(("region", "class"), (cell, cell)))}
    assert found >= {
        ("cells[0].values", "wrong_length"),
        ("cells[1].values", "not_unique"),
        ("cells[0].price.unit_price", "negative"),
    }


def test_each_allowance_within_a_price_that_would_go_on_is_named() -> None:
    rolling = Included(Decimal(10), PerUnit(Decimal(1)), Rollover(1))
    stepped = Ramp((RampStep(0, rolling), RampStep(3, Commitment(Decimal(5), rolling))))
    yearly = replace(component("a", stepped, ChargeKind.USAGE, Timing.ARREARS, "a"), cumulates=Length(Unit.YEAR, 1))
    assert {(p.field, p.code) for p in problems_of(plan(yearly))} == {
        ("components[0].price.steps[0].price.rollover", "not_here"),
        ("components[0].price.steps[1].price.price.rollover", "not_here"),
        ("components[0].cumulates", "one_of_two"),
        ("components[0].cumulates", "trued_up"),
    }
    alone = component("a", rolling, ChargeKind.USAGE, Timing.ARREARS, "a")
    assert problems_of(plan(alone)) == ()


def test_a_package_tells_of_its_size_whatever_else_is_wrong_with_it() -> None:
    for size in ("0", "1e50"):
        package = Package(Decimal(size), Decimal(1), count=Rounding.DOWN, whole=False)
        assert [p.field for p in problems_of_price(package)] == ["size", "count"]
