"""One amount, whatever the quantity."""

from __future__ import annotations

from saldo.catalog.model import Flat
from saldo.kernel.exact import ONE, ZERO
from saldo.rating.model import Ask, Priced, Step


def price_flat(model: Flat, _ask: Ask) -> Priced:
    return Priced(model.amount, (Step("flat", ONE, ZERO, model.amount, flat=model.amount),))
