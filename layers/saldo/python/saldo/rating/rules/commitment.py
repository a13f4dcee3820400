"""A minimum that is trued up, and a factor on what goes beyond it."""

from __future__ import annotations

from saldo.catalog.model import Commitment
from saldo.kernel.exact import ONE, ZERO, minus, plus, times
from saldo.rating.model import Ask, Priced, PriceOf, Step


def price_commitment(model: Commitment, ask: Ask, price_of: PriceOf) -> Priced:
    """Below the commitment the true-up is one more step; above it the overage's surcharge (or rebate) is."""
    used = price_of(model.price, ask)
    if used.amount <= model.amount:
        missing = minus(model.amount, used.amount)
        steps = (Step("true_up", ONE, ZERO, missing, missing),) if missing else ()
        return Priced(model.amount, (*used.steps, *steps))
    beyond, surcharge = minus(used.amount, model.amount), minus(model.overage_factor, ONE)
    extra = times(beyond, surcharge)
    steps = (Step("overage", beyond, surcharge, extra, above=model.amount),) if extra else ()
    return Priced(plus(used.amount, extra), (*used.steps, *steps))
