"""What follows from all that a plan charges: a maximum beside a minimum, and percents of other charges."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from saldo.catalog.codec import plan_version_from_json, plan_version_to_json
from saldo.catalog.rules_uplift import uplifted
from saldo.kernel.errors import Refusal

BASE = {"id": "base", "price": {"kind": "flat", "amount": "10"}}
CALLS = {"id": "calls", "meter_id": "calls", "price": {"kind": "per_unit", "unit_price": "1"}}
BOOKS = {"id": "books", "tax_category": "reduced", "price": {"kind": "flat", "amount": "10"}}


def percent(name: str, *components: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "price": {"kind": "percent_of", "percent": "10", "components": list(components), **more}}


def document(*components: Any, **more: Any) -> dict[str, Any]:
    return {"id": "p", "currency": "EUR", "components": list(components), **more}


def faults(*components: Any, **more: Any) -> dict[str, str]:
    with pytest.raises(Refusal) as refusal:
        plan_version_from_json(document(*components, **more))
    return {problem.field: problem.code for problem in refusal.value.problems}


@pytest.mark.parametrize("maximum", ["500", {"amount": "500", "components": ["calls"]}])
def test_a_plan_with_both_survives_its_codec(maximum: Any) -> None:
    tiers = [{"up_to": "100", "percent": "10"}, {"percent": "2.5"}]
    support = {"id": "support", "price": {"kind": "percent_of", "tiers": tiers, "minimum": "29"}}
    version = plan_version_from_json(document(BASE, CALLS, support, percent("fee", "calls"), maximum=maximum))
    assert plan_version_from_json(plan_version_to_json(version)) == version
    assert plan_version_to_json(version)["maximum"] == maximum
    assert [tally.id for tally in version.tallies] == ["maximum", "support", "fee"]


def test_a_maximum_is_for_something_that_bears_one_tax() -> None:
    assert faults(BASE, BOOKS, maximum="5") == {"maximum.components": "mixed_taxes"}
    assert faults(BASE, maximum={"amount": "5", "components": ["cals"]}) == {
        "maximum.components[0]": "unknown_component",
        "maximum.components": "empty",
    }
    assert faults({**BASE, "id": "maximum"}, maximum="5") == {"components": "reserved_id"}


def test_a_minimum_bears_the_taxes_of_the_first_that_counts_towards_it() -> None:
    setup = {**BASE, "id": "setup", "kind": "one_time", "tax_category": "zero"}
    for minimum, category in (("5", "reduced"), ({"amount": "5", "components": ["calls"]}, "standard")):
        least = plan_version_from_json(document(setup, BOOKS, CALLS, minimum=minimum)).least
        assert least is not None and least.tax_category == category
    least = plan_version_from_json(document(setup, minimum="5")).least
    assert least is not None and least.tax_category == "zero", "nothing else is charged"


def test_prices_with_tax_in_them_and_without_it_make_no_sum() -> None:
    gross = {**CALLS, "tax_inclusive": True}
    assert faults(BASE, gross, minimum="5") == {"minimum.components": "mixed_taxes"}
    assert faults(BASE, gross, percent("fee")) == {"components[2].price.components": "mixed_taxes"}
    assert faults(gross, percent("fee", "calls")) == {"components[1].price.components": "mixed_taxes"}
    some = {"amount": "5", "components": ["calls"]}
    plan_version_from_json(document(BASE, gross, percent("fee", "base"), minimum=some))


def test_a_maximum_and_a_minimum_that_cannot_both_hold_are_refused() -> None:
    assert faults(BASE, CALLS, minimum="10", maximum="5") == {"maximum": "below_minimum"}
    year = {"amount": "61", "every": {"unit": "year"}}
    assert faults(BASE, CALLS, minimum=year, maximum="5") == {"maximum": "below_minimum"}
    some = {"amount": "1", "components": ["base", "calls"]}
    others = {"amount": "2", "components": ["calls", "books"]}
    alike = {**BOOKS, "tax_category": "standard"}
    assert faults(BASE, CALLS, alike, minimum=some, maximum=others) == {"maximum.components": "overlaps_minimum"}
    plan_version_from_json(document(BASE, CALLS, minimum="10", maximum={"amount": "5", "components": ["calls"]}))


def test_a_percent_of_itself_is_refused_by_the_names_of_those_that_lead_there() -> None:
    with pytest.raises(Refusal) as refusal:
        plan_version_from_json(document(BASE, percent("support"), percent("fee")))
    told = {problem.field: (problem.code, problem.message) for problem in refusal.value.problems}
    assert told["components[1].price.components"][0] == "circular"
    assert "support of fee of support" in told["components[1].price.components"][1]
    assert faults(BASE, percent("fee", "fee")) == {"components[1].price.components": "circular"}
    plan_version_from_json(document(BASE, percent("support"), percent("fee", "base")))


def test_what_is_wrong_with_a_percent_is_told_at_once() -> None:
    wrong = percent("fee", "bas", percent="101", minimum="-1") | {"timing": "advance", "priced_per": "year"}
    assert faults(BASE, wrong) == {
        "components[1].timing": "percent_in_advance",
        "components[1].priced_per": "not_expected",
        "components[1].price.components[0]": "unknown_component",
        "components[1].price.percent": "not_a_share",
        "components[1].price.minimum": "negative",
    }
    assert faults(BASE, percent("maximum")) == {"components[1].id": "reserved_id"}
    nested = {"kind": "capped", "amount": "1", "price": {"kind": "percent_of", "percent": "1"}}
    assert faults(BASE, {"id": "fee", "price": nested}) == {"components[1].price.price.kind": "not_here"}
    assert faults(BASE, {"id": "fee", "price": {"kind": "percent_of"}}) == {"components[1].price.tiers": "empty"}


def test_an_uplift_raises_a_maximum_and_the_least_of_a_percent_and_leaves_the_percent() -> None:
    version = plan_version_from_json(document(BASE, percent("fee", minimum="20"), maximum="500"))
    after = plan_version_to_json(uplifted(version, Decimal(5)))
    assert after["maximum"] == "525"
    assert after["components"][1]["price"] == {"kind": "percent_of", "percent": "10", "minimum": "21"}
