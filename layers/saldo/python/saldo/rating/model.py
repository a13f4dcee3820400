"""What rating is asked and what it answers, with every step of the reasoning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from saldo.catalog.model import PriceModel
from saldo.kernel.exact import part_of
from saldo.kernel.rounding import Rounding


class Ask(NamedTuple):
    """What is to be priced: a quantity of zero or more, in the unit of the component or meter.

    cycle: how many cycles of the subscription were before this one. days, of: the part of a period over which usage is
    priced; allowances, commitments and caps shrink with it. amounts: the quantity's parts one by one, in order;
    by_value: its parts by the values of properties. Both None where they are not known. rolled: what is left of earlier
    cycles' allowances.
    """

    quantity: Decimal
    cycle: int = 0
    days: int = 1
    of: int = 1
    amounts: tuple[Decimal, ...] | None = None
    by_value: Mapping[tuple[str, ...], Decimal] | None = None
    rolled: Decimal = Decimal(0)

    def part(self, bound: Decimal) -> Decimal:
        """A bound of the full period for this part of it, rounded half up to 12 digits where it does not come out."""
        return bound if self.days == self.of else part_of(bound, self.days, self.of)


class Step(NamedTuple):
    """One step of a price: `units` at `price` each, plus `flat`, make `amount` (exact, major units).

    `rule` says which step it is: flat, per_unit, tier, volume_tier, package, free_units, stair, percentage, minimum,
    maximum, rolled_over, included, included_amount, true_up, due_at_least, due_at_most, counted, rounded, asked_before,
    overage, cap, billed_before, discount, prepaid.
    Those that bound a price add or take off what is missing or too much.
    `above` and `up_to` are the bounds of a tier in units (above the one, up to and including the other; None is no
    bound).
    """

    rule: str
    units: Decimal
    price: Decimal
    amount: Decimal
    flat: Decimal = Decimal(0)
    above: Decimal | None = None
    up_to: Decimal | None = None

    @property
    def told_as(self) -> str:
        """The rule whose words say it too: a cap is told as a maximum is."""
        return _TOLD_AS.get(self.rule, self.rule)

    @property
    def told_by_bounds(self) -> bool:
        """Whether its bounds say which step it is, as of tiers and stairs."""
        return self.rule in ("tier", "volume_tier", "stair")


_TOLD_AS = {"included": "free_units", "cap": "maximum", "minimum": "true_up"}


class Priced(NamedTuple):
    """The exact price of a quantity in major units: the sum of the amounts of its steps."""

    amount: Decimal
    steps: tuple[Step, ...]


PriceOf = Callable[[PriceModel, Ask], Priced]


@dataclass(frozen=True, slots=True)
class Share:
    """Which part of the full period is charged: `days` of `of` days. 1 of 1 is the whole. `unit`: "months" where it is
    these that are counted."""

    days: int = 1
    of: int = 1
    unit: str = ""


class RatedCharge(NamedTuple):
    """A price, prorated and rounded once.

    `net_minor` is `exact` (major units) × share, in minor units of `currency`, rounded by `rounding`.
    """

    currency: str
    quantity: Decimal
    exact: Decimal
    share: Share
    rounding: Rounding
    net_minor: int
    steps: tuple[Step, ...]
