"""Subscriptions and the periods that fall due on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from saldo.catalog.model import Timing
from saldo.kernel.periods import Length, Period


class Alignment(StrEnum):
    """ANNIVERSARY counts cycles from the subscription's own anchor, CALENDAR from the first of month, quarter,
    year, or from Monday."""

    ANNIVERSARY = "anniversary"
    CALENDAR = "calendar"


class SubscriptionStatus(StrEnum):
    """CANCELLING still runs, up to `cancelled_on`; PAUSED costs nothing until it is resumed; ENDED has nothing left
    to bill."""

    TRIALING = "trialing"
    ACTIVE = "active"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    ENDED = "ended"


_RUNNING = frozenset({SubscriptionStatus.ACTIVE, SubscriptionStatus.PAUSED, SubscriptionStatus.CANCELLING})

MOVES: Mapping[SubscriptionStatus, frozenset[SubscriptionStatus]] = {
    SubscriptionStatus.TRIALING: _RUNNING | {SubscriptionStatus.ENDED},
    SubscriptionStatus.ACTIVE: frozenset(
        {SubscriptionStatus.PAUSED, SubscriptionStatus.CANCELLING, SubscriptionStatus.ENDED}
    ),
    SubscriptionStatus.PAUSED: frozenset(
        {SubscriptionStatus.ACTIVE, SubscriptionStatus.CANCELLING, SubscriptionStatus.ENDED}
    ),
    SubscriptionStatus.CANCELLING: frozenset(
        {SubscriptionStatus.ACTIVE, SubscriptionStatus.PAUSED, SubscriptionStatus.ENDED}
    ),
    SubscriptionStatus.ENDED: frozenset(),
}


class ChangeKind(StrEnum):
    """What a change does, in the order in which changes of one moment are applied.

    RENEW: the subscription goes on; what was cancelled for the end of the period, or for this day, is withdrawn.
    """

    PLAN = "plan"
    QUANTITY = "quantity"
    PAUSE = "pause"
    RESUME = "resume"
    RENEW = "renew"
    CANCEL = "cancel"


class CreditRule(StrEnum):
    """What a change gives back of a period paid ahead: its UNUSED days, the WHOLE of it, or NONE: then the change
    waits for the next boundary."""

    UNUSED = "unused"
    WHOLE = "whole"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Term:
    """For how long a subscription is sold at a time; it renews itself when a term ends, unless it is cancelled.

    A cancellation that waits (`CreditRule.NONE`) is for the end of the first term that it comes `notice_days` before.
    `announce_days`: so long ahead the customer is told. At each renewal prices rise by `uplift_percent`, or it moves to
    the `newest_price` of its plan; else it keeps what it was sold.
    """

    length: Length
    notice_days: int = 0
    announce_days: int = 30
    uplift_percent: Decimal = Decimal(0)
    newest_price: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """New terms of a subscription from a day (in the account's time zone) or, where its plan counts seconds, a moment.

    PLAN names `plan_version_id` and may set `quantities`; QUANTITY sets `quantities` or adds to them (`added`, which
    may be below zero). `reset_cycle`: cycles count from that day on; they do anyway where the new plan has another
    cycle. Of changes that contradict each other at one moment the one with the greatest id stands, whichever came
    first. `settled`: an invoice run has taken it into account.
    `only_from`: a PLAN change that holds only where the subscription is on this version by then, as of a renewal.
    """

    id: str
    kind: ChangeKind
    effective_on: date
    effective_at: datetime | None = None
    plan_version_id: str = ""
    quantities: dict[str, Decimal] = field(default_factory=dict)
    added: dict[str, Decimal] = field(default_factory=dict)
    credit: CreditRule = CreditRule.UNUSED
    reset_cycle: bool = False
    settled: bool = False
    only_from: str = ""


@dataclass(frozen=True, slots=True)
class Subscription:
    """One account's use of one plan version. All dates are days in the account's time zone.

    Billing starts on `trial_end_on` where there is a trial, else on `started_on`; it ends before `cancelled_on`.
    `anchor_on` is what anniversary cycles are counted from (normally the first billed day; a later day of month
    than that makes a first short period). `quantities`: component id → quantity of FIXED and ONE_TIME
    charges, 1 where not named. `next_bill_on` is the next boundary to bill, None when there is none left;
    `billed_through` the last boundary billed. `changes`: in the one order that `rules_timeline.in_order` gives them.
    `purchase_order` and `cost_centre` are the buyer's, for accounts whose invoices are split by them. `version` counts
    the writes of its record: who writes it says which one was read. `is_being_billed`: a run holds it at the moment,
    among too many to be billed in one go; changes wait. `term`: for how long it is sold at a time; None: it goes on.
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
    changes: tuple[Change, ...] = ()
    purchase_order: str = ""
    cost_centre: str = ""
    version: int = 1
    is_being_billed: bool = False
    term: Term | None = None

    @property
    def billed_from(self) -> date:
        """The first day that costs something."""
        return self.trial_end_on or self.started_on


@dataclass(frozen=True, slots=True)
class ChargePeriod:
    """A period to charge, found due at a boundary.

    `timing` says which components it concerns: ARREARS for the period that ended at `boundary`, ADVANCE for the
    one that starts there. `period` is what is charged, `full` the whole cycle that it is part of; they differ in
    a short first or last period. `first` marks the period in which one-time charges fall due. `revision` tells
    apart what is billed again at a boundary, because of a change that came after it was billed.
    """

    subscription_id: str
    boundary: date
    timing: Timing
    period: Period
    full: Period
    first: bool = False
    revision: int = 0

    @property
    def identity(self) -> str:
        """What may be billed only once: subscription and boundary (and revision)."""
        revision = f"~{self.revision}" if self.revision else ""
        return f"{self.subscription_id}@{self.boundary.isoformat()}{revision}"


# Part and whole of a full period: in seconds, or in months (then the third says so).
PartOfPeriod = tuple[int, int] | tuple[int, int, str]


class EarlierCycle(NamedTuple):
    """A cycle that a later charge looks back at: `days` of it were charged, of the `full` one. `share`: of it, where
    that does not follow from the days."""

    days: Period
    full: Period
    share: PartOfPeriod | None = None


@dataclass(frozen=True, slots=True)
class Charge:
    """One component charged (`sign` 1) or credited (-1) for a period, on the terms that then hold.

    `quantity`: of FIXED and ONE_TIME charges; None where a meter counts it. `cycle`: how many cycles were before.
    `share`: of the full period where that does not follow from the days. `leg`: the charge or credit of a mid-period
    change. `part`: where it counts towards a minimum, the day or moment from which that holds there; `since`: the same
    of the plan's tallies that are for a cycle (`PlanVersion.by_cycle`). `gives_back`: the charge of which a credit of
    days gives back a part, as it was when it fell due. `earlier`: of a charge that looks back, the cycles before it on
    which it depends, oldest first.
    """

    period: ChargePeriod
    plan_version_id: str
    component_id: str
    quantity: Decimal | None
    sign: int = 1
    cycle: int = 0
    share: PartOfPeriod | None = None
    leg: bool = False
    part: str = ""
    since: str = ""
    gives_back: Charge | None = None
    earlier: tuple[EarlierCycle, ...] = ()

    @property
    def reverses(self) -> bool:
        """Whether it gives back something charged before, or takes such a credit back."""
        return self.sign < 0 or self.gives_back is not None
