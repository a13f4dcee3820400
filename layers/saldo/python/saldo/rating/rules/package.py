"""Begun packages at a price each."""

from __future__ import annotations

from saldo.catalog.model import Package
from saldo.kernel.exact import ONE, ZERO, minus, plus, times, whole_division
from saldo.rating.model import Ask, Priced, Step


def price_package(model: Package, ask: Ask) -> Priced:
    free = min(ask.quantity, model.free_units)
    packages, rest = whole_division(minus(ask.quantity, free), model.size)
    if rest > 0:
        packages = plus(packages, ONE)
    amount = times(packages, model.price)
    steps = (Step("free_units", free, ZERO, ZERO),) if free else ()
    return Priced(amount, (*steps, Step("package", packages, model.price, amount)))
