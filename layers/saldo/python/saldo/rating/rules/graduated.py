"""Each unit at the price of the tier it falls in."""

from __future__ import annotations

from decimal import Decimal

from saldo.catalog.model import Graduated, Tier
from saldo.kernel.exact import ONE, ZERO, minus, plus, times, whole_division
from saldo.rating.model import Ask, Priced, Step


def blocks_of(units: Decimal, tier: Tier) -> Decimal:
    """The begun blocks of a tier that sells by the block; else the units themselves."""
    if tier.size is None:
        return units
    blocks, rest = whole_division(units, tier.size)
    return plus(blocks, ONE) if rest > 0 else blocks


def price_graduated(model: Graduated, ask: Ask) -> Priced:
    """Walks the tiers until the quantity is used up. A tier is entered by the first part of a unit above its floor."""
    steps: list[Step] = []
    amount, above = ZERO, ZERO
    for tier in model.tiers:
        entered = ask.quantity > above or (not steps and model.flat_at_zero)
        if not entered:
            break
        upper = ask.quantity if tier.up_to is None else min(tier.up_to, ask.quantity)
        units = blocks_of(minus(upper, above), tier)
        part = plus(times(units, tier.unit_price), tier.flat)
        steps.append(Step("tier", units, tier.unit_price, part, tier.flat, above, tier.up_to))
        amount = plus(amount, part)
        if tier.up_to is None:
            break
        above = tier.up_to
    return Priced(amount, tuple(steps))
