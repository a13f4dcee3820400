"""Price models as JSON: each tagged by its `kind`, some holding another. Numbers are text, so that no digit is lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any  # parsed JSON is of any shape until it is read

from saldo.catalog.model import (
    Capped,
    Cell,
    Commitment,
    Flat,
    Graduated,
    Included,
    Matrix,
    Package,
    Percentage,
    PercentOf,
    PercentTier,
    PerUnit,
    PriceModel,
    Ramp,
    RampStep,
    Rollover,
    Stair,
    StairStep,
    Tier,
    Volume,
)
from saldo.kernel.exact import ONE, ZERO, plain
from saldo.kernel.reading import Fields
from saldo.kernel.rounding import Rounding

_DEEPEST = 16


def price_to_json(price: PriceModel) -> dict[str, Any]:
    """A price model with its `kind`; fields have the names of the dataclass."""
    row = {"kind": price.kind} | _row(price)
    if isinstance(price, PercentOf) and len(price.tiers) == 1:
        row["percent"] = row.pop("tiers")[0]["percent"]
    if isinstance(price, Included):  # what others have always is of two here
        del row["units" if price.amount is not None else "amount"]
    return row


def _row(record: Any) -> dict[str, Any]:
    """A record's fields; those that came later are left out while they say nothing, so that old forms stay."""
    fields = {name: getattr(record, name) for name in record.__dataclass_fields__ if name != "kind"}
    return {name: _value(v) for name, v in fields.items() if name not in _LATER or v not in _LATER[name]}


_LATER: Mapping[str, tuple[object, ...]] = {
    "size": (None,),
    "per_event": (ZERO,),
    "free_events": (None,),
    "event_minimum": (ZERO,),
    "event_maximum": (None,),
    "count": (Rounding.UP,),
    "units": (None,),
    "true_up": (True,),
    "rollover": (None,),
    "whole": (True,),
    "components": ((),),
}


def _value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, tuple):
        return [row if isinstance(row, str) else _row(row) for row in value]
    if isinstance(value, Rollover):
        return {"cycles": value.cycles} | ({} if value.most is None else {"most": plain(value.most)})
    return price_to_json(value) if hasattr(value, "kind") else value


def price_from(fields: Fields) -> PriceModel:
    """The price model that `kind` names; an unknown one is a problem of the field."""
    if fields.path.count(".") > _DEEPEST:
        fields.problems.add(fields.path, "too_deep", "price models are nested too deep")
        return Flat(ZERO)
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
    size, price, free = fields.decimal("size"), fields.decimal("price"), fields.decimal("free_units", ZERO)
    return Package(size, price, free, _count(fields), fields.flag("whole", True))


def _count(fields: Fields) -> Rounding:
    return fields.choice("count", Rounding, Rounding.UP)


def _graduated(fields: Fields) -> Graduated:
    return Graduated(_tiers(fields), fields.flag("flat_at_zero", False))


def _volume(fields: Fields) -> Volume:
    return Volume(_tiers(fields), fields.flag("flat_at_zero", False))


def _stair_step(fields: Fields) -> StairStep:
    return StairStep(tuple(_stair(child) for child in fields.children("stairs")))


def _percentage(fields: Fields) -> Percentage:
    return Percentage(
        fields.decimal("rate"),
        fields.decimal("free_amount", ZERO),
        fields.decimal("minimum", ZERO),
        fields.maybe_decimal("maximum"),
        fields.decimal("per_event", ZERO),
        fields.maybe_integer("free_events"),
        fields.decimal("event_minimum", ZERO),
        fields.maybe_decimal("event_maximum"),
    )


def _percent_of(fields: Fields) -> PercentOf:
    fields.one_of("percent", "tiers")
    tiers = [PercentTier(None, fields.decimal("percent"))] if fields.has("percent") else []
    tiers += [_percent_tier(child) for child in fields.maybe_children("tiers")]
    return PercentOf(tuple(tiers), fields.text_list("components"), fields.decimal("minimum", ZERO))


def _percent_tier(fields: Fields) -> PercentTier:
    tier = PercentTier(fields.maybe_decimal("up_to"), fields.decimal("percent"))
    fields.finish()
    return tier


def _matrix(fields: Fields) -> Matrix:
    cells = tuple(_cell(child) for child in fields.children("cells"))
    other = price_from(fields.child("other")) if fields.has("other") else None
    return Matrix(fields.text_list("dimensions"), cells, other)


def _cell(fields: Fields) -> Cell:
    cell = Cell(fields.text_list("values"), price_from(fields.child("price")))
    fields.finish()
    return cell


def _included(fields: Fields) -> Included:
    rollover = _rollover(fields.child("rollover")) if fields.has("rollover") else None
    amount = fields.maybe_decimal("amount")
    units = fields.decimal("units") if amount is None else fields.decimal("units", ZERO)
    return Included(units, price_from(fields.child("overage")), rollover, amount)


def _rollover(fields: Fields) -> Rollover:
    rollover = Rollover(fields.integer("cycles"), fields.maybe_decimal("most"))
    fields.finish()
    return rollover


def _commitment(fields: Fields) -> Commitment:
    price = price_from(fields.child("price"))
    units = fields.maybe_decimal("units")
    amount = fields.decimal("amount") if units is None else fields.decimal("amount", ZERO)
    factor, true_up = fields.decimal("overage_factor", ONE), fields.flag("true_up", True)
    return Commitment(amount, price, factor, units, true_up)


def _capped(fields: Fields) -> Capped:
    return Capped(fields.decimal("amount"), price_from(fields.child("price")))


def _ramp(fields: Fields) -> Ramp:
    return Ramp(tuple(_ramp_step(child) for child in fields.children("steps")))


def _ramp_step(fields: Fields) -> RampStep:
    step = RampStep(fields.integer("from_cycle"), price_from(fields.child("price")))
    fields.finish()
    return step


def _stair(fields: Fields) -> Stair:
    stair = Stair(fields.maybe_decimal("up_to"), fields.decimal("amount"))
    fields.finish()
    return stair


def _tiers(fields: Fields) -> tuple[Tier, ...]:
    return tuple(_tier(child) for child in fields.children("tiers"))


def _tier(fields: Fields) -> Tier:
    up_to, unit_price = fields.maybe_decimal("up_to"), fields.decimal("unit_price", ZERO)
    tier = Tier(up_to, unit_price, fields.decimal("flat", ZERO), fields.maybe_decimal("size"))
    fields.finish()
    return tier


_READERS: Mapping[str, Callable[[Fields], PriceModel]] = {
    Capped.kind: _capped,
    Commitment.kind: _commitment,
    Flat.kind: _flat,
    Graduated.kind: _graduated,
    Included.kind: _included,
    Matrix.kind: _matrix,
    Package.kind: _package,
    PerUnit.kind: _per_unit,
    Percentage.kind: _percentage,
    PercentOf.kind: _percent_of,
    Ramp.kind: _ramp,
    StairStep.kind: _stair_step,
    Volume.kind: _volume,
}
