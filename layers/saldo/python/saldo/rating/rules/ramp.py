"""A price that changes with the age of the subscription."""

from __future__ import annotations

from saldo.catalog.model import Ramp
from saldo.rating.model import Ask, Priced, PriceOf


def price_ramp(model: Ramp, ask: Ask, price_of: PriceOf) -> Priced:
    return price_of(model.at(ask.cycle), ask)
