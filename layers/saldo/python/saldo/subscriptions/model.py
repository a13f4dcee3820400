"""Subscriptions and the periods that fall due on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from saldo.catalog.model import Timing
from saldo.kernel.periods import Period


class Alignment(StrEnum):
    """ANNIVERSARY counts cycles from the subscription's own anchor, CALENDAR from the first of month, quarter,
    year, or from Monday."""

    ANNIVERSARY = "anniversary"
    CALENDAR = "calendar"


class SubscriptionStatus(StrEnum):
    """CANCELLING still runs, up to `cancelled_on`; ENDED has nothing left to bill."""

    TRIALING = "trialing"
    ACTIVE = "active"
    CANCELLING = "cancelling"
    ENDED = "ended"


MOVES: Mapping[SubscriptionStatus, frozenset[SubscriptionStatus]] = {
    SubscriptionStatus.TRIALING: frozenset({SubscriptionStatus.ACTIVE, SubscriptionStatus.CANCELLING}),
    SubscriptionStatus.ACTIVE: frozenset({SubscriptionStatus.CANCELLING}),
    SubscriptionStatus.CANCELLING: frozenset({SubscriptionStatus.ACTIVE, SubscriptionStatus.ENDED}),
    SubscriptionStatus.ENDED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Subscription:
    """One account's use of one plan version. All dates are days in the account's time zone.

    Billing starts on `trial_end_on` where there is a trial, else on `started_on`; it ends before `cancelled_on`.
    `anchor_on` is what anniversary cycles are counted from (normally the first billed day; a later day of month
    than that makes a first short period). `quantities`: component id → quantity of FIXED and ONE_TIME
    charges, 1 where not named. `next_bill_on` is the next boundary to bill, None when there is none left;
    `billed_through` the last boundary billed.
    """

    id: str
    account_id: str
    entity_id: str
    plan_version_id: str
    started_on: date
    anchor_on: date
    alignment: Alignment = Alignment.ANNIVERSARY
    trial_end_on: date | None = None
    cancelled_on: date | None = None
    quantities: dict[str, Decimal] = field(default_factory=dict)
    next_bill_on: date | None = None
    billed_through: date | None = None
    status: SubscriptionStatus = SubscriptionStatus.ACTIVE

    @property
    def billed_from(self) -> date:
        """The first day that costs something."""
        return self.trial_end_on or self.started_on


@dataclass(frozen=True, slots=True)
class ChargePeriod:
    """A period to charge, found due at a boundary.

    `timing` says which components it concerns: ARREARS for the period that ended at `boundary`, ADVANCE for the
    one that starts there. `period` is what is charged, `full` the whole cycle that it is part of; they differ in
    a short first or last period. `first` marks the period in which one-time charges fall due.
    """

    subscription_id: str
    boundary: date
    timing: Timing
    period: Period
    full: Period
    first: bool = False

    @property
    def identity(self) -> str:
        """What may be billed only once: subscription and boundary."""
        return f"{self.subscription_id}@{self.boundary.isoformat()}"
