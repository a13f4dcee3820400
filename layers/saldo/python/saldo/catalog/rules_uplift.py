"""A plan version whose every price is so many percent higher: what a renewal may agree on. No clock, no I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from saldo.catalog.model import (
    NEGOTIATED,
    Capped,
    Commitment,
    Flat,
    Graduated,
    Included,
    Matrix,
    Package,
    Percentage,
    PercentOf,
    PerUnit,
    PlanVersion,
    PriceModel,
    Ramp,
    StairStep,
    Volume,
)
from saldo.kernel.exact import ONE, plain, plus
from saldo.kernel.ids import fingerprint

_DIGITS = Decimal("1e-12")  # of a price, after the point: a decade of uplifts stays short of what is reckoned with
_LONG = Context(prec=100, rounding=ROUND_HALF_UP)


def uplifted(version: PlanVersion, percent: Decimal) -> PlanVersion:
    """The version with all that it charges, its minimum and maximum too, so many percent higher (3 is 3 %).

    Its id follows from what it was made of, so all that renew alike share it; it is on no list of what is offered.
    """
    factor = plus(ONE, percent.scaleb(-2))
    minimum, maximum = version.minimum, version.maximum
    if minimum is not None:
        minimum = replace(minimum, amounts=tuple(_more(amount, factor) for amount in minimum.amounts))
    return replace(
        version,
        id=f"{NEGOTIATED}{version.plan_id}{NEGOTIATED}{fingerprint(version.id, plain(percent))}",
        components=tuple(replace(c, price=higher(c.price, factor)) for c in version.components),
        minimum=minimum,
        maximum=maximum and replace(maximum, amount=_more(maximum.amount, factor)),
    )


def higher(price: PriceModel, factor: Decimal) -> PriceModel:
    """The price by which any use costs so many times as much; what is free or included stays so."""
    dearer: PriceModel = _RULES[type(price)](price, factor)
    return dearer


def _more(amount: Decimal, factor: Decimal) -> Decimal:
    return _LONG.quantize(_LONG.multiply(amount, factor), _DIGITS).normalize(_LONG)


def _fields(*names: str) -> Callable[[Any, Decimal], Any]:
    """Of models whose amounts are these fields."""

    def rule(price: Any, factor: Decimal) -> Any:
        found = {name: getattr(price, name) for name in names}
        return replace(price, **{n: None if value is None else _more(value, factor) for n, value in found.items()})

    return rule


def _tiers(price: Any, factor: Decimal) -> Any:
    tiers = (replace(t, unit_price=_more(t.unit_price, factor), flat=_more(t.flat, factor)) for t in price.tiers)
    return replace(price, tiers=tuple(tiers))


def _stairs(price: StairStep, factor: Decimal) -> StairStep:
    return replace(price, stairs=tuple(replace(s, amount=_more(s.amount, factor)) for s in price.stairs))


def _percentage(price: Percentage, factor: Decimal) -> Percentage:
    amounts = _fields("minimum", "maximum", "per_event", "event_minimum", "event_maximum")
    dearer: Percentage = amounts(price, factor)
    return replace(dearer, rate=min(_more(price.rate, factor), ONE))


def _bounded(price: Any, factor: Decimal) -> Any:
    return replace(price, amount=_more(price.amount, factor), price=higher(price.price, factor))


def _included(price: Included, factor: Decimal) -> Included:
    amount = None if price.amount is None else _more(price.amount, factor)
    return replace(price, amount=amount, overage=higher(price.overage, factor))


def _ramp(price: Ramp, factor: Decimal) -> Ramp:
    return replace(price, steps=tuple(replace(s, price=higher(s.price, factor)) for s in price.steps))


def _matrix(price: Matrix, factor: Decimal) -> Matrix:
    cells = tuple(replace(cell, price=higher(cell.price, factor)) for cell in price.cells)
    return replace(price, cells=cells, other=None if price.other is None else higher(price.other, factor))


# Any: each rule takes its own model, which the key of its row names.
_RULES: Mapping[type, Callable[[Any, Decimal], Any]] = {
    Flat: _fields("amount"),
    PerUnit: _fields("unit_price"),
    Package: _fields("price"),
    Graduated: _tiers,
    Volume: _tiers,
    StairStep: _stairs,
    Percentage: _percentage,
    PercentOf: _fields("minimum"),  # the percent is of what costs more itself
    Commitment: _bounded,
    Capped: _bounded,
    Included: _included,
    Ramp: _ramp,
    Matrix: _matrix,
}
