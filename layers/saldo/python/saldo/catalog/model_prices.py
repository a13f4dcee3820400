"""Price models: how a quantity is priced, some of them holding another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from saldo.kernel.rounding import Rounding


@dataclass(frozen=True, slots=True)
class Flat:
    """One amount (major units) whatever the quantity."""

    kind: ClassVar[str] = "flat"
    amount: Decimal


@dataclass(frozen=True, slots=True)
class PerUnit:
    """Quantity times a price in major units, of any number of digits."""

    kind: ClassVar[str] = "per_unit"
    unit_price: Decimal


@dataclass(frozen=True, slots=True)
class Tier:
    """Units above the tier before it, up to and including `up_to` (None: without end).

    With `size`, `unit_price` is that of a begun block of so many units.
    """

    up_to: Decimal | None
    unit_price: Decimal
    flat: Decimal = Decimal(0)
    size: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Graduated:
    """Each unit at the price of the tier it falls in; a tier's flat is due once, when the tier is entered.

    `flat_at_zero`: the first tier's flat is due with no usage too.
    """

    kind: ClassVar[str] = "graduated"
    tiers: tuple[Tier, ...]
    flat_at_zero: bool = False


@dataclass(frozen=True, slots=True)
class Volume:
    """All units at the price of the one tier that the total falls in, plus that tier's flat."""

    kind: ClassVar[str] = "volume"
    tiers: tuple[Tier, ...]
    flat_at_zero: bool = False


@dataclass(frozen=True, slots=True)
class Package:
    """Packages of `size` units at `price` each, after `free_units`: begun ones count, or as `count` rounds them; where
    they are not sold `whole`, a begun one costs its part."""

    kind: ClassVar[str] = "package"
    size: Decimal
    price: Decimal
    free_units: Decimal = Decimal(0)
    count: Rounding = Rounding.UP
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Stair:
    """Quantities above the stair before it, up to and including `up_to` (None: without end), cost `amount`."""

    up_to: Decimal | None
    amount: Decimal


@dataclass(frozen=True, slots=True)
class StairStep:
    """One amount for all, by the stair that the total falls in; nothing for a quantity of zero."""

    kind: ClassVar[str] = "stair_step"
    stairs: tuple[Stair, ...]


@dataclass(frozen=True, slots=True)
class Percentage:
    """A rate (0.012 is 1.2 %) of a quantity that is money in major units, beyond `free_amount`.

    A fee that is due at all is at least `minimum` and at most `maximum` (None: no bound). The other fields are for
    amounts known one by one, in their order: `per_event` is due besides for each that is charged, `free_events` (None:
    any number) bounds the free ones together with `free_amount`, whichever is used up first, and the fee of each
    is at least `event_minimum` and at most `event_maximum`.
    """

    kind: ClassVar[str] = "percentage"
    rate: Decimal
    free_amount: Decimal = Decimal(0)
    minimum: Decimal = Decimal(0)
    maximum: Decimal | None = None
    per_event: Decimal = Decimal(0)
    free_events: int | None = None
    event_minimum: Decimal = Decimal(0)
    event_maximum: Decimal | None = None

    @property
    def by_event(self) -> bool:
        """Whether the amounts must be known one by one."""
        return self.free_events is not None or bool(self.per_event or self.event_minimum or self.event_maximum)


@dataclass(frozen=True, slots=True)
class Cell:
    """The price of usage whose properties have these values, in the order of the matrix's dimensions."""

    values: tuple[str, ...]
    price: PriceModel


@dataclass(frozen=True, slots=True)
class Matrix:
    """A price for each combination of properties (region × class); `other` is for those that have no cell."""

    kind: ClassVar[str] = "matrix"
    dimensions: tuple[str, ...]
    cells: tuple[Cell, ...]
    other: PriceModel | None = None


@dataclass(frozen=True, slots=True)
class Rollover:
    """What is left of an allowance goes on for so many later cycles, at most `most` of it at a time (None: all)."""

    cycles: int
    most: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Included:
    """`units` cost nothing; the overage is priced by itself, as if it were all. Or an `amount` is free: of what the
    overage's price makes of all, what is beyond it is due.

    Of events told one by one the first are free; of combinations of properties those of the cells, as they are listed.
    `rollover`: what is left goes on; what goes on is used first, the oldest of it before all.
    """

    kind: ClassVar[str] = "included"
    units: Decimal
    overage: PriceModel
    rollover: Rollover | None = None
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Commitment:
    """At least `amount` per period, or what `units` cost: what `price` makes less is trued up (unless `true_up` is
    false), what it makes more costs `overage_factor` times as much."""

    kind: ClassVar[str] = "commitment"
    amount: Decimal
    price: PriceModel
    overage_factor: Decimal = Decimal(1)
    units: Decimal | None = None
    true_up: bool = True


@dataclass(frozen=True, slots=True)
class Capped:
    """What `price` makes, at most `amount` per period."""

    kind: ClassVar[str] = "capped"
    amount: Decimal
    price: PriceModel


@dataclass(frozen=True, slots=True)
class RampStep:
    """The price from a cycle on; cycles count from 0, the first that is billed."""

    from_cycle: int
    price: PriceModel


@dataclass(frozen=True, slots=True)
class Ramp:
    """A price that changes as a subscription gets older: the last step begun by its cycle applies."""

    kind: ClassVar[str] = "ramp"
    steps: tuple[RampStep, ...]

    def at(self, cycle: int) -> PriceModel:
        return [step for step in self.steps if step.from_cycle <= cycle][-1].price


@dataclass(frozen=True, slots=True)
class PercentTier:
    """What is above the tier before it, up to and including `up_to` (major units, None: without end), costs so many
    percent of it (10 is 10 %)."""

    up_to: Decimal | None
    percent: Decimal


@dataclass(frozen=True, slots=True)
class PercentOf:
    """A percent of what a subscription is charged for other components in a cycle, at least `minimum` (major units).

    `components`: ids of those; without any all others but what is charged once. Each part of the sum costs the percent
    of the tier that it falls in.
    """

    kind: ClassVar[str] = "percent_of"
    tiers: tuple[PercentTier, ...]
    components: tuple[str, ...] = ()
    minimum: Decimal = Decimal(0)


PriceModel = (
    Flat
    | PerUnit
    | Graduated
    | Volume
    | Package
    | StairStep
    | Percentage
    | Included
    | Commitment
    | Capped
    | Ramp
    | Matrix
    | PercentOf
)


def prices_within(price: PriceModel) -> Mapping[str, PriceModel]:
    """The prices that one is made of, by the names of their fields; none for those that stand by themselves."""
    match price:
        case Capped() | Commitment():
            return {"price": price.price}
        case Included():
            return {"overage": price.overage}
        case Ramp():
            return {f"steps[{i}].price": step.price for i, step in enumerate(price.steps)}
        case Matrix():
            cells = {f"cells[{i}].price": cell.price for i, cell in enumerate(price.cells)}
            return cells | ({"other": price.other} if price.other else {})
    return {}


def all_prices(price: PriceModel) -> Iterator[PriceModel]:
    """The price and those within it, however deep."""
    yield price
    for within in prices_within(price).values():
        yield from all_prices(within)
