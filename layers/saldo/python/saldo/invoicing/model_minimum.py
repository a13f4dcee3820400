"""What a plan's minimum counts, as billed so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from saldo.kernel.periods import Period
from saldo.kernel.rounding import Rounding


class MinimumKey(NamedTuple):
    """A minimum of a subscription for the days that it holds in one period, `part` being the first of them (or the
    moment, where the plan counts seconds)."""

    account_id: str
    subscription_id: str
    part: str


@dataclass(frozen=True, slots=True)
class MinimumPart:
    """How one stands. `counted_minor`: what charges of its days came to, less what was credited of them.

    Once it is over: `days` are those on which it held, `least_minor` what they cost at least (0 where a change took it
    back), `trued_up_minor` what was asked for besides. Then `trued_up` is what `counted` misses to `least`, always. The
    rest is what its line says of it. `revision`: how often it was written, 0: never.
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

    @property
    def missing_minor(self) -> int:
        return max(self.least_minor - self.counted_minor, 0)
