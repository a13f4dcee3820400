"""Windows: a meter's usage of an account in a period, from open to billed, and what came late."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from saldo.kernel.exchange import ExchangeRate
from saldo.kernel.periods import Period
from saldo.usage.model import NO_NEEDS, Counted, LatePolicy, Needs, UsageDetail, UsageKey

# How many events of each UTC month (`202611`) of one account and event name were known. Events of a month are kept in
# the order in which they were accepted, so this says exactly which ones.
Known = Mapping[str, int]


class Reason(StrEnum):
    """Why a window was billed: it CLOSED, or late events came and were CARRIED to an invoice or led to a CORRECTED
    charge. REPLACED: its charge was taken back and made on other terms. WITHDRAWN: taken back for good."""

    CLOSED = "closed"
    CARRIED = "carried"
    CORRECTED = "corrected"
    REPLACED = "replaced"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Terms:
    """By what a window was rated: enough to rate it again. days, of: the part of a full period that it is.

    purchase_order, cost_centre: the buyer's, for accounts whose invoices are split by them. part: from when the plan's
    minimum holds there, since: from when its other tallies do; "" without them. rate: at which it was converted, where
    the price is in another currency than the invoice. before: what was used in earlier cycles that the price goes on
    from, None where it began with this one; rolled: what was left of their allowances.
    """

    plan_version_id: str
    component_id: str
    cycle: int = 0
    days: int = 1
    of: int = 1
    needs: Needs = NO_NEEDS
    purchase_order: str = ""
    cost_centre: str = ""
    part: str = ""
    rate: ExchangeRate | None = None
    before: Decimal | None = None
    rolled: Decimal = Decimal(0)
    since: str = ""


@dataclass(frozen=True, slots=True)
class Billed:
    """One time that a window was billed, on which day and invoice ("" where it came to nothing).

    quantity: of the whole window as it was known then. arrivals: its events that had come since the time before.
    """

    reason: Reason
    on: date
    invoice_id: str
    quantity: Decimal
    arrivals: int
    known: Known


@dataclass(frozen=True, slots=True)
class Window:
    """A period of a meter that is billed, once or, for late events, more often. `zone` is that of its days. One that
    counts by subscription is named as `own_id` has it."""

    account_id: str
    meter_id: str
    period: Period
    zone: str
    subscription_id: str
    terms: Terms
    billed: tuple[Billed, ...]

    @property
    def known(self) -> Known:
        return self.billed[-1].known

    @property
    def arrivals(self) -> int:
        """How many of its events are billed."""
        return sum(b.arrivals for b in self.billed)

    @property
    def is_withdrawn(self) -> bool:
        return self.billed[-1].reason is Reason.WITHDRAWN

    @property
    def billed_until(self) -> date:
        """Up to which day it says that its meter is billed: through its days, or what was before those taken back."""
        return self.period.start if self.is_withdrawn else self.period.end


@dataclass(frozen=True, slots=True)
class Cutoff:
    """What was known of a window when it was counted: `arrivals` of its events, among all those of the months."""

    known: Known
    arrivals: int


@dataclass(frozen=True, slots=True)
class LateUsage:
    """A billed window of which more is known now. The difference of the prices of `now` and `billed` is still to ask
    for (or, below zero, to give back); both are of the whole window."""

    window: Window
    policy: LatePolicy
    now: Counted
    billed: Counted
    cutoff: Cutoff


@dataclass(frozen=True, slots=True)
class Closings:
    """How far an account's usage is billed.

    windows: those billed lately, each meter's latest among them. late: (event name, month) pairs of events that came
    when their window was billed; `flags` counts them for ever. revision: how often windows were billed. put_away: by
    meter, the day up to which windows may lie elsewhere, in as many records as `pages` says.
    """

    windows: tuple[Window, ...] = ()
    late: tuple[tuple[str, str], ...] = ()
    flags: int = 0
    revision: int = 0
    put_away: Mapping[str, date] = field(default_factory=dict)
    pages: int = 0


@dataclass(frozen=True, slots=True)
class AccountUsage:
    """What a run needs to know of an account's usage: totals and details by key, and what they are made of.

    billed: the windows of those keys that are billed before; their totals are what was billed, so that taking the
    charge back gives back just that. late: what came for windows billed before. closes_at: when the last of the keys'
    periods has had its meter's time of grace, where one has any; no run may bill them sooner. Without grace the run of
    the day bills, and what is used after it (in a zone where the day has not begun) is late.
    """

    totals: Mapping[UsageKey, Decimal] = field(default_factory=dict)
    details: Mapping[UsageKey, UsageDetail] = field(default_factory=dict)
    cutoffs: Mapping[UsageKey, Cutoff] = field(default_factory=dict)
    billed: Mapping[UsageKey, Window] = field(default_factory=dict)
    late: tuple[LateUsage, ...] = ()
    closes_at: datetime | None = None
    closings: Closings = Closings()

    @property
    def stood(self) -> dict[UsageKey, Window]:
        """The windows that are billed before and stand: how much they counted, and by what terms they were rated."""
        return {key: window for key, window in self.billed.items() if not window.is_withdrawn}
