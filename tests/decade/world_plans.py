"""Price lists of any kind: families of plan versions that a subscription may be moved between."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from random import Random

from saldo.catalog.model import (
    Capped,
    Cell,
    ChargeKind,
    Commitment,
    Component,
    CutShort,
    DayCount,
    Flat,
    Graduated,
    Included,
    Matrix,
    Minimum,
    Package,
    Percentage,
    PerUnit,
    PlanVersion,
    PriceModel,
    Ramp,
    RampStep,
    Stair,
    StairStep,
    Tier,
    Timing,
    Volume,
)
from saldo.kernel.periods import Length, Unit
from saldo.kernel.rounding import Rounding
from saldo.usage.model import Aggregation, CountWindow, LatePolicy, Meter, OfWindows
from tests.decade.world_cycles import as_bonds, going_on, in_halves

SCALE = {"JPY": Decimal(150), "KWD": Decimal("0.3"), "INR": Decimal(80)}
CATEGORIES = ("standard", "standard", "standard", "reduced")
CYCLES = [(Unit.MONTH, 1)] * 6 + [(Unit.QUARTER, 1), (Unit.YEAR, 1), (Unit.WEEK, 2), (Unit.MONTH, 2), (Unit.DAY, 30)]
COUNTS = [DayCount.ACTUAL] * 4 + [DayCount.SECOND, DayCount.FIXED_30, DayCount.THIRTY_360, DayCount.ACTUAL_OVER_30]
# Each so many families there is one whose meters count by subscription.
APART = 3
LEVELS = (Aggregation.WEIGHTED, Aggregation.LATEST, Aggregation.MAX)
REGIONS, CLASSES = ("eu", "us"), ("large", "small")


class PriceList:
    """Writes families of plan versions for one seller; each has its own meters, so that none is claimed twice.
    The meters of one count by subscription: accounts may have two of it."""

    def __init__(self, chance: Random, seller_id: str, currency: str, inclusive: bool) -> None:
        self.chance, self.seller_id, self.currency, self.inclusive = chance, seller_id, currency, inclusive
        self.meters: dict[str, Meter] = {}

    def money(self, low: str, high: str, digits: int = 2) -> Decimal:
        span = Decimal(high) - Decimal(low)
        amount = (Decimal(low) + span * Decimal(self.chance.randrange(10_001)) / 10_000) * SCALE.get(self.currency, 1)
        return round(amount, digits if self.currency != "JPY" or self.chance.random() < 0.3 else 0)

    def family(self, n: int) -> list[PlanVersion]:
        """The first is sold from the start; later versions change prices, others are plans of their own."""
        chance, name = self.chance, f"{self.seller_id}_plan{n}"
        unit, count = in_halves(name, *chance.choice(CYCLES))
        day_count = as_bonds(name, chance.choice(COUNTS))
        if unit in (Unit.WEEK, Unit.DAY) and day_count not in (DayCount.ACTUAL, DayCount.SECOND):
            day_count = DayCount.ACTUAL
        first = PlanVersion(
            id=f"{name}_v1",
            plan_id=name,
            version=1,
            currency=self.currency,
            cycle_unit=unit,
            cycle_count=count,
            components=tuple(self.components(n)),
            effective_on=date(2014, 1, 1),
            rounding=chance.choice([Rounding.HALF_UP] * 5 + [Rounding.HALF_EVEN, Rounding.DOWN, Rounding.UP]),
            day_count=day_count,
        )
        found = [first, self.dearer(first, 2), self.dearer(first, 3)]
        found.append(replace(self.other(first, n), id=f"{name}_large_v1", plan_id=f"{name}_large"))
        yearly = replace(self.other(first, n), id=f"{name}_yearly_v1", plan_id=f"{name}_yearly")
        if unit in (Unit.WEEK, Unit.DAY):
            yearly = replace(yearly, cycle_unit=Unit.WEEK, cycle_count=chance.choice([1, 4]))
        else:
            yearly = replace(yearly, cycle_unit=Unit.YEAR if unit is not Unit.YEAR else Unit.MONTH, cycle_count=1)
        return [going_on(version) for version in (*found, yearly)]

    def with_minimum(self, n: int) -> list[PlanVersion]:
        """Plans with a minimum per cycle: some have the same, some another, some none."""
        same = self.money("20", "220")
        found = []
        for version in self.family(n):
            least = self.chance.choice([same, same, self.money("20", "220"), None])
            minimum = None if least is None else Minimum((least,))
            found.append(replace(version, id=f"{version.id}_min", minimum=minimum))
        return [replace(found[0], minimum=Minimum((same,))), *found[1:]]

    def with_commitment(self, n: int) -> list[PlanVersion]:
        """Plans with a minimum over several cycles: some raise it, some have another, some none."""
        chance, found = self.chance, []
        usual = self.commitment()
        for version in self.family(n):
            raised = replace(usual, amounts=self.commitment().amounts)
            minimum = chance.choice([usual, raised, raised, self.commitment(), None])
            found.append(replace(version, id=f"{version.id}_commits", minimum=minimum))
        found[0] = replace(found[0], minimum=usual)
        return [self._in_cycles(version) for version in found]

    def commitment(self) -> Minimum:
        """Of so many cycles as `every` counts; which units these are its plan says."""
        chance = self.chance
        return Minimum(
            tuple(self.money("60", "900") for _ in range(chance.choice([1, 1, 2]))),
            Length(Unit.DAY, chance.choice([2, 3, 3, 4])),
            chance.choice([(), (), ("base", "setup")]),
            Decimal(chance.choice(["1", "1", "1.5", "0.85"])),
            chance.choice([CutShort.PART, CutShort.PART, CutShort.WHOLE]),
        )

    def _in_cycles(self, version: PlanVersion) -> PlanVersion:
        minimum = version.minimum
        if minimum is None or minimum.every is None:
            return version
        length = Length(version.cycle_unit, version.cycle_count * minimum.every.count)
        known = tuple(c.id for c in version.components if c.id in minimum.components)
        return replace(version, minimum=replace(minimum, every=length, components=known))

    def dearer(self, first: PlanVersion, version: int) -> PlanVersion:
        """A later version: some prices are new, some components stay as they are."""
        components = list(first.components)
        for i, component in enumerate(components):
            if self.chance.random() < 0.6:
                components[i] = replace(component, price=self.price_like(component))
        name = f"{first.plan_id}_v{version}"
        when = date(2014 + 2 * version, 7, 1)
        return replace(first, id=name, version=version, components=tuple(components), effective_on=when)

    def other(self, first: PlanVersion, n: int) -> PlanVersion:
        """Another plan: some components in common with the first, some not."""
        kept = [c for c in first.components if self.chance.random() < 0.4]
        more = [c for c in self.components(n) if c.id not in {k.id for k in kept}]
        return replace(first, components=tuple(kept + more))

    def components(self, n: int) -> list[Component]:
        chance = self.chance
        found = [self.fixed("base", Flat(self.money("5", "150")))]
        if chance.random() < 0.8:
            found.append(self.fixed("seats", self.unit_price()))
        if chance.random() < 0.4:
            found.append(self.fixed("support", Flat(self.money("3", "60")), Timing.ARREARS))
        if chance.random() < 0.3:
            found.append(replace(self.fixed("licence", Flat(self.money("100", "900"))), priced_per=Unit.YEAR))
        if chance.random() < 0.3:
            found.append(self.fixed("ramped", self.ramp()))
        if chance.random() < 0.4:
            setup = self.fixed("setup", Flat(self.money("10", "90")), chance.choice(list(Timing)))
            found.append(replace(setup, kind=ChargeKind.ONE_TIME))
        for i in range(chance.choice([0, 1, 1, 2])):
            found.append(self.usage(n, i))
        return found

    def fixed(self, name: str, price: PriceModel, timing: Timing | None = None) -> Component:
        chance = self.chance
        return Component(
            name,
            ChargeKind.FIXED,
            {"en": name},
            price,
            timing or chance.choice([Timing.ADVANCE] * 3 + [Timing.ARREARS]),
            chance.choice(CATEGORIES),
            name,
            prorate=chance.random() < 0.9,
            tax_inclusive=self.inclusive,
        )

    def usage(self, n: int, i: int) -> Component:
        """A metered component. Its meter counts in the way that its price can be told by."""
        meter_id = f"{self.seller_id}_meter{n}_{i}"
        if meter_id not in self.meters:
            self.meters[meter_id] = replace(self.meter(meter_id), by_subscription=n % APART == 0)
        component = self.fixed(f"usage{i}", self.metered_price(meter_id), Timing.ARREARS)
        return replace(component, kind=ChargeKind.USAGE, meter_id=meter_id)

    def meter(self, meter_id: str) -> Meter:
        chance = self.chance
        aggregation = chance.choice([Aggregation.SUM] * 5 + [a for a in Aggregation if a is not Aggregation.PERCENTILE])
        carries = aggregation in LEVELS and chance.random() < 0.5
        windows = not carries and aggregation is not Aggregation.WEIGHTED and chance.random() < 0.25
        per = chance.choice([w for w in CountWindow if w is not CountWindow.FIVE_MINUTES]) if windows else None
        return _finer(
            Meter(
                meter_id,
                self.seller_id,
                aggregation,
                {"en": meter_id},
                {},
                unique_by="user" if aggregation is Aggregation.UNIQUE else "",
                filters={"region": ("eu",)} if chance.random() < 0.15 else {},
                carries=carries,
                late=chance.choice([LatePolicy.CARRY, LatePolicy.CARRY, LatePolicy.CORRECT]),
                per=per,
                factor=Decimal(chance.choice(["0.5", "0.001024", "3"])) if chance.random() < 0.2 else Decimal(1),
                rounding=chance.choice(list(Rounding)) if chance.random() < 0.2 else None,
                digits=chance.choice([0, 0, 2]),
                whole_days=aggregation is Aggregation.WEIGHTED and chance.random() < 0.4,
            )
        )

    def price_like(self, component: Component) -> PriceModel:
        if component.kind is ChargeKind.USAGE:
            return self.metered_price(component.meter_id)
        if component.id == "seats":
            return self.unit_price()
        return Flat(self.money("5", "150"))

    def unit_price(self) -> PriceModel:
        chance = self.chance
        return chance.choice([self.per_unit, self.graduated, self.volume, self.package, self.stairs])(Decimal(5))

    def metered_price(self, meter_id: str) -> PriceModel:
        chance, thousand = self.chance, Decimal(1000)
        additive = self.meters[meter_id].aggregation in (Aggregation.SUM, Aggregation.COUNT)
        simple = [self.per_unit, self.graduated, self.volume, self.package, self.stairs, self.percent]
        inner = chance.choice(simple)(thousand)
        kind = chance.randrange(8)
        if kind == 0:
            return Included(Decimal(chance.randrange(0, 900)), chance.choice(simple)(thousand))
        if kind == 1:
            factor = chance.choice([Decimal(1), Decimal("1.5"), Decimal("0.8")])
            units = Decimal(chance.randrange(1500)) if chance.random() < 0.3 else None
            amount, true_up = self.money("10", "80"), chance.random() < 0.8
            return Commitment(amount if units is None else Decimal(0), inner, factor, units, true_up)
        if kind == 2:
            return Capped(self.money("20", "90"), inner)
        if kind == 3 and additive:
            return self.matrix()
        if kind == 4 and self.meters[meter_id].aggregation is Aggregation.SUM:
            return self.percent_by_event()
        return inner

    def per_unit(self, scale: Decimal) -> PriceModel:
        return PerUnit(self.money("1", "12", 4) / (scale / 5))

    def graduated(self, scale: Decimal) -> PriceModel:
        return Graduated(self.tiers(scale), self.chance.random() < 0.2)

    def volume(self, scale: Decimal) -> PriceModel:
        return Volume(self.tiers(scale), self.chance.random() < 0.2)

    def tiers(self, scale: Decimal) -> tuple[Tier, ...]:
        chance, found, floor = self.chance, [], Decimal(0)
        size = Decimal(chance.choice([1, 10, 100])) if scale > 100 and chance.random() < 0.3 else None
        for _ in range(chance.randrange(0, 3)):
            floor += chance.randrange(1, 5) * scale / 5
            flat = self.money("0", "9") if chance.random() < 0.3 else Decimal(0)
            found.append(Tier(floor, self.money("0.5", "11", 4) / (scale / 5), flat, size))
        return (*found, Tier(None, self.money("0.2", "8", 4) / (scale / 5), Decimal(0), size))

    def package(self, scale: Decimal) -> PriceModel:
        chance = self.chance
        free = Decimal(chance.choice([0, 0, 1, 3])) * scale / 5
        count = chance.choice([Rounding.UP] * 4 + list(Rounding))
        return Package(scale / 5 * chance.randrange(1, 4), self.money("1", "20"), free, count)

    def stairs(self, scale: Decimal) -> PriceModel:
        one, two = self.money("0", "30"), self.money("30", "60")
        return StairStep((Stair(scale / 5, one), Stair(scale, two), Stair(None, self.money("60", "99"))))

    def percent(self, _scale: Decimal) -> PriceModel:
        chance = self.chance
        free = Decimal(chance.choice([0, 0, 100, 500]))
        least = self.money("0", "5")
        most = least + self.money("5", "40") if chance.random() < 0.4 else None
        return Percentage(Decimal(chance.randrange(1, 500)) / 10_000, free, least, most)

    def percent_by_event(self) -> PriceModel:
        chance = self.chance
        return Percentage(
            Decimal(chance.randrange(1, 500)) / 10_000,
            free_amount=Decimal(chance.choice([0, 0, 200])),
            per_event=self.money("0.01", "0.5"),
            free_events=chance.choice([None, 0, 2]),
            event_minimum=self.money("0", "0.3"),
            event_maximum=self.money("2", "9") if chance.random() < 0.5 else None,
        )

    def ramp(self) -> PriceModel:
        first = RampStep(0, Flat(self.money("5", "40")))
        return Ramp((first, RampStep(self.chance.randrange(1, 7), Flat(self.money("10", "60")))))

    def matrix(self) -> PriceModel:
        cells = [Cell((r, c), self.per_unit(Decimal(1000))) for r in REGIONS for c in CLASSES]
        return Matrix(("region", "class"), tuple(cells[:3]), self.graduated(Decimal(1000)))


def _finer(meter: Meter) -> Meter:
    """Some meters count increments, take percentiles, or make something else of their windows than the sum: by a chance
    of their own, so that all else of the world stays as it is."""
    chance = Random(f"{meter.id} finer")
    if chance.random() < 0.1:
        meter = replace(meter, increment=Decimal(chance.choice(["6", "0.25"])))
        meter = replace(meter, least=Decimal(30)) if Random(f"{meter.id} least").random() < 0.5 else meter
    if meter.per is not None and chance.random() < 0.7:
        meter = replace(meter, of_windows=chance.choice(list(OfWindows)), per=chance.choice(list(CountWindow)))
    elif meter.aggregation in (Aggregation.MAX, Aggregation.AVERAGE, Aggregation.MIN) and chance.random() < 0.5:
        meter = meter if meter.carries else replace(meter, aggregation=Aggregation.PERCENTILE)
    return replace(meter, percentile=Decimal(chance.choice(["50", "95", "99.9"]))) if meter.takes_percentile else meter
