"""A price that goes no higher than an amount."""

from __future__ import annotations

from saldo.catalog.model import Capped
from saldo.kernel.exact import ONE, ZERO, minus
from saldo.rating.model import Ask, Priced, PriceOf, Step


def price_capped(model: Capped, ask: Ask, price_of: PriceOf) -> Priced:
    """What is above the cap is taken off in a step of its own; the prices of the units stay as they are."""
    used, most = price_of(model.price, ask), ask.part(model.amount)
    if used.amount <= most:
        return used
    taken_off = minus(most, used.amount)
    return Priced(most, (*used.steps, Step("cap", ONE, ZERO, taken_off, taken_off)))
