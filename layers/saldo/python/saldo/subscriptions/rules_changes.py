"""What a subscription costs when its terms change: runs of equal terms, and the charges and credits that follow.

Every charge is a function of the set of changes alone. What is due is the difference between the charges of all changes
and those of the changes that are settled, so the outcome is the same in whatever order the changes come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from saldo.catalog.model import MINIMUM, ChargeKind, Component, CutShort, DayCount, PlanVersion, Timing
from saldo.kernel.clock import instant_text
from saldo.kernel.errors import Refusal
from saldo.kernel.exact import ONE, ZERO
from saldo.kernel.periods import Cycle, Period, local_midnight, whole_seconds
from saldo.kernel.states import moved
from saldo.subscriptions.model import (
    MOVES,
    Change,
    ChangeKind,
    Charge,
    ChargePeriod,
    Subscription,
    SubscriptionStatus,
)
from saldo.subscriptions.rules_timeline import Terms, Versions, in_order, timeline

MOST_CHANGES = 1_000
_DAY = timedelta(days=1)


def with_change(subscription: Subscription, change: Change) -> Subscription:
    """The subscription with a change put on record and due to be looked at. Recording it again changes nothing.

    Refusal `change_exists` when its id stands for another change, `change_too_early` before the first day,
    `already_ended` for a subscription with nothing left to bill, `ends_as_agreed` for the renewal of one whose end was
    agreed from the start, `too_many_changes` beyond 1,000 (its record is one
    item, and each run looks at all of them).
    """
    for known in subscription.changes:
        if known.id == change.id:
            if replace(known, settled=change.settled) == change:
                return subscription
            raise Refusal("change_exists", f"{change.id} is another change of {subscription.id}")
    if change.effective_on < subscription.started_on:
        raise Refusal("change_too_early", f"{subscription.id} began on {subscription.started_on}")
    if subscription.status is SubscriptionStatus.ENDED:
        raise Refusal("already_ended", f"{subscription.id} has ended")
    if change.kind is ChangeKind.RENEW and subscription.cancelled_on is not None:
        raise Refusal(
            "ends_as_agreed", f"{subscription.id} was sold until {subscription.cancelled_on}; begin a new one"
        )
    if len(subscription.changes) >= MOST_CHANGES:
        raise Refusal("too_many_changes", f"{subscription.id} has {MOST_CHANGES} changes; begin a new subscription")
    cursor = max(change.effective_on, subscription.billed_from)
    following = cursor if subscription.next_bill_on is None else min(subscription.next_bill_on, cursor)
    return replace(subscription, changes=in_order((*subscription.changes, change)), next_bill_on=following)


@dataclass(slots=True)
class Run:
    """A component on equal terms over days without a gap. `closes`: what ran up is billed on the day it ends.
    `whole`: the period that it ends in is credited whole. `paid`: of a charge that is never prorated, the quantity that
    the period it begins in is charged for already, and `paid_by` the run that was charged for it. `grows_into`: it is
    followed by a run that takes its charge over. `least`: the minimum that it counts towards. `periods`: by which it is
    charged: its cycle, or what a minimum spans of it. `since`, `since_at`: from when on a minimum is one for them,
    through changes of it and pauses. `owed_whole`: the period that it ends in is owed whole."""

    component: Component
    version: PlanVersion
    quantity: Decimal | None
    cycle: Cycle
    start: date
    start_at: datetime | None
    begins: bool
    end: date | None = None
    end_at: datetime | None = None
    closes: bool = False
    whole: bool = False
    paid: Decimal | None = None
    paid_by: Run | None = None
    grows_into: bool = False
    least: Run | None = None
    periods: Cycle = field(init=False)
    since: date = field(init=False)
    since_at: datetime | None = field(init=False)
    owed_whole: bool = False

    def __post_init__(self) -> None:
        self.periods, self.since, self.since_at = self.cycle, self.start, self.start_at


@dataclass(slots=True)
class _Runs:
    open: dict[str, Run] = field(default_factory=dict)
    all: list[Run] = field(default_factory=list)
    minimums: dict[tuple[Cycle, int], Run] = field(default_factory=dict)

    def begin(self, run: Run, least: Run | None) -> Run:
        """least: the minimum that it counts towards; where it is one itself, it counts its periods on from where the
        first of as many cycles began."""
        run.least = least
        if run.component.id == MINIMUM:
            run.least, span = run, run.version.minimum_cycles
            first = self.minimums.setdefault((run.cycle, span), run)
            run.periods = run.cycle.times(span, first.start)
            if run.version.pools_minimum:
                run.since, run.since_at = first.start, first.start_at
        self.all.append(run)
        return run


def runs_of(terms: Sequence[Terms]) -> list[Run]:
    """The timeline component by component; a component that a change leaves alone runs on, under the same minimum."""
    runs, seen = _Runs(), set[str]()
    for i, now in enumerate(terms):
        components = _charged(now)
        kept: dict[str, Run] = {}
        for component in components:
            counted = component.kind is ChargeKind.USAGE or component.id == MINIMUM
            quantity = None if counted else now.quantities.get(component.id, ONE)
            going = runs.open.get(component.id)
            if going is None or not _goes_on(going, component, quantity, now):
                begins = i == 0 or component.id not in seen
                by = None if going is None else _paid_by(going, component, now)
                going = Run(component, now.version, quantity, now.cycle, now.start, now.start_at, begins, paid_by=by)
                going.paid = None if by is None else by.quantity
                runs.begin(going, kept.get(MINIMUM))
            seen.add(component.id)
            kept[component.id] = going
        for component_id, ended in runs.open.items():
            if kept.get(component_id) is not ended:
                ended.end, ended.end_at = now.start, now.start_at
                ended.closes, ended.whole = now.ended or now.cycle != ended.cycle, now.whole
                ended.owed_whole = component_id not in kept
        runs.open = kept
    return runs.all


def _charged(now: Terms) -> tuple[Component, ...]:
    """The minimum first, so that what counts towards it finds it; one that is owed whole goes on while paused."""
    version, least = now.version, () if now.version.least is None else (now.version.least,)
    if now.running:
        return (*least, *version.components)
    goes_on = version.minimum is not None and version.minimum.cut_short is CutShort.WHOLE and not now.ended
    return least if goes_on else ()


def _paid_by(run: Run, component: Component, now: Terms) -> Run | None:
    """By which run a charge that is never prorated was charged for the most in the period that a new quantity cuts.

    Only what is more is then charged, and nothing comes back for what is less. None where the period begins anew.
    """
    full = now.cycle.period_at(now.start)
    if component.prorate or component.kind is not ChargeKind.FIXED or run.quantity is None:
        return None
    if (full.start == now.start and now.start_at is None) or not _goes_on(run, component, run.quantity, now):
        return None
    run.grows_into = True
    more_before = run.start in full and run.paid is not None and run.paid >= run.quantity
    return run.paid_by if more_before else run


def _goes_on(run: Run, component: Component, quantity: Decimal | None, now: Terms) -> bool:
    before, after = run.version, now.version
    alike = (before.rounding, before.day_count, *_under(before)) == (after.rounding, after.day_count, *_under(after))
    return alike and (run.component, run.quantity, run.cycle) == (component, quantity, now.cycle)


def _under(version: PlanVersion) -> tuple[object, ...]:
    """What of a minimum must stay for charges to run on: all of it, but of one that is a pool its amount."""
    minimum = version.minimum
    if minimum is None or minimum.every is None:
        return minimum, version.least
    return minimum.every, minimum.components, minimum.overage_factor


def charges_of(
    subscription: Subscription, versions: Versions, changes: Iterable[Change], since: date, through: date, zone: str
) -> Iterator[Charge]:
    """Every charge and credit that these changes make fall due through a day, of periods that end on `since` or later.

    A mid-period change credits what is left of a period paid ahead and charges the same days on the new terms.
    """
    for run in runs_of(timeline(subscription, versions, changes)):
        maker = _Maker(subscription, run, zone)
        for charge in maker.charges(since):
            if charge.period.boundary > through and charge.sign > 0:
                break
            if charge.period.boundary <= through:
                yield charge


@dataclass(slots=True)
class _Maker:
    subscription: Subscription
    run: Run
    zone: str

    def charges(self, since: date) -> Iterator[Charge]:
        run, limit = self.run, self.subscription.cancelled_on
        once = run.component.kind is ChargeKind.ONE_TIME
        first = run.start if once else max(run.start, min(since - _DAY, run.end or since))
        for full in run.periods.periods_from(first):
            start = max(full.start, run.start)
            end = full.end if limit is None else min(full.end, limit)
            over = run.end is not None and (start > run.end or (start == run.end and run.end_at is None))
            if over or start >= end or (once and not run.begins):
                return
            yield from self._of_period(full, start, end)
            if once:
                return

    def _of_period(self, full: Period, start: date, end: date) -> Iterator[Charge]:
        run = self.run
        cut = run.end if run.end is not None and run.end < end else None
        begin = run.start_at if start == run.start else None
        if run.paid is not None and start == run.start:
            yield from self._grown(full, _Days(start, end, begin), run.paid)
        elif run.component.timing is Timing.ADVANCE:
            leg = start > full.start and start > self.subscription.billed_from
            charge = self._charge(full, _Days(start, end, begin), start, leg=leg or begin is not None)
            yield charge
            if cut is not None and run.component.kind is ChargeKind.FIXED and run.component.prorate:
                credited = _Days(start, end, begin) if run.whole else _Days(cut, end, run.end_at)
                yield replace(self._charge(full, credited, cut, sign=-1, leg=True), gives_back=charge)
        elif not (cut is not None and run.grows_into):
            due = cut if cut is not None and run.closes else end
            if run.component.kind is ChargeKind.USAGE and cut == start:
                return  # usage is counted by days, and this day is the next terms'
            if self._is_owed_whole():
                cut = None
            yield self._charge(full, _Days(start, cut or end, begin, run.end_at if cut else None), due)

    def _is_owed_whole(self) -> bool:
        """Whether all of a minimum's period is owed in which it ends, with nothing in its stead."""
        minimum = self.run.version.minimum if self.run.component.id == MINIMUM and self.run.owed_whole else None
        return minimum is not None and minimum.cut_short is CutShort.WHOLE

    def _grown(self, full: Period, days: _Days, paid: Decimal) -> Iterator[Charge]:
        """A quantity that changes within a period which is charged whole: the most there was in it is charged once."""
        most = max(self.run.quantity or ZERO, paid)
        if self.run.component.timing is Timing.ADVANCE:
            if most > paid:
                credit = self._charge(full, days, days.start, sign=-1, leg=True)
                yield replace(credit, quantity=paid, gives_back=self._paid_for(full, days.end))
                yield self._charge(full, days, days.start, leg=True)
        elif not self.run.grows_into or self.run.end is None or self.run.end >= days.end:
            end = self.run.end if self.run.end is not None and self.run.end < days.end else None
            lasted = days if end is None else replace(days, end=end, end_at=self.run.end_at)
            due = end if end is not None and self.run.closes else days.end
            yield replace(self._charge(full, lasted, due), quantity=most)

    def _paid_for(self, full: Period, end: date) -> Charge:
        """What was charged, of what is never prorated, before the quantity grew."""
        by = self.run.paid_by
        assert by is not None, "what has grown was less before"
        start = max(full.start, by.start)
        days = _Days(start, end, by.start_at if start == by.start else None)
        return _Maker(self.subscription, by, self.zone)._charge(full, days, start)

    def _charge(self, full: Period, days: _Days, due: date, sign: int = 1, leg: bool = False) -> Charge:
        run, subscription = self.run, self.subscription
        period = ChargePeriod(
            subscription.id,
            due,
            run.component.timing,
            Period(days.start, max(days.end, days.start + _DAY)),
            full,
            days.start == subscription.billed_from,
        )
        before = 0 if run.component.id == MINIMUM else run.cycle.index_at(subscription.billed_from)
        cycle = run.periods.index_at(days.start) - before
        seconds = days.seconds_of(full, self.zone) if run.version.day_count is DayCount.SECOND else None
        of = run.version.id, run.component.id
        return Charge(period, *of, run.quantity, sign, max(cycle, 0), seconds, leg, self._part(full))

    def _part(self, full: Period) -> str:
        """From when the minimum holds that a charge of this period counts towards; "" where it counts for none."""
        least = self.run.least
        if least is None or not self.run.version.counts(self.run.component):
            return ""
        begun = least.periods.period_at(max(full.start, least.since)).start
        if least.since_at is not None and least.since >= begun:
            return instant_text(least.since_at)
        return max(begun, least.since).isoformat()


