"""A price that changes with the age of the subscription."""

from __future__ import annotations

from saldo.catalog.model import Ramp
from saldo.rating.model import Ask, Priced, PriceOf


def price_ramp(model: Ramp, ask: Ask, price_of: PriceOf) -> Priced:
    begun = [step for step in model.steps if step.from_cycle <= ask.cycle]
    return price_of(begun[-1].price, ask)
