"""What is sold: products, plans, their immutable versions, and how each component is priced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from saldo.kernel.periods import Length, Unit
from saldo.kernel.rounding import Rounding


class ChargeKind(StrEnum):
    """FIXED recurs each cycle by quantity, USAGE by what a meter counted, ONE_TIME once at the start."""

    FIXED = "fixed"
    USAGE = "usage"
    ONE_TIME = "one_time"


class Timing(StrEnum):
    """Whether a period is billed at its start (ADVANCE) or at its end (ARREARS)."""

    ADVANCE = "advance"
    ARREARS = "arrears"


class DayCount(StrEnum):
    """How part of a period is measured.

    ACTUAL: real days over the real days of the full period. ACTUAL_OVER_30: real days over 30 per month, at
    most the whole. THIRTY_360: every month counts 30 days, above and below, and the last day is the 30th; THIRTY_360_US
    and THIRTY_360_EU: as bonds count them (NASD; ISDA 30E/360), by the days on which a period begins and the next one
    does. FIXED_30: 30 per month, of which the days
    up to the period's end are real ones, so that two parts always make the whole. SECOND: real seconds of the
    account's time zone, in which a day may have 23 or 25 hours.
    """

    ACTUAL = "actual"
    ACTUAL_OVER_30 = "actual_over_30"
    THIRTY_360 = "30_360"
    THIRTY_360_US = "30_360_us"
    THIRTY_360_EU = "30_360_eu"
    FIXED_30 = "fixed_30"
    SECOND = "second"


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


@dataclass(frozen=True, slots=True)
class Component:
    """One charge of a plan.

    `meter_id` is set for USAGE and only then. `names`: language code → name, English at least. `unit_names`
    likewise says what is counted. `tax_category` and `revenue_tag` are what tax rules and the ledger group by.
    In a short period a FIXED charge is prorated when `prorate`, and of a USAGE charge what is included, committed to
    or capped; one-time charges never are. `priced_per`: the price of a FIXED charge is for that long (a year, say) and
    each cycle costs the days that it is of it. `tax_inclusive`: the price has its taxes in it. `cumulates`: the price
    of a USAGE charge goes on over that long, counted from its first cycle: tiers, packages, allowances and caps are for
    all of it, and each cycle costs what it adds.
    """

    id: str
    kind: ChargeKind
    names: dict[str, str]
    price: PriceModel
    timing: Timing
    tax_category: str
    revenue_tag: str
    meter_id: str = ""
    unit_names: dict[str, str] = field(default_factory=dict)
    prorate: bool = True
    tax_inclusive: bool = False
    priced_per: Unit | None = None
    cumulates: Length | None = None

    @property
    def looks_back(self) -> bool:
        """Whether what a cycle costs depends on what was used in those before it."""
        return self.cumulates is not None or (isinstance(self.price, Included) and self.price.rollover is not None)


MINIMUM = "minimum"  # what stands for a component where a plan's minimum is meant


class CutShort(StrEnum):
    """What is owed of a minimum's period in which the subscription ends: the PART that it lasted, or the WHOLE."""

    PART = "part"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class Minimum:
    """What is charged at least in each of its periods (major units, net); what misses is asked for when one ends.

    `amounts`: of the first period, of the second and so on; the last is that of all that follow. `every`: how long a
    period is, a whole number of the plan's cycles; all that is charged in it is then one pool, also where the amount
    changes within it. None: the cycle, or the days of it on which the minimum holds. `components`: ids of those whose
    charges count; without any all do but what is charged once. `overage_factor`: what goes beyond it costs so many
    times as much, settled when the period ends.
    """

    amounts: tuple[Decimal, ...]
    every: Length | None = None
    components: tuple[str, ...] = ()
    overage_factor: Decimal = Decimal(1)
    cut_short: CutShort = CutShort.PART

    @property
    def price(self) -> PriceModel:
        """What a period costs at least, by how many were before it."""
        steps = tuple(RampStep(n, Flat(amount)) for n, amount in enumerate(self.amounts))
        return Ramp(steps) if len(steps) > 1 else steps[0].price

    def counts(self, component: Component) -> bool:
        if self.components:
            return component.id in self.components
        return component.kind is not ChargeKind.ONE_TIME


@dataclass(frozen=True, slots=True)
class PlanVersion:
    """What a plan costs from `effective_on`, for ever: a change of price is a new version.

    A subscription keeps the version it was sold until it is moved. The cycle is `cycle_count` × `cycle_unit`.
    `minimum`: what a cycle, or several, cost at least, in proportion where it holds for a part of them. `countries`: it
    is sold to accounts there alone (ISO 3166); without any, to all for whose country there is no version of its own.
    """

    id: str
    plan_id: str
    version: int
    currency: str
    cycle_unit: Unit
    cycle_count: int
    components: tuple[Component, ...]
    effective_on: date
    rounding: Rounding = Rounding.HALF_UP
    day_count: DayCount = DayCount.ACTUAL
    minimum: Minimum | None = None
    countries: tuple[str, ...] = ()

    def is_sold_in(self, country: str) -> bool:
        return not self.countries or country in self.countries

    def counts(self, component: Component) -> bool:
        """Whether what a component is charged counts towards the plan's minimum; the minimum itself stands for all."""
        return self.minimum is not None and (component.id == MINIMUM or self.minimum.counts(component))

    @property
    def pools_minimum(self) -> bool:
        """Whether its minimum is one pool for a period of its own."""
        return self.minimum is not None and self.minimum.every is not None

    @property
    def minimum_cycles(self) -> int:
        """How many cycles a period of its minimum is."""
        if self.minimum is None or self.minimum.every is None:
            return 1
        return self.cycles_of(self.minimum.every)

    def cycles_of(self, length: Length) -> int:
        """How many of its cycles that is; 0 where no whole number of them makes it up."""
        return length.holds(Length(self.cycle_unit, self.cycle_count))

    @property
    def minimum_spans(self) -> bool:
        """Whether more than the cycle itself must be known to say what its minimum is for."""
        return self.minimum_cycles > 1 or (self.minimum is not None and len(self.minimum.amounts) > 1)

    @property
    def least(self) -> Component | None:
        """The minimum as if it were charged: in arrears, for the days that it holds, taxed like the first component."""
        if self.minimum is None:
            return None
        like = self.components[0]
        return Component(
            MINIMUM,
            ChargeKind.FIXED,
            {"en": MINIMUM},
            self.minimum.price,
            Timing.ARREARS,
            like.tax_category,
            like.revenue_tag,
            tax_inclusive=like.tax_inclusive,
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """One way to buy a product of a seller. `names`: language code → name, English at least."""

    id: str
    product_id: str
    entity_id: str
    names: dict[str, str]


class BillingTrigger(StrEnum):
    """What makes an ordered product billable: the order itself, its delivery, or the customer's acceptance."""

    ORDER = "order"
    DELIVERY = "delivery"
    ACCEPTANCE = "acceptance"


@dataclass(frozen=True, slots=True)
class Product:
    """Something a seller sells. What is ordered of it is billed from its `trigger` on, unless a contract says other."""

    id: str
    entity_id: str
    names: dict[str, str]
    trigger: BillingTrigger = BillingTrigger.ORDER


# Versions with prices that one customer negotiated have ids that begin so: they sort behind all that is on offer.
NEGOTIATED = "~"


def name_in(names: dict[str, str], language: str) -> str:
    """The name in this language, else in English, else any."""
    return names.get(language) or names.get("en") or next(iter(names.values()), "")
