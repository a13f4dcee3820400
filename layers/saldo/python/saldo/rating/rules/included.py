"""An allowance that costs nothing, and a price for what is beyond it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from saldo.catalog.model import Capped, Commitment, Included, Matrix, PriceModel, Ramp
from saldo.kernel.exact import ZERO, minus
from saldo.rating.model import Ask, Priced, PriceOf, Step


def price_included(model: Included, ask: Ask, price_of: PriceOf) -> Priced:
    units = ask.part(model.units)
    included = min(ask.quantity, units)
    step = Step("included", included, ZERO, ZERO, up_to=units)
    beyond = minus(ask.quantity, included)
    if beyond == 0:
        return Priced(ZERO, (step,))
    amounts = None if ask.amounts is None else _after(included, ask.amounts)
    by_value = None if ask.by_value is None else _left_of(ask.by_value, included, _cells(model.overage, ask.cycle))
    overage = price_of(model.overage, replace(ask, quantity=beyond, amounts=amounts, by_value=by_value))
    return Priced(overage.amount, (step, *overage.steps))


def _after(included: Decimal, amounts: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """What of amounts is left when so much of them, from the first on, is free."""
    left = []
    for amount in amounts:
        free = max(min(amount, included), ZERO)
        included = minus(included, free)
        if amount != free:
            left.append(minus(amount, free))
    return tuple(left)


_Values = tuple[str, ...]


def _left_of(
    by_value: Mapping[_Values, Decimal], included: Decimal, cells: Sequence[_Values]
) -> dict[_Values, Decimal]:
    """The same of combinations of properties: those with a price of their own are free first, as they are listed."""
    place = {values: n for n, values in enumerate(cells)}
    order = sorted(by_value, key=lambda values: (place.get(values, len(cells)), values))
    left = {}
    for values in order:
        free = min(by_value[values], included)
        included = minus(included, free)
        if by_value[values] != free:
            left[values] = minus(by_value[values], free)
    return left


def _cells(price: PriceModel, cycle: int) -> list[_Values]:
    """The combinations that a price lists, however deep."""
    if isinstance(price, Matrix):
        return [cell.values for cell in price.cells]
    if isinstance(price, Capped | Commitment):
        return _cells(price.price, cycle)
    if isinstance(price, Included):
        return _cells(price.overage, cycle)
    return _cells(price.at(cycle), cycle) if isinstance(price, Ramp) else []