@dataclass(frozen=True, slots=True)
class _Days:
    """Days `[start, end)`, or from and to a moment of them."""

    start: date
    end: date
    start_at: datetime | None = None
    end_at: datetime | None = None

    def seconds_of(self, full: Period, zone: str) -> tuple[int, int]:
        start = self.start_at or local_midnight(self.start, zone)
        part = whole_seconds(start, self.end_at or local_midnight(self.end, zone))
        return part, whole_seconds(*full.instants(zone))


def charges_due(subscription: Subscription, versions: Versions, as_of: date, zone: str = "UTC") -> list[Charge]:
    """What is to be charged and credited now: all that the changes ask for, less all that is billed.

    as_of: a day in the account's time zone; zone: the account's. Oldest first; a run before the cursor finds nothing.
    What was billed on terms that a later change took back is credited, and charged on the terms that hold.
    """
    if subscription.next_bill_on is None or subscription.next_bill_on > as_of:
        return []
    settled = [c for c in subscription.changes if c.settled]
    open_from = [c.effective_on for c in subscription.changes if not c.settled]
    since = min([subscription.next_bill_on, *open_from])
    through = subscription.billed_through
    until = as_of if through is None else max(as_of, through)
    due = Counter(charges_of(subscription, versions, subscription.changes, since, until, zone))
    if through is not None:
        due.subtract(Counter(charges_of(subscription, versions, settled, since, through, zone)))
    charges = [_revised(subscription, charge, times) for charge, times in due.items() if times]
    return sorted(charges, key=_as_listed)


