"""What is sold: products, plans, their immutable versions, and how each component is priced."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from saldo.catalog.model_prices import Capped as Capped
from saldo.catalog.model_prices import Cell as Cell
from saldo.catalog.model_prices import Commitment as Commitment
from saldo.catalog.model_prices import Flat as Flat
from saldo.catalog.model_prices import Graduated as Graduated
from saldo.catalog.model_prices import Included as Included
from saldo.catalog.model_prices import Matrix as Matrix
from saldo.catalog.model_prices import Package as Package
from saldo.catalog.model_prices import Percentage as Percentage
from saldo.catalog.model_prices import PercentOf as PercentOf
from saldo.catalog.model_prices import PercentTier as PercentTier
from saldo.catalog.model_prices import PerUnit as PerUnit
from saldo.catalog.model_prices import PriceModel as PriceModel
from saldo.catalog.model_prices import Ramp as Ramp
from saldo.catalog.model_prices import RampStep as RampStep
from saldo.catalog.model_prices import Rollover as Rollover
from saldo.catalog.model_prices import Stair as Stair
from saldo.catalog.model_prices import StairStep as StairStep
from saldo.catalog.model_prices import Tier as Tier
from saldo.catalog.model_prices import Volume as Volume
from saldo.catalog.model_prices import all_prices as all_prices
from saldo.catalog.model_prices import prices_within as prices_within
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
    WHOLE_MONTHS: months of the full period, none of them in part; that in which the terms change is on the new ones.
    FROM_NEXT_MONTH: likewise, but the month of a change stays on the old terms. By both, the month in which a
    subscription begins counts, and the one in which it ends.
    """

    ACTUAL = "actual"
    ACTUAL_OVER_30 = "actual_over_30"
    THIRTY_360 = "30_360"
    THIRTY_360_US = "30_360_us"
    THIRTY_360_EU = "30_360_eu"
    FIXED_30 = "fixed_30"
    SECOND = "second"
    WHOLE_MONTHS = "whole_months"
    FROM_NEXT_MONTH = "from_next_month"


BY_MONTHS = (DayCount.WHOLE_MONTHS, DayCount.FROM_NEXT_MONTH)


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
    def is_bought(self) -> bool:
        """Whether there is a quantity of it to buy; others are counted, or follow from what is charged."""
        return self.kind is not ChargeKind.USAGE and not isinstance(self.price, PercentOf)

    @property
    def looks_back(self) -> bool:
        """Whether what a cycle costs depends on what was used in those before it."""
        return self.cumulates is not None or (isinstance(self.price, Included) and self.price.rollover is not None)


MINIMUM, MAXIMUM = "minimum", "maximum"  # what stands for a component where a plan's own is meant


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


@dataclass(frozen=True, slots=True)
class Maximum:
    """What is charged at most in a cycle (major units, net), or in the part of it in which it holds; what is more is
    given back when that is over. `components`: as of a minimum."""

    amount: Decimal
    components: tuple[str, ...] = ()


def _is_among(component: Component, components: tuple[str, ...]) -> bool:
    """Whether a component is one of those named; without names all are but what is charged once."""
    return component.id in components if components else component.kind is not ChargeKind.ONE_TIME


