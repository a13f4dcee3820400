"""Price models."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from saldo.catalog.model import Capped, Commitment, Flat, Graduated, Package, PerUnit, PriceModel, Tier, Volume
from saldo.rating.rules.registry import price, rate
from tests.unit.worked.reading import Case, Check, euros, one_of


def tiers_of(rows: Any) -> tuple[Tier, ...]:
    def number(value: object) -> Decimal:
        return Decimal(str(value))

    return tuple(Tier(None if up is None else number(up), number(unit), number(flat)) for up, unit, flat in rows)


def amounts_of(model: PriceModel, units: object) -> list[Decimal]:
    several = units if isinstance(units, list) else [units]
    return [euros(rate(model, Decimal(str(quantity)), "EUR").net_minor) for quantity in several]


def expected_amounts(expected: Case) -> list[Decimal]:
    values = expected["amounts"] if "amounts" in expected else [expected.get("amount", expected.get("fee"))]
    return [Decimal(str(value)) for value in values]


def per_unit(inputs: Case, expected: Case) -> None:
    model = PerUnit(Decimal(inputs["unit_price"]))
    assert amounts_of(model, inputs["units"]) == expected_amounts(expected)


def dynamic(inputs: Case, expected: Case) -> None:
    model = PerUnit(Decimal(inputs["multiplier"]))
    assert amounts_of(model, inputs["meter_value"]) == expected_amounts(expected)


def graduated(inputs: Case, expected: Case) -> None:
    tiers = tiers_of(inputs["tiers"])
    one_of(
        expected_amounts(expected),
        lambda: amounts_of(Graduated(tiers), inputs["units"]),
        lambda: amounts_of(Graduated(tiers, flat_at_zero=True), inputs["units"]),
    )


def volume(inputs: Case, expected: Case) -> None:
    tiers = tiers_of(inputs["tiers"])
    one_of(
        expected_amounts(expected),
        lambda: amounts_of(Volume(tiers), inputs["units"]),
        lambda: amounts_of(Volume(tiers, flat_at_zero=True), inputs["units"]),
    )


def between(model: PriceModel, before: object, now: object) -> Decimal:
    """What a further quantity costs on top of one already priced."""
    first, more = Decimal(str(before)), Decimal(str(now))
    return price(model, first + more).amount - price(model, first).amount


def graduated_split_period(inputs: Case, expected: Case) -> None:
    found = between(Graduated(tiers_of(inputs["tiers"])), inputs["units_before_line"], inputs["units"])
    assert found == Decimal(expected["amount"])


def graduated_percentage(inputs: Case, expected: Case) -> None:
    """Tiers over amounts of money, whose unit prices are rates."""
    model = Graduated(tiers_of(inputs["tiers"]))
    if "transactions" not in inputs:
        assert amounts_of(model, inputs["amount"]) == expected_amounts(expected)
        return
    seen, increments = Decimal(0), []
    for transaction in map(Decimal, inputs["transactions"]):
        increments.append(between(model, seen, transaction))
        seen += transaction
    assert increments == [Decimal(i) for i in expected["increments"]]
    assert price(model, seen).amount == Decimal(expected["total"])


def package(inputs: Case, expected: Case) -> None:
    cost = Decimal(str(inputs.get("package_price", inputs.get("price"))))
    model = Package(Decimal(inputs["package_size"]), cost, Decimal(inputs.get("free_units", 0)))
    assert amounts_of(model, inputs["units"]) == expected_amounts(expected)
    if "split" in inputs:
        assert between(model, inputs["split"]["before"], inputs["split"]["now"]) == Decimal(expected["split_amount"])


def consumable(inputs: Case, expected: Case) -> None:
    used = rate(Graduated(tiers_of(inputs["tiers"])), Decimal(inputs["units"]), "EUR").net_minor
    assert euros(used) == Decimal(expected["usage"])
    assert euros(used + rate(Flat(Decimal(inputs["base"])), Decimal(1), "EUR").net_minor) == Decimal(
        expected["invoice"]
    )


def amount_at(model: PriceModel, units: object = 1) -> Decimal:
    return euros(rate(model, Decimal(str(units)), "EUR").net_minor)


def used_before(inputs: Case) -> PriceModel:
    """What the units cost by themselves, or an amount that is given."""
    if "tiers" in inputs:
        return Volume(tiers_of(inputs["tiers"]), flat_at_zero=True)
    return Flat(Decimal(inputs.get("usage_amount", inputs.get("plan_fee", "0"))))


def at_least(inputs: Case, expected: Case) -> None:
    """What was billed before counts towards the minimum."""
    floor = Decimal(inputs.get("charge_minimum", inputs.get("minimum", inputs.get("minimum_commitment"))))
    used, units = used_before(inputs), inputs.get("units", 1)
    before = Decimal(inputs.get("already_billed", "0"))
    added = amount_at(Commitment(floor - before, used), units) - amount_at(used, units)
    assert added == Decimal(expected.get("true_up", expected.get("top_up")))
    if "total" in expected:
        assert amount_at(Commitment(floor, used), units) == Decimal(expected["total"])


def at_most(inputs: Case, expected: Case) -> None:
    """The cap covers the whole period: what was billed before counts towards it."""
    cap = Decimal(inputs.get("maximum", inputs.get("maximum_total")))
    if "package_size" in inputs:
        model: PriceModel = Package(Decimal(inputs["package_size"]), Decimal(inputs["price"]))
        before, units = inputs["units_before"], inputs["units"]
        assert amount_at(model, before) == Decimal(expected["billed_before"])
        assert between(model, before, units) == Decimal(expected["gross_now"])
        assert between(Capped(cap, model), before, units) == Decimal(expected["net_now"])
        return
    used = used_before(inputs)
    assert amount_at(used, inputs["units"]) == Decimal(expected["usage"])
    capped = price(Capped(cap, used), Decimal(inputs["units"]))
    assert capped.amount == Decimal(expected["total"])
    assert -capped.steps[-1].amount == Decimal(expected["discount"])


def committed(inputs: Case, expected: Case) -> None:
    used = PerUnit(Decimal(inputs["unit_price"]))
    model = Commitment(Decimal(inputs["commitment"]), used, Decimal(inputs.get("overage_factor", 1)))
    assert amount_at(model, inputs["units"]) == Decimal(expected["amount"])
    if "true_up" in expected:
        assert amount_at(model, inputs["units"]) - amount_at(used, inputs["units"]) == Decimal(expected["true_up"])


AREAS: Mapping[str, Check] = {
    "pricing.commitment": committed,
    "pricing.commitment_true_up": at_least,
    "pricing.maximum": at_most,
    "pricing.minimum": at_least,
    "pricing.consumable": consumable,
    "pricing.dynamic": dynamic,
    "pricing.graduated": graduated,
    "pricing.graduated_percentage": graduated_percentage,
    "pricing.graduated_split_period": graduated_split_period,
    "pricing.package": package,
    "pricing.per_unit": per_unit,
    "pricing.volume": volume,
}
