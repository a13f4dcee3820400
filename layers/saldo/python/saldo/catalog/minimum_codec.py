"""A plan's minimum and its maximum as JSON: an amount for each cycle, or an object that says more."""

from __future__ import annotations

from decimal import Decimal
from typing import Any  # parsed JSON is of any shape until it is read

from saldo.catalog.model import CutShort, Maximum, Minimum
from saldo.kernel.exact import ONE, plain
from saldo.kernel.periods import Length, Unit
from saldo.kernel.reading import Fields


def minimum_to_json(minimum: Minimum) -> str | dict[str, Any]:
    """Plain JSON values; the amount alone where there is no more to say."""
    amounts = [plain(amount) for amount in minimum.amounts]
    found: dict[str, Any] = {"amount": amounts[0]} if len(amounts) == 1 else {"amounts": amounts}
    if minimum.every is not None:
        found["every"] = length_to_json(minimum.every)
    if minimum.components:
        found["components"] = list(minimum.components)
    if minimum.overage_factor != ONE:
        found["overage_factor"] = plain(minimum.overage_factor)
    if minimum.cut_short is not CutShort.PART:
        found["cut_short"] = minimum.cut_short.value
    return amounts[0] if found.keys() == {"amount"} else found


def maybe_minimum(fields: Fields) -> Minimum | None:
    """What the field `minimum` of a plan says."""
    if not fields.has("minimum"):
        return None
    if not fields.is_object("minimum"):
        return Minimum((fields.decimal("minimum"),))
    said = fields.child("minimum")
    minimum = Minimum(
        _amounts(said),
        length_from(said.child("every")) if said.has("every") else None,
        said.text_list("components"),
        said.decimal("overage_factor", ONE),
        said.choice("cut_short", CutShort, CutShort.PART),
    )
    said.finish()
    return minimum


def _amounts(said: Fields) -> tuple[Decimal, ...]:
    if said.has("amounts") == said.has("amount"):
        code = "not_expected" if said.has("amount") else "missing"
        said.problems.add(said.at("amount"), code, "give `amount`, or `amounts` of one period after the other")
        return (ONE,)
    return said.decimal_list("amounts") if said.has("amounts") else (said.decimal("amount"),)


def maximum_to_json(maximum: Maximum) -> str | dict[str, Any]:
    """The amount alone where there is no more to say."""
    amount = plain(maximum.amount)
    return {"amount": amount, "components": list(maximum.components)} if maximum.components else amount


def maybe_maximum(fields: Fields) -> Maximum | None:
    """What the field `maximum` of a plan says."""
    if not fields.has("maximum"):
        return None
    if not fields.is_object("maximum"):
        return Maximum(fields.decimal("maximum"))
    said = fields.child("maximum")
    maximum = Maximum(said.decimal("amount"), said.text_list("components"))
    said.finish()
    return maximum


def length_to_json(length: Length) -> dict[str, Any]:
    return {"unit": length.unit.value, "count": length.count}


def length_from(fields: Fields, most: int = 1200) -> Length:
    """`{unit, count}`, count 1 where it is left out; at least one unit, and not more than the most."""
    length = length_of(fields, most)
    fields.finish()
    return length


def length_of(fields: Fields, most: int = 1200) -> Length:
    """The same, where more is said beside it."""
    length = Length(fields.choice("unit", Unit), fields.integer("count", 1))
    if not 1 <= length.count <= most:
        fields.problems.add(fields.at("count"), "not_a_length", f"must be from 1 to {most}")
        return Length(length.unit)
    return length