def _as_listed(charge: Charge) -> tuple[date, bool, Period, str, int]:
    period = charge.period
    return period.boundary, period.timing is Timing.ADVANCE, period.period, charge.component_id, charge.sign


def _revised(subscription: Subscription, charge: Charge, times: int) -> Charge:
    """A charge to make (`times` 1) or to take back (-1); at a boundary that is billed it carries a revision."""
    through = subscription.billed_through
    late = through is not None and charge.period.boundary <= through
    period = replace(charge.period, revision=len(subscription.changes)) if late else charge.period
    return replace(charge, period=period, sign=charge.sign * times, leg=charge.leg or late)


def moved_on(subscription: Subscription, versions: Versions, as_of: date) -> Subscription:
    """The subscription after everything due up to `as_of` was billed; doing it twice changes nothing."""
    if subscription.next_bill_on is None or subscription.next_bill_on > as_of:
        return subscription
    terms = timeline(subscription, versions, subscription.changes)
    following = _next_boundary(subscription, terms, as_of)
    through = max(as_of, subscription.billed_through or as_of)
    changes = tuple(replace(c, settled=True) if c.effective_on <= through else c for c in subscription.changes)
    status = _status(subscription, terms, as_of, following)
    if status is not subscription.status:
        status = moved(MOVES, subscription.status, status)
    return replace(subscription, next_bill_on=following, billed_through=through, changes=changes, status=status)


