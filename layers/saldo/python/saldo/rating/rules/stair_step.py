"""One amount by the stair that the quantity falls in."""

from __future__ import annotations

from saldo.catalog.model import StairStep
from saldo.kernel.exact import ONE, ZERO
from saldo.rating.model import Ask, Priced, Step


def price_stair_step(model: StairStep, ask: Ask) -> Priced:
    if ask.quantity == 0:
        return Priced(ZERO, ())
    above = ZERO
    for stair in model.stairs:
        if stair.up_to is None or ask.quantity <= stair.up_to:
            step = Step("stair", ONE, ZERO, stair.amount, stair.amount, above, stair.up_to)
            return Priced(stair.amount, (step,))
        above = stair.up_to
    raise AssertionError("the last stair has no end: validation of plan versions sees to it")
