"""Usage events, meters and the keys under which totals are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from saldo.kernel.periods import Period
from saldo.kernel.rounding import Rounding


class Aggregation(StrEnum):
    """How a meter turns events into one number per period.

    SUM of values, COUNT of events, number of UNIQUE values of a property, MAX and MIN value, AVERAGE of the values (not
    of time), LATEST value, WEIGHTED: values are changes of a level, and the level is averaged over the time of the
    period, and PERCENTILE: the least value that so many percent of the values are not above (nearest rank).
    """

    SUM = "sum"
    COUNT = "count"
    UNIQUE = "unique"
    MAX = "max"
    MIN = "min"
    AVERAGE = "average"
    LATEST = "latest"
    WEIGHTED = "weighted"
    PERCENTILE = "percentile"


# The property in which an event names its subscription, for meters that count by subscription.
SUBSCRIPTION = "subscription"

LEVELS = (Aggregation.WEIGHTED, Aggregation.LATEST, Aggregation.MAX)


class CountWindow(StrEnum):
    """A part of a period that is counted by itself: of the clock or the calendar of the account."""

    FIVE_MINUTES = "5_minutes"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


class OfWindows(StrEnum):
    """What becomes of the numbers of a period's windows. A window in which nothing happened counts as 0."""

    SUM = "sum"
    MAX = "max"
    MIN = "min"
    AVERAGE = "average"
    PERCENTILE = "percentile"


class Repeats(StrEnum):
    """Which of several events of one source and id counts: the FIRST (the others are rejected), or the LAST that
    came, so that a producer corrects an event by sending it again."""

    FIRST = "first"
    LAST = "last"


class LatePolicy(StrEnum):
    """What becomes of an event of a window that is billed already.

    CARRY: the next invoice asks for the difference. CORRECT: the window's charge is credited and billed anew. REJECT:
    it is not accepted, and waits in the quarantine as `late`.
    """

    CARRY = "carry"
    CORRECT = "correct"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class UsageEvent:
    """One thing that happened, as its producer tells it. `source` and `id` together name it for ever.

    meter_id: the event's name, which is what meters count (see `Meter.counts`). at: UTC instant. value: in the meter's
    unit; 1 for events that are only counted.
    """

    source: str
    id: str
    account_id: str
    meter_id: str
    at: datetime
    value: Decimal
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Meter:
    """What is counted. `unique_by` names the property that a UNIQUE meter counts distinct values of.

    counts: the name of the events it counts, so that several meters count the same events; "" is the meter's own id.
    filters: it counts only events whose properties have one of the values named. group_by: properties by which its
    usage is told apart where it is shown. carries: a level (WEIGHTED, LATEST, MAX) goes on from before a period.
    grace_s: how long after its end a period waits for events before it is billed. per: each such window is counted by
    itself, and their numbers are added up (the peak of each hour, say), or as `of_windows` says. percentile: which one,
    of events or of windows. least, increment: each event that is not 0 counts at least so much, and what is beyond that
    by begun increments (as large below zero), before all.
    factor: what the number is multiplied by, to come to another unit; rounding: and how it is rounded then, to `digits`
    (None: not at all). whole_days: a WEIGHTED level goes by days, of which each that is begun counts whole: a rise from
    its day on, a fall from the day after.
    by_subscription: events name their subscription, and it counts each by itself, so that several of an account use it.
    """

    id: str
    entity_id: str
    aggregation: Aggregation
    names: dict[str, str]
    unit_names: dict[str, str]
    unique_by: str = ""
    counts: str = ""
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    group_by: tuple[str, ...] = ()
    carries: bool = False
    grace_s: int = 0
    late: LatePolicy = LatePolicy.CARRY
    repeats: Repeats = Repeats.FIRST
    per: CountWindow | None = None
    factor: Decimal = Decimal(1)
    rounding: Rounding | None = None
    digits: int = 0
    whole_days: bool = False
    by_subscription: bool = False
    of_windows: OfWindows = OfWindows.SUM
    percentile: Decimal = Decimal(0)
    increment: Decimal | None = None
    least: Decimal | None = None

    @property
    def takes_percentile(self) -> bool:
        return self.aggregation is Aggregation.PERCENTILE or self.of_windows is OfWindows.PERCENTILE

    @property
    def event_name(self) -> str:
        return self.counts or self.id

    @property
    def averages(self) -> bool:
        """Whether its number is an average over the time of the period."""
        return self.aggregation is Aggregation.WEIGHTED or self.of_windows is OfWindows.AVERAGE

    def of_subscription(self, subscription_id: str) -> Meter:
        """The meter as it counts for one subscription: itself; or, by subscription, one that takes its events only."""
        if not self.by_subscription:
            return self
        filters = {**self.filters, SUBSCRIPTION: (subscription_id,)}
        own = own_id(self.id, subscription_id)
        return replace(self, id=own, counts=self.event_name, filters=filters, by_subscription=False)


def own_id(meter_id: str, subscription_id: str) -> str:
    """Under which a meter that counts by subscription is billed for one of them."""
    return f"{meter_id}/{subscription_id}"


def defined_id(meter_id: str) -> str:
    """The id under which a meter is defined, of itself or of one of its subscriptions."""
    return meter_id.partition("/")[0]


class Needs(NamedTuple):
    """What a price asks of usage besides its total: parts by the values of these properties, amounts one by one."""

    dimensions: tuple[str, ...] = ()
    amounts: bool = False


NO_NEEDS = Needs()


class UsageKey(NamedTuple):
    """Names one total that an invoice needs: what the meter counted for a subscription in a period."""

    subscription_id: str
    meter_id: str
    period: Period


@dataclass(frozen=True, slots=True)
class UsageDetail:
    """More about one total of usage. `before`: what of the same period was billed earlier. `amounts`: the events'
    values one by one, in order, in the unit that the meter comes to. `by_value`: parts of the total by the values of a
    matrix's dimensions. `by_subscription`: the meter counts each subscription by itself. `level`: the numbers are an
    average over the days counted, which are worth as much less as these are fewer than those of a full period."""

    before: Decimal = Decimal(0)
    amounts: tuple[Decimal, ...] | None = None
    by_value: Mapping[tuple[str, ...], Decimal] | None = None
    by_subscription: bool = False
    level: bool = False


NO_DETAIL = UsageDetail()


class Counted(NamedTuple):
    """What a meter counted in a period, and what a price needs to know of it besides."""

    quantity: Decimal
    detail: UsageDetail = NO_DETAIL
