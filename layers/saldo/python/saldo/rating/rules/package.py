"""Packages at a price each."""

from __future__ import annotations

from decimal import Decimal

from saldo.catalog.model import Package
from saldo.kernel.exact import ZERO, minus, part_of, times
from saldo.kernel.rounding import rounded_ratio
from saldo.rating.model import Ask, Priced, Step


def price_package(model: Package, ask: Ask) -> Priced:
    free = min(ask.quantity, model.free_units)
    units = minus(ask.quantity, free)
    numerator, denominator = model.size.as_integer_ratio()
    if model.whole:
        count, parts = units.as_integer_ratio()
        packages = Decimal(rounded_ratio(count * denominator, parts * numerator, model.count))
        amount = times(packages, model.price)
    else:  # how many is shown to 12 digits; the price is reckoned before, or a third of three would miss a cent
        packages = part_of(units, denominator, numerator)
        amount = part_of(times(units, model.price), denominator, numerator)
    steps = (Step("free_units", free, ZERO, ZERO),) if free else ()
    return Priced(amount, (*steps, Step("package", packages, model.price, amount)))
