"""A rate of an amount of money, within bounds."""

from __future__ import annotations

from saldo.catalog.model import Percentage
from saldo.kernel.exact import ONE, ZERO, minus, times
from saldo.rating.model import Ask, Priced, Step


def price_percentage(model: Percentage, ask: Ask) -> Priced:
    """Bounds apply to a fee that is due: an amount within the free one costs nothing."""
    free = min(ask.quantity, model.free_amount)
    charged = minus(ask.quantity, free)
    steps = [Step("free_units", free, ZERO, ZERO)] if free else []
    if charged == 0:
        return Priced(ZERO, tuple(steps))
    fee = times(charged, model.rate)
    steps.append(Step("percentage", charged, model.rate, fee))
    bounded = max(fee, model.minimum)
    if model.maximum is not None:
        bounded = min(bounded, model.maximum)
    if bounded != fee:
        difference = minus(bounded, fee)
        steps.append(Step("minimum" if difference > 0 else "maximum", ONE, ZERO, difference, difference))
    return Priced(bounded, tuple(steps))
