"""What a plan's minimum counts, as billed so far."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from saldo.kernel.clock import instant_from
from saldo.kernel.exact import ONE
from saldo.kernel.periods import Period, local_date
from saldo.kernel.rounding import Rounding, rounded_ratio


class MinimumKey(NamedTuple):
    """A minimum of a subscription for one period, or for the days that it holds in it where the period is a cycle's;
    `part` is the first of its days (or the moment, where the plan counts seconds)."""

    account_id: str
    subscription_id: str
    part: str

    def since(self, zone: str) -> date:
        """The first of its days, in the account's time zone."""
        return local_date(instant_from(self.part), zone) if "T" in self.part else date.fromisoformat(self.part)


@dataclass(frozen=True, slots=True)
class MinimumPart:
    """How one stands. `counted_minor`: what charges of its days came to, less what was credited of them.

    Once it is over: `days` are those on which it held, `least_minor` what they cost at least (0 where a change took it
    back), `trued_up_minor` what was asked for besides. Then `trued_up` is what is `owed`, always: what `counted` misses
    to `least`, or what that goes beyond it costs more by `overage_factor`. The rest is what its line says of it.
    `revision`: how often it was written, 0: never.
    """

    key: MinimumKey
    counted_minor: int = 0
    least_minor: int = 0
    trued_up_minor: int = 0
    days: Period | None = None
    plan_version_id: str = ""
    tax_category: str = ""
    revenue_tag: str = ""
    inclusive: bool = False
    rounding: Rounding = Rounding.HALF_UP
    currency: str = ""
    revision: int = 0
    overage_factor: Decimal = ONE

    @property
    def beyond_minor(self) -> int:
        """By how much what counts is more than what is due at least; below zero: what misses."""
        return self.counted_minor - self.least_minor

    @property
    def owed_minor(self) -> int:
        """What is to be asked for besides; nothing before it is over."""
        if self.days is None:
            return 0
        if self.beyond_minor <= 0:
            return -self.beyond_minor
        more = self.beyond_minor * (Fraction(self.overage_factor) - 1)
        return rounded_ratio(more.numerator, more.denominator, self.rounding)
