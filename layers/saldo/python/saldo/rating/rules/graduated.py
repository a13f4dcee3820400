"""Each unit at the price of the tier it falls in."""

from __future__ import annotations

from saldo.catalog.model import Graduated
from saldo.kernel.exact import ZERO, minus, plus, times
from saldo.rating.model import Ask, Priced, Step


def price_graduated(model: Graduated, ask: Ask) -> Priced:
    """Walks the tiers until the quantity is used up. A tier is entered by the first part of a unit above its floor."""
    steps: list[Step] = []
    amount, above = ZERO, ZERO
    for tier in model.tiers:
        entered = ask.quantity > above or (not steps and model.flat_at_zero)
        if not entered:
            break
        upper = ask.quantity if tier.up_to is None else min(tier.up_to, ask.quantity)
        units = minus(upper, above)
        part = plus(times(units, tier.unit_price), tier.flat)
        steps.append(Step("tier", units, tier.unit_price, part, tier.flat, above, tier.up_to))
        amount = plus(amount, part)
        if tier.up_to is None:
            break
        above = tier.up_to
    return Priced(amount, tuple(steps))
