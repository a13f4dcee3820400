"""Which rule prices which model: the one place that knows them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from saldo.catalog.model import Flat, Graduated, Package, PerUnit, PriceModel, Volume
from saldo.kernel.errors import Refusal
from saldo.kernel.exact import minor_of_share
from saldo.kernel.rounding import Rounding
from saldo.rating.model import Ask, Priced, RatedCharge, Share
from saldo.rating.rules.flat import price_flat
from saldo.rating.rules.graduated import price_graduated
from saldo.rating.rules.package import price_package
from saldo.rating.rules.per_unit import price_per_unit
from saldo.rating.rules.volume import price_volume

# Any: each rule takes its own model, which the key of its row names.
RULES: Mapping[type, Callable[[Any, Ask], Priced]] = {
    Flat: price_flat,
    Graduated: price_graduated,
    Package: price_package,
    PerUnit: price_per_unit,
    Volume: price_volume,
}


def price(model: PriceModel, quantity: Decimal) -> Priced:
    """The exact price of a quantity by a valid price model, in major units, with its steps.

    quantity: zero or more; Refusal `negative_quantity` below.
    """
    if quantity < 0:
        raise Refusal("negative_quantity", f"{quantity} cannot be priced")
    return RULES[type(model)](model, Ask(quantity))


def rate(
    model: PriceModel,
    quantity: Decimal,
    currency: str,
    share: Share = Share(),  # noqa: B008 - frozen, so one default serves all
    rounding: Rounding = Rounding.HALF_UP,
) -> RatedCharge:
    """Price a quantity, take the share of it, and round this once to the currency's minor unit."""
    priced = price(model, quantity)
    net = minor_of_share(priced.amount, (share.days, share.of), currency, rounding)
    return RatedCharge(currency, quantity, priced.amount, share, rounding, net, priced.steps)
