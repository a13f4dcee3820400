"""Packages at a price each."""

from __future__ import annotations

from decimal import Decimal

from saldo.catalog.model import Package
from saldo.kernel.exact import ZERO, minus, part_of, times
from saldo.kernel.rounding import rounded_ratio
from saldo.rating.model import Ask, Priced, Step


def price_package(model: Package, ask: Ask) -> Priced:
    free = min(ask.quantity, model.free_units)
    packages = _packages(model, minus(ask.quantity, free))
    amount = times(packages, model.price)
    steps = (Step("free_units", free, ZERO, ZERO),) if free else ()
    return Priced(amount, (*steps, Step("package", packages, model.price, amount)))


def _packages(model: Package, units: Decimal) -> Decimal:
    """How many; parts of one to 12 digits."""
    numerator, denominator = model.size.as_integer_ratio()
    if not model.whole:
        return part_of(units, denominator, numerator)
    count, parts = units.as_integer_ratio()
    return Decimal(rounded_ratio(count * denominator, parts * numerator, model.count))
