"""A minimum that is trued up, and a factor on what goes beyond it."""

from __future__ import annotations

from decimal import Decimal

from saldo.catalog.model import Commitment
from saldo.kernel.exact import ONE, ZERO, minus, plus, times
from saldo.rating.model import Ask, Priced, PriceOf, Step


def price_commitment(model: Commitment, ask: Ask, price_of: PriceOf) -> Priced:
    """Below the commitment the true-up is one more step; above it the overage's surcharge (or rebate) is."""
    used, least = price_of(model.price, ask), _least(model, ask, price_of)
    if used.amount <= least:
        if not model.true_up:
            return used
        missing = minus(least, used.amount)
        steps = (Step("true_up", ONE, ZERO, missing, missing),) if missing else ()
        return Priced(least, (*used.steps, *steps))
    beyond, surcharge = minus(used.amount, least), minus(model.overage_factor, ONE)
    extra = times(beyond, surcharge)
    steps = (Step("overage", beyond, surcharge, extra, above=least),) if extra else ()
    return Priced(plus(used.amount, extra), (*used.steps, *steps))


def _least(model: Commitment, ask: Ask, price_of: PriceOf) -> Decimal:
    """What is committed to in this part of a period: an amount, or what so many units cost."""
    if model.units is None:
        return ask.part(model.amount)
    units = ask.part(model.units)
    return price_of(model.price, ask._replace(quantity=units, amounts=None, by_value=None)).amount