def _status(
    subscription: Subscription, terms: Sequence[Terms], as_of: date, following: date | None
) -> SubscriptionStatus:
    now = [t for t in terms if t.start <= as_of] or [terms[0]]
    if following is None and (now[-1].ended or subscription.cancelled_on is not None):
        return SubscriptionStatus.ENDED
    if not now[-1].running:
        return SubscriptionStatus.CANCELLING if now[-1].ended else SubscriptionStatus.PAUSED
    ending = subscription.cancelled_on is not None or terms[-1].ended
    return SubscriptionStatus.CANCELLING if ending else SubscriptionStatus.ACTIVE


def _minimum_ends(terms: Sequence[Terms], as_of: date) -> Iterator[date]:
    """Days on which a minimum may fall due though nothing else does: it is for longer than what ended, or goes on."""
    for run in runs_of(terms):
        if run.component.id != MINIMUM or run.closes:
            continue
        last = as_of if run.end is None else run.end if run.end_at else run.end - _DAY
        yield run.periods.period_at(max(last, run.start)).end
        yield run.periods.period_at(max(min(as_of, last), run.start)).end


def _next_boundary(subscription: Subscription, terms: Sequence[Terms], as_of: date) -> date | None:
    """The next day on which something may fall due."""
    limit = subscription.cancelled_on
    days = [t.start for t in terms]
    for now in terms:
        if now.running and now.end is not None and now.end <= as_of:
            days.append(now.cycle.period_at(now.end if now.end_at else now.end - _DAY).end)
        elif now.running:
            days.append(now.cycle.boundary(now.cycle.index_at(max(as_of, now.start)) + 1))
    if any(now.version.minimum_spans for now in terms):
        days += _minimum_ends(terms, as_of)
    if limit is not None:
        days = [min(day, limit) for day in days]
        if not terms[-1].ended:  # paused, it may yet be resumed: it ends on its last day, not before
            days.append(limit)
    return min((day for day in days if day > as_of), default=None)
