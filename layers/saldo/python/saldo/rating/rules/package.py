"""Packages at a price each."""

from __future__ import annotations

from decimal import Decimal

from saldo.catalog.model import Package
from saldo.kernel.exact import ZERO, minus, shifted, times
from saldo.kernel.rounding import Rounding, rounded_ratio
from saldo.rating.model import Ask, Priced, Step

_DIGITS = 12  # of a part of a package, after the point


def _rounding(model: Package) -> Rounding:
    return model.count if model.whole else Rounding.HALF_UP


def price_package(model: Package, ask: Ask) -> Priced:
    free = min(ask.quantity, model.free_units)
    numerator, denominator = minus(ask.quantity, free).as_integer_ratio()
    size = model.size.as_integer_ratio()
    scale = 0 if model.whole else _DIGITS
    packages = Decimal(rounded_ratio(numerator * size[1] * 10**scale, denominator * size[0], _rounding(model)))
    packages = shifted(packages, -scale)
    amount = times(packages, model.price)
    steps = (Step("free_units", free, ZERO, ZERO),) if free else ()
    return Priced(amount, (*steps, Step("package", packages, model.price, amount)))
