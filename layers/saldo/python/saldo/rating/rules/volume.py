"""All units at the price of the one tier that the total falls in."""

from __future__ import annotations

from saldo.catalog.model import Volume
from saldo.kernel.exact import ZERO, plus, times
from saldo.rating.model import Ask, Priced, Step
from saldo.rating.rules.graduated import blocks_of


def price_volume(model: Volume, ask: Ask) -> Priced:
    """The total may fall when one more unit reaches a cheaper tier; that is what volume pricing means."""
    if ask.quantity == 0 and not model.flat_at_zero:
        return Priced(ZERO, ())
    above = ZERO
    for tier in model.tiers:
        if tier.up_to is None or ask.quantity <= tier.up_to:
            units = blocks_of(ask.quantity, tier)
            amount = plus(times(units, tier.unit_price), tier.flat)
            step = Step("volume_tier", units, tier.unit_price, amount, tier.flat, above, tier.up_to)
            return Priced(amount, (step,))
        above = tier.up_to
    raise AssertionError("the last tier has no end: validation of plan versions sees to it")
