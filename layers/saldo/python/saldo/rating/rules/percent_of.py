"""A percent of what is charged for other components, each part of the sum at the percent of the tier it falls in."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from saldo.catalog.model import PercentOf
from saldo.kernel.exact import ONE, ZERO, minus, shifted, times, total
from saldo.rating.model import Ask, Priced, Step


def price_percent_of(model: PercentOf, ask: Ask) -> Priced:
    """The quantity is what was charged for them, in major units. The minimum is due with no charges too."""
    steps = list(_tiers(model, ask.quantity))
    fee, least = total(step.amount for step in steps), ask.part(model.minimum)
    if fee < least:
        missing = minus(least, fee)
        steps.append(Step("minimum", ONE, ZERO, missing, missing))
    return Priced(max(fee, least), tuple(steps))


def _tiers(model: PercentOf, charged: Decimal) -> Iterator[Step]:
    floor = ZERO
    for tier in model.tiers:
        part = minus(charged if tier.up_to is None else min(charged, tier.up_to), floor)
        if part > 0:
            rate = shifted(tier.percent, -2)
            tiered = len(model.tiers) > 1
            yield Step("percentage", part, rate, times(part, rate), above=floor if tiered else None, up_to=tier.up_to)
        floor = tier.up_to or floor
