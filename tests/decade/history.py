"""All that happens to one account in the decade, each fact with the day on which it becomes known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from saldo.accounts.model import Account, LegalEntity
from saldo.catalog.model import PlanVersion
from saldo.invoicing.model import BillingOptions, Coupon, PrepaidCredit
from saldo.orders.model import Item
from saldo.subscriptions.model import Alignment, Change, Term
from saldo.tax.model import TaxTable
from saldo.usage.model import Meter, UsageEvent


@dataclass(frozen=True)
class Sale:
    """A subscription as it is sold."""

    id: str
    plan_version_id: str
    started_on: date
    alignment: Alignment
    trial_days: int = 0
    anchor_on: date | None = None
    quantities: Mapping[str, int] = field(default_factory=dict)
    cancelled_on: date | None = None
    term: Term | None = None


@dataclass(frozen=True)
class Told:
    """A change of a subscription, as it is told."""

    subscription_id: str
    change: Change


Fact = Sale | Told | UsageEvent | Coupon | PrepaidCredit | Item


@dataclass(frozen=True)
class Market:
    """A seller with what it sells and the taxes of its world. `every`: days between two runs."""

    seller: LegalEntity
    versions: Mapping[str, PlanVersion]
    meters: Mapping[str, Meter]
    table: TaxTable
    options: BillingOptions
    every: int


@dataclass(frozen=True)
class History:
    """An account's decade. `facts`: (known from the morning of this day, what) in the order in which they come."""

    market: Market
    account: Account
    facts: tuple[tuple[date, Fact], ...]
    first_on: date
    last_on: date

    def run_days(self) -> Iterator[date]:
        day = self.first_on
        while day <= self.last_on:
            yield day
            day = date.fromordinal(day.toordinal() + self.market.every)
