"""An allowance that costs nothing, and a price for what is beyond it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from saldo.catalog.model import Included, Matrix, PriceModel, Ramp, prices_within
from saldo.kernel.exact import ONE, ZERO, minus, plus, total
from saldo.rating.model import Ask, Priced, PriceOf, Step


def price_included(model: Included, ask: Ask, price_of: PriceOf) -> Priced:
    """What is left of earlier allowances is used first, then that of this period."""
    if model.amount is not None:
        priced = price_of(model.overage, ask)
        free = min(priced.amount, ask.part(model.amount))
        return Priced(minus(priced.amount, free), (*priced.steps, Step("included_amount", ONE, ZERO, -free, -free)))
    units = ask.part(model.units)
    rolled = min(ask.quantity, ask.rolled)
    included = min(minus(ask.quantity, rolled), units)
    steps = [Step("rolled_over", rolled, ZERO, ZERO, up_to=ask.rolled)] if ask.rolled else []
    steps.append(Step("included", included, ZERO, ZERO, up_to=units))
    free = plus(rolled, included)
    beyond = minus(ask.quantity, free)
    if beyond == 0:
        return Priced(ZERO, tuple(steps))
    amounts = None if ask.amounts is None else tuple(left for _, left in _taken(enumerate(ask.amounts), free))
    by_value = None if ask.by_value is None else _left_of(ask.by_value, free, _cells(model.overage, ask.cycle))
    beyond_it = ask._replace(quantity=beyond, amounts=amounts, by_value=by_value, rolled=ZERO)
    overage = price_of(model.overage, beyond_it)
    return Priced(overage.amount, (*steps, *overage.steps))


def rolled_over(model: Included, earlier: Sequence[Ask]) -> Decimal:
    """What is left of the allowances of earlier cycles, one after the other: what goes on is used before what is new,
    the oldest first, and more than `most` of it lapses, the oldest first."""
    if model.rollover is None:
        return ZERO
    left: list[tuple[int, Decimal]] = []  # the cycle it comes from, how much
    for n, ask in enumerate(earlier):
        there = [*left, (n, ask.part(model.units))]
        left = _taken(there, ask.quantity)
        left = [(born, units) for born, units in left if n + 1 - born <= model.rollover.cycles]
        if model.rollover.most is not None:
            left = _taken(left, minus(total(units for _, units in left), model.rollover.most))
    return total(units for _, units in left)


def _taken(there: Iterable[tuple[int, Decimal]], units: Decimal) -> list[tuple[int, Decimal]]:
    """What is left when so much is taken, the first of them (the oldest, where they have an age) before the others."""
    left = []
    for place, has in there:
        used = max(min(has, units), ZERO)
        units = minus(units, used)
        if has != used:
            left.append((place, minus(has, used)))
    return left


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
    if isinstance(price, Ramp):
        return _cells(price.at(cycle), cycle)
    return [values for within in prices_within(price).values() for values in _cells(within, cycle)]
