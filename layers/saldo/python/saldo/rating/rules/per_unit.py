"""Quantity times price."""

from __future__ import annotations

from saldo.catalog.model import PerUnit
from saldo.kernel.exact import times
from saldo.rating.model import Ask, Priced, Step


def price_per_unit(model: PerUnit, ask: Ask) -> Priced:
    amount = times(ask.quantity, model.unit_price)
    return Priced(amount, (Step("per_unit", ask.quantity, model.unit_price, amount),))
