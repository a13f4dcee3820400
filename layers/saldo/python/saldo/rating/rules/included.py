"""An allowance that costs nothing, and a price for what is beyond it."""

from __future__ import annotations

from dataclasses import replace

from saldo.catalog.model import Included
from saldo.kernel.exact import ZERO, minus
from saldo.rating.model import Ask, Priced, PriceOf, Step


def price_included(model: Included, ask: Ask, price_of: PriceOf) -> Priced:
    units = ask.part(model.units)
    included = min(ask.quantity, units)
    step = Step("included", included, ZERO, ZERO, up_to=units)
    beyond = minus(ask.quantity, included)
    if beyond == 0:
        return Priced(ZERO, (step,))
    overage = price_of(model.overage, replace(ask, quantity=beyond, amounts=None, by_value=None))
    return Priced(overage.amount, (step, *overage.steps))
