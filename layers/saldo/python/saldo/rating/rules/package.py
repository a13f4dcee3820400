"""Packages at a price each."""

from __future__ import annotations

from decimal import Decimal

from saldo.catalog.model import Package
from saldo.kernel.exact import ZERO, minus, times
from saldo.kernel.rounding import rounded_ratio
from saldo.rating.model import Ask, Priced, Step


def price_package(model: Package, ask: Ask) -> Priced:
    free = min(ask.quantity, model.free_units)
    numerator, denominator = minus(ask.quantity, free).as_integer_ratio()
    size = model.size.as_integer_ratio()
    packages = Decimal(rounded_ratio(numerator * size[1], denominator * size[0], model.count))
    amount = times(packages, model.price)
    steps = (Step("free_units", free, ZERO, ZERO),) if free else ()
    return Priced(amount, (*steps, Step("package", packages, model.price, amount)))
