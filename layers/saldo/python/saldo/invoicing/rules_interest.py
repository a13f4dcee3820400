"""Interest and compensation for late payment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from saldo.kernel.money import Money
from saldo.kernel.rounding import Rounding, rounded_ratio

Bands = tuple[tuple[Decimal | None, Decimal], ...]

# UK: Late Payment of Commercial Debts (Interest) Act 1998, section 5A: debts below each bound, and the sum for each.
UK_BANDS: Bands = ((Decimal(1000), Decimal(40)), (Decimal(10000), Decimal(70)), (None, Decimal(100)))
# EU: directive 2011/7/EU, article 6: 40 euros whatever the debt.
EU_BANDS: Bands = ((None, Decimal(40)),)
COMPENSATION: Mapping[str, Bands] = {"UK": UK_BANDS, "EU": EU_BANDS}
# Both laws: points a year above the base rate of the Bank of England, or the reference rate of the central bank.
STATUTORY_POINTS = Decimal(8)


@dataclass(frozen=True, slots=True)
class LateInterest:
    """Simple interest of `percent` a year on each day after the due date, and compensation by the size of the debt.

    `daily_rounding`: the amount per day is rounded first, as UK guidance has it; otherwise all is exact and rounded
    once. `bands`: bounds in major units, exclusive, and the sum due below them.
    """

    percent: Decimal
    year_days: int = 365
    daily_rounding: bool = False
    bands: Bands = field(default=())


@dataclass(frozen=True, slots=True)
class LateCharges:
    """Minor units of the debt's currency. `per_day_minor` is rounded."""

    days: int
    per_year_minor: int
    per_day_minor: int
    interest_minor: int
    compensation_minor: int

    @property
    def total_minor(self) -> int:
        return self.interest_minor + self.compensation_minor


def late_charges(debt: Money, days: int, rule: LateInterest) -> LateCharges:
    """What a debt that is so many days late (0 or fewer: nothing) costs besides itself."""
    numerator, denominator = rule.percent.as_integer_ratio()
    top, bottom = debt.minor * numerator, denominator * 100
    per_day = rounded_ratio(top, bottom * rule.year_days)
    late = max(days, 0)
    exact = rounded_ratio(top * late, bottom * rule.year_days, Rounding.HALF_UP)
    interest = per_day * late if rule.daily_rounding else exact
    compensation = compensation_of(debt, rule.bands) if late and debt.minor > 0 else 0
    return LateCharges(late, rounded_ratio(top, bottom), per_day, interest, compensation)


def compensation_of(debt: Money, bands: Bands) -> int:
    """The fixed sum for a debt of this size, in minor units; 0 without bands."""
    for below, amount in bands:
        if below is None or debt.as_decimal() < below:
            return Money.of_major(amount, debt.currency).minor
    return 0
