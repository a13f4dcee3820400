"""What plan versions must be, and how they are read and written."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from saldo.catalog.codec import plan_version_from_json, plan_version_to_json
from saldo.catalog.model import (
    Capped,
    Commitment,
    Graduated,
    Included,
    Package,
    Percentage,
    PerUnit,
    Ramp,
    RampStep,
    StairStep,
    Tier,
    Timing,
    Volume,
    name_in,
)
from saldo.catalog.rules import problems_of, problems_of_price
from saldo.kernel.errors import Refusal
from tests.unit.invoicing.scenes import BASE, FULL, TOKENS, plan


def fields_at_fault(document: Any) -> set[str]:
    with pytest.raises(Refusal) as refusal:
        plan_version_from_json(document)
    return {problem.field for problem in refusal.value.problems}


def test_a_sound_plan_has_no_problems_and_survives_its_codec() -> None:
    assert problems_of(FULL) == ()
    assert plan_version_from_json(plan_version_to_json(FULL)) == FULL


def test_every_problem_of_a_document_is_named_at_once() -> None:
    document = plan_version_to_json(FULL)
    document["currency"] = 5
    document["cycle_unit"] = "fortnight"
    document["components"][0]["price"] = {"kind": "guesswork"}
    document["components"][1]["price"]["unit_price"] = 0.1
    document["components"][3]["price"]["tiers"][0]["upto"] = "3"
    document["components"][3]["timing"] = "sometime"
    assert fields_at_fault(document) == {
        "currency",
        "cycle_unit",
        "components[0].price.kind",
        "components[1].price.unit_price",
        "components[3].price.tiers[0].upto",
        "components[3].timing",
    }


@pytest.mark.parametrize("document", [None, [], "plan", {}])
def test_a_document_of_another_shape_is_refused_not_crashed_on(document: Any) -> None:
    assert fields_at_fault(document)


def test_a_readable_but_unsound_plan_is_refused_with_every_field() -> None:
    document = plan_version_to_json(FULL) | {"version": 0, "cycle_count": 0, "currency": "euro"}
    document["components"][3]["timing"] = "advance"
    document["components"][1]["id"] = "base"
    assert fields_at_fault(document) == {
        "version",
        "cycle_count",
        "currency",
        "components[3].timing",
        "components[0].id",
        "components[1].id",
    }


def tier(up_to: str | None, price: str = "1") -> Tier:
    return Tier(None if up_to is None else Decimal(up_to), Decimal(price))


@pytest.mark.parametrize(
    ("tiers", "fields"),
    [
        ((), ["tiers"]),
        ((tier("10"),), ["tiers[0].up_to"]),
        ((tier(None), tier(None)), ["tiers[0].up_to"]),
        ((tier("10"), tier("10"), tier(None)), ["tiers[1].up_to"]),
        ((tier("0"), tier(None)), ["tiers[0].up_to"]),
        ((tier("10", "-1"), tier(None, "NaN")), ["tiers[0].unit_price", "tiers[1].unit_price"]),
        ((tier("Infinity"), tier(None)), ["tiers[0].up_to"]),
    ],
)
def test_tiers_rise_without_gap_to_an_open_end(tiers: tuple[Tier, ...], fields: list[str]) -> None:
    for model in (Graduated(tiers), Volume(tiers)):
        assert [p.field for p in problems_of_price(model)] == fields


def test_a_package_holds_something() -> None:
    assert [p.field for p in problems_of_price(Package(Decimal(0), Decimal(1)))] == ["size"]
    assert [p.field for p in problems_of_price(Package(Decimal(1), Decimal(-1), Decimal(-1)))] == [
        "price",
        "free_units",
    ]


def test_models_that_hold_another_name_the_field_inside() -> None:
    broken = PerUnit(Decimal(-1))
    nested = Ramp((RampStep(1, Commitment(Decimal(-1), Included(Decimal(-1), Capped(Decimal(1), broken)))),))
    assert [p.field for p in problems_of_price(nested)] == [
        "steps[0].from_cycle",
        "steps[0].price.amount",
        "steps[0].price.price.units",
        "steps[0].price.price.overage.price.unit_price",
    ]
    assert [p.field for p in problems_of_price(Ramp(()))] == ["steps"]
    assert [p.field for p in problems_of_price(StairStep(()))] == ["stairs"]
    bounded = Percentage(Decimal(-1), minimum=Decimal(2), maximum=Decimal(1))
    assert [p.field for p in problems_of_price(bounded)] == ["rate", "maximum"]


def test_prices_nested_without_end_are_refused() -> None:
    price: dict[str, Any] = {"kind": "flat", "amount": "1"}
    for _ in range(100):
        price = {"kind": "capped", "amount": "1", "price": price}
    document = plan_version_to_json(plan(BASE))
    document["components"][0]["price"] = price
    assert all(field.endswith(".price") for field in fields_at_fault(document))


def test_usage_has_one_meter_and_comes_in_arrears() -> None:
    wrong = plan(
        replace(TOKENS, id="a", meter_id="", timing=Timing.ADVANCE),
        replace(BASE, meter_id="m", names={"de": "Grundpreis"}),
        replace(TOKENS, id="b"),
        replace(TOKENS, id="c"),
    )
    assert [p.field for p in problems_of(wrong)] == [
        "components[0].meter_id",
        "components[0].timing",
        "components[1].names.en",
        "components[1].meter_id",
        "components[2].meter_id",
        "components[3].meter_id",
    ]


def test_a_plan_charges_for_something() -> None:
    assert [p.field for p in problems_of(plan())] == ["components"]


def test_names_fall_back_to_english() -> None:
    assert name_in({"en": "Seat", "de": "Platz"}, "de") == "Platz"
    assert name_in({"en": "Seat"}, "fr") == "Seat"
