"""Which rule prices which model: the one place that knows them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from saldo.catalog.model import (
    Capped,
    Commitment,
    Flat,
    Graduated,
    Included,
    Matrix,
    Package,
    Percentage,
    PercentOf,
    PerUnit,
    PriceModel,
    Ramp,
    StairStep,
    Volume,
)
from saldo.kernel.errors import Refusal
from saldo.kernel.exact import ZERO, minor_of_share, minus, plus
from saldo.kernel.rounding import Rounding
from saldo.rating.model import Ask, Priced, PriceOf, RatedCharge, Share, Step
from saldo.rating.rules.capped import price_capped
from saldo.rating.rules.commitment import price_commitment
from saldo.rating.rules.flat import price_flat
from saldo.rating.rules.graduated import price_graduated
from saldo.rating.rules.included import price_included
from saldo.rating.rules.matrix import price_matrix
from saldo.rating.rules.package import price_package
from saldo.rating.rules.per_unit import price_per_unit
from saldo.rating.rules.percent_of import price_percent_of
from saldo.rating.rules.percentage import price_percentage
from saldo.rating.rules.ramp import price_ramp
from saldo.rating.rules.stair_step import price_stair_step
from saldo.rating.rules.volume import price_volume

# Any: each rule takes its own model, which the key of its row names.
RULES: Mapping[type, Callable[[Any, Ask], Priced]] = {
    Flat: price_flat,
    Graduated: price_graduated,
    Package: price_package,
    PerUnit: price_per_unit,
    Percentage: price_percentage,
    PercentOf: price_percent_of,
    StairStep: price_stair_step,
    Volume: price_volume,
}
# Those that hold another model are handed the way to price it.
NESTED_RULES: Mapping[type, Callable[[Any, Ask, PriceOf], Priced]] = {
    Capped: price_capped,
    Commitment: price_commitment,
    Included: price_included,
    Matrix: price_matrix,
    Ramp: price_ramp,
}


def price(model: PriceModel, quantity: Decimal, cycle: int = 0) -> Priced:
    """The exact price of a quantity by a sound price model, in major units, with its steps.

    quantity: zero or more; Refusal `negative_quantity` below. cycle: how many cycles were before this one.
    """
    if quantity < 0:
        raise Refusal("negative_quantity", f"{quantity} cannot be priced")
    return price_ask(model, Ask(quantity, cycle))


def price_ask(model: PriceModel, ask: Ask) -> Priced:
    """The same for an Ask."""
    rule = RULES.get(type(model))
    return rule(model, ask) if rule else NESTED_RULES[type(model)](model, ask, price_ask)


def rate(
    model: PriceModel,
    quantity: Decimal,
    currency: str,
    share: Share = Share(),  # noqa: B008 - frozen, so one default serves all
    rounding: Rounding = Rounding.HALF_UP,
    cycle: int = 0,
) -> RatedCharge:
    """Price a quantity, take the share of it, and round this once to the currency's minor unit."""
    if quantity < 0:
        raise Refusal("negative_quantity", f"{quantity} cannot be priced")
    return rate_ask(model, Ask(quantity, cycle), currency, share, rounding)


def rate_ask(model: PriceModel, ask: Ask, currency: str, share: Share, rounding: Rounding) -> RatedCharge:
    """The same for an Ask."""
    priced = price_ask(model, ask)
    net = minor_of_share(priced.amount, (share.days, share.of), currency, rounding)
    return RatedCharge(currency, ask.quantity, priced.amount, share, rounding, net, priced.steps)


def price_difference(model: PriceModel, now: Ask, billed: Ask) -> Priced:
    """What a period costs by all that is known of it now, less what is billed already; below zero when it costs less.

    Tiers, packages, commitments and caps go on where the billed quantity left off.
    """
    before, both = price_ask(model, billed), price_ask(model, now)
    off = Step("billed_before", billed.quantity, ZERO, -before.amount, -before.amount)
    return Priced(minus(both.amount, before.amount), (*both.steps, off))


def price_more(model: PriceModel, ask: Ask, before: Decimal) -> Priced:
    """What a further quantity costs on top of one of the same period that is billed already."""
    billed = ask._replace(quantity=before, amounts=None, by_value=None)
    return price_difference(model, ask._replace(quantity=plus(before, ask.quantity)), billed)


def rate_more(
    model: PriceModel, ask: Ask, before: Decimal, currency: str, rounding: Rounding = Rounding.HALF_UP
) -> RatedCharge:
    """The further quantity of an Ask rated on top of what is billed before; see `price_more`."""
    return _rated(price_more(model, ask, before), ask.quantity, currency, rounding)


def rate_difference(
    model: PriceModel, now: Ask, billed: Ask, currency: str, rounding: Rounding = Rounding.HALF_UP
) -> RatedCharge:
    """The same for two Asks of one period; see `price_difference`."""
    return _rated(price_difference(model, now, billed), minus(now.quantity, billed.quantity), currency, rounding)


def _rated(priced: Priced, quantity: Decimal, currency: str, rounding: Rounding) -> RatedCharge:
    net = minor_of_share(priced.amount, (1, 1), currency, rounding)
    return RatedCharge(currency, quantity, priced.amount, Share(), rounding, net, priced.steps)
