"""What follows from all that is charged for a period: a plan's minimum and maximum, a percent of other charges."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from saldo.catalog.model import MINIMUM, PercentTier
from saldo.kernel.clock import instant_from
from saldo.kernel.exact import ONE
from saldo.kernel.periods import Period, local_date
from saldo.kernel.rounding import Rounding


class TallyKey(NamedTuple):
    """A tally of a subscription for one period, or for the days that it holds in it where the period is a cycle's;
    `part` is the first of its days (or the moment, where the plan counts seconds). `of`: the minimum, the maximum, or
    the component that costs a percent of others."""

    account_id: str
    subscription_id: str
    part: str
    of: str = MINIMUM

    def since(self, zone: str) -> date:
        """The first of its days, in the account's time zone."""
        return local_date(instant_from(self.part), zone) if "T" in self.part else date.fromisoformat(self.part)


@dataclass(frozen=True, slots=True)
class Tally:
    """How one stands. `counted_minor`: what charges of its days came to, less what was credited of them.

    Once it is over: `days` are those on which it held, `bound_minor` what they cost at least (of a maximum: at most; 0
    where a change took it back, and `held` says so of what is no minimum), `trued_up_minor` what was asked for besides,
    below zero where it was given back. Then `trued_up` is what is owed (`rules_tallies.owed_minor`), always: what
    `counted` misses to a minimum, or what that goes beyond it costs more by `overage_factor`; less what goes beyond a
    maximum; the percent by the tiers of `percents`. The rest is what its line says of it. `revision`: how often it was
    written, 0: never.
    """

    key: TallyKey
    counted_minor: int = 0
    bound_minor: int = 0
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
    percents: tuple[PercentTier, ...] = ()
    held: bool = True

    @property
    def beyond_minor(self) -> int:
        """By how much what counts is more than the bound; below zero: what misses."""
        return self.counted_minor - self.bound_minor