@dataclass(frozen=True, slots=True)
class PlanVersion:
    """What a plan costs from `effective_on`, for ever: a change of price is a new version.

    A subscription keeps the version it was sold until it is moved. The cycle is `cycle_count` × `cycle_unit`.
    `minimum`: what a cycle, or several, cost at least, in proportion where it holds for a part of them. `maximum`: what
    a cycle costs at most, likewise. `countries`: it is sold to accounts there alone (ISO 3166); without any, to all for
    whose country there is no version of its own.
    `tallies`: what follows from all that is charged for a period, each as if it were charged for that itself, in
    arrears: the minimum, the maximum, and the components that cost a percent of others.
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
    maximum: Maximum | None = None
    tallies: tuple[Component, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        bounds = (self.least, self.most) if self.components else ()
        percents = (component for component in self.components if isinstance(component.price, PercentOf))
        object.__setattr__(self, "tallies", tuple(one for one in (*bounds, *percents) if one is not None))

    def is_sold_in(self, country: str) -> bool:
        return not self.countries or country in self.countries

    @property
    def by_cycle(self) -> tuple[Component, ...]:
        """The tallies that are for a cycle, or the days of it on which they hold: all but the minimum."""
        return self.tallies if self.minimum is None else self.tallies[1:]

    def is_tally(self, component_id: str) -> bool:
        return any(tally.id == component_id for tally in self.tallies)

    def counts(self, tally_id: str, component: Component) -> bool:
        """Whether what is charged for a component, or follows from a tally, counts towards a tally.

        A maximum counts towards the minimum where all that it bounds does, so that both hold; a minimum within what a
        maximum bounds towards that.
        """
        bound = {MINIMUM: self.minimum, MAXIMUM: self.maximum}.get(component.id)
        if bound is not None:
            return tally_id in (MINIMUM, MAXIMUM) and self._is_within(component.id, tally_id)
        return component.id != tally_id and _is_among(component, self._counted_by(tally_id))

    def moved_by(self, component: Component) -> frozenset[str]:
        """Ids of the tallies that move with what is charged for a component, or follows from a tally: those that it
        counts towards, and those that these count towards."""
        found: set[str] = set()
        waiting = [component]
        while waiting:
            one = waiting.pop()
            further = [tally for tally in self.tallies if tally.id not in found and self.counts(tally.id, one)]
            found |= {tally.id for tally in further}
            waiting += further
        return frozenset(found)

    def _counted_by(self, tally_id: str) -> tuple[str, ...]:
        if tally_id == MINIMUM:
            return self.minimum.components if self.minimum else ()
        if tally_id == MAXIMUM:
            return self.maximum.components if self.maximum else ()
        return next(t.price.components for t in self.tallies if t.id == tally_id and isinstance(t.price, PercentOf))

    def _is_within(self, one: str, other: str) -> bool:
        """Whether one bound is counted by what counts towards the other: of two for the same, the maximum."""
        if one == other or self.minimum is None or self.maximum is None:
            return False
        inner, outer = self.bounded_by(one), self.bounded_by(other)
        return inner <= outer if one == MAXIMUM else inner < outer and not self.pools_minimum

    def bounded(self, bound: str) -> list[Component]:
        """The components whose charges count towards the minimum or the maximum."""
        named = self._counted_by(bound)
        return [component for component in self.components if _is_among(component, named)]

    def bounded_by(self, bound: str) -> frozenset[str]:
        """Their ids."""
        return frozenset(component.id for component in self.bounded(bound))

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
        """The minimum as if it were charged: in arrears, for the days that it holds, taxed like the first of the
        components that count towards it."""
        if self.minimum is None or not self.minimum.amounts:  # of no amount: refused by whoever reads the plan
            return None
        return _as_charged(MINIMUM, self.minimum.price, self._first_of(MINIMUM))

    @property
    def most(self) -> Component | None:
        """The maximum likewise, taxed as what it bounds."""
        if self.maximum is None:
            return None
        return _as_charged(MAXIMUM, Flat(self.maximum.amount), self._first_of(MAXIMUM))

    def _first_of(self, bound: str) -> Component:
        """The first component that is bounded; of none, the first there is."""
        return next(iter(self.bounded(bound)), self.components[0])


def _as_charged(bound: str, price: PriceModel, like: Component) -> Component:
    taxed = like.tax_category, like.revenue_tag
    inclusive = like.tax_inclusive
    return Component(bound, ChargeKind.FIXED, {"en": bound}, price, Timing.ARREARS, *taxed, tax_inclusive=inclusive)


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
