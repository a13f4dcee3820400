"""A price for each combination of properties."""

from __future__ import annotations

from saldo.catalog.model import Matrix
from saldo.kernel.errors import Refusal
from saldo.kernel.exact import total
from saldo.rating.model import Ask, Priced, PriceOf, Step


def price_matrix(model: Matrix, ask: Ask, price_of: PriceOf) -> Priced:
    """Each combination is priced as if it were all; combinations in the order of their values.

    Refusal `usage_detail_missing` where only the whole quantity is known, `no_price_for` where there is no cell,
    `negative_usage` where a combination counted below zero, though others make up for it.
    """
    if ask.by_value is None:
        if ask.quantity:
            raise Refusal("usage_detail_missing", f"a price by {', '.join(model.dimensions)} needs the parts")
        return Priced(ask.quantity, ())
    cells = {cell.values: cell.price for cell in model.cells}
    steps: list[Step] = []
    for values, quantity in sorted(ask.by_value.items()):
        price = cells.get(values, model.other)
        if price is None or quantity < 0:
            named = ", ".join(f"{name} {value!r}" for name, value in zip(model.dimensions, values, strict=True))
            if price is None:
                raise Refusal("no_price_for", f"there is no price for usage with {named}")
            raise Refusal("negative_usage", f"usage with {named} counted {quantity}")
        steps.extend(price_of(price, ask._replace(quantity=quantity, amounts=None, by_value=None)).steps)
    return Priced(total(step.amount for step in steps), tuple(steps))
