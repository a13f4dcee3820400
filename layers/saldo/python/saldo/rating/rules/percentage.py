"""A rate of an amount of money, within bounds."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from saldo.catalog.model import Percentage
from saldo.kernel.errors import Refusal
from saldo.kernel.exact import ONE, ZERO, minus, plus, times, total
from saldo.rating.model import Ask, Priced, Step


def price_percentage(model: Percentage, ask: Ask) -> Priced:
    """Bounds apply to a fee that is due: an amount within the free one costs nothing."""
    if model.by_event:
        return _priced_by_event(model, ask)
    free = min(ask.quantity, model.free_amount)
    charged = minus(ask.quantity, free)
    steps = [Step("free_units", free, ZERO, ZERO)] if free else []
    if charged == 0:
        return Priced(ZERO, tuple(steps))
    fee = times(charged, model.rate)
    steps.append(Step("percentage", charged, model.rate, fee))
    return _within(model.minimum, model.maximum, fee, steps)


def _within(minimum: Decimal, maximum: Decimal | None, fee: Decimal, steps: list[Step]) -> Priced:
    bounded = max(fee, minimum)
    if maximum is not None:
        bounded = min(bounded, maximum)
    if bounded != fee:
        difference = minus(bounded, fee)
        steps.append(Step("minimum" if difference > 0 else "maximum", ONE, ZERO, difference, difference))
    return Priced(bounded, tuple(steps))


def _priced_by_event(model: Percentage, ask: Ask) -> Priced:
    """Each amount by itself, in its order. The one on which the free amount runs out is charged for what is beyond."""
    if ask.amounts is None:
        raise Refusal("usage_detail_missing", "a price per event needs the amounts one by one")
    steps: list[Step] = []
    for charged, free in _split(model, ask.amounts):
        if free:
            steps.append(Step("free_units", free, ZERO, ZERO))
        if charged is not None:
            fee = plus(times(charged, model.rate), model.per_event)
            step = Step("percentage", charged, model.rate, fee, model.per_event)
            steps.extend(_within(model.event_minimum, model.event_maximum, fee, [step]).steps)
    fees = total(step.amount for step in steps)
    return _within(model.minimum, model.maximum, fees, steps) if fees else Priced(ZERO, tuple(steps))


def _split(model: Percentage, amounts: tuple[Decimal, ...]) -> Iterator[tuple[Decimal | None, Decimal]]:
    """Of each amount what is charged (None: it costs nothing) and what is free."""
    seen = ZERO
    for n, amount in enumerate(amounts):
        left = amount if model.free_amount == 0 and model.free_events else minus(model.free_amount, seen)
        allowed = model.free_events is None or n < model.free_events
        free = max(min(amount, left), ZERO) if allowed else ZERO
        seen = plus(seen, amount)
        yield (None if free == amount and allowed and left > 0 else minus(amount, free)), free
