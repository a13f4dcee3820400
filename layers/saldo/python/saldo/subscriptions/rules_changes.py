"""What a subscription costs when its terms change: the charges and credits that follow from runs of equal terms.

Every charge is a function of the set of changes alone. What is due is the difference between the charges of all changes
and those of the changes that are settled, so the outcome is the same in whatever order the changes come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from saldo.catalog.model import BY_MONTHS, MINIMUM, ChargeKind, CutShort, DayCount, Timing
from saldo.kernel.clock import instant_text
from saldo.kernel.errors import Refusal
from saldo.kernel.exact import ZERO
from saldo.kernel.periods import MONTHS, Period, local_midnight, months_before, whole_seconds
from saldo.kernel.states import moved
from saldo.subscriptions.model import (
    MOVES,
    Change,
    ChangeKind,
    Charge,
    ChargePeriod,
    EarlierCycle,
    PartOfPeriod,
    Subscription,
    SubscriptionStatus,
)
from saldo.subscriptions.rules import earlier_cycles
from saldo.subscriptions.rules_runs import Run, runs_of
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


def charges_of(
    subscription: Subscription, versions: Versions, changes: Iterable[Change], since: date, through: date, zone: str
) -> Iterator[Charge]:
    """Every charge and credit that these changes make fall due through a day, of periods that end on `since` or later.

    A mid-period change credits what is left of a period paid ahead and charges the same days on the new terms.
    """
    terms = timeline(subscription, versions, changes)
    ends_on = terms[-1].start if terms[-1].ended else subscription.cancelled_on
    for run in runs_of(terms):
        maker = _Maker(subscription, run, zone, ends_on)
        for charge in maker.charges(since):
            if charge.period.boundary > through and charge.sign > 0:
                break
            if charge.period.boundary <= through and not _is_of_no_month(run, charge):
                yield charge


def _is_of_no_month(run: Run, charge: Charge) -> bool:
    """Whether it is for days of a month that counts whole on other terms."""
    nothing = charge.share is not None and not charge.share[0]
    return nothing and charge.quantity is not None and run.component.kind is ChargeKind.FIXED and run.component.prorate


@dataclass(slots=True)
class _Maker:
    subscription: Subscription
    run: Run
    zone: str
    ends_on: date | None

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
            if run.component.kind is ChargeKind.USAGE and cut == start:
                return  # usage is counted by days, and this day is the next terms'
            if self._is_owed_whole():
                cut = None
            yield self._charge(full, _Days(start, cut or end, begin, run.end_at if cut else None), run.due_by(end))

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
            yield replace(self._charge(full, lasted, self.run.due_by(days.end)), quantity=most)

    def _paid_for(self, full: Period, end: date) -> Charge:
        """What was charged, of what is never prorated, before the quantity grew."""
        by = self.run.paid_by
        assert by is not None, "what has grown was less before"
        start = max(full.start, by.start)
        days = _Days(start, end, by.start_at if start == by.start else None)
        return replace(self, run=by)._charge(full, days, start)

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
        share = self._share(days, full)
        of = run.version.id, run.component.id
        begun = _begun(run.least, full), _begun(run.tally, full)
        return Charge(period, *of, run.quantity, sign, max(cycle, 0), share, leg, *begun, earlier=self._earlier(full))

    def _earlier(self, full: Period) -> tuple[EarlierCycle, ...]:
        """Those before a period; the first by its share where it began within."""
        run = self.run
        found = earlier_cycles(run.component, run.version, run.cycle, run.start, full)
        by_day = run.start_at is None and run.version.day_count not in BY_MONTHS
        if not found or by_day or found[0].days.start != run.start:
            return found
        first = _Days(found[0].days.start, found[0].days.end, run.start_at)
        return found[0]._replace(share=self._share(first, found[0].full)), *found[1:]

    def _share(self, days: _Days, full: Period) -> PartOfPeriod | None:
        """The part of a full period that days are, where more must be known for it than which days they are."""
        day_count = self.run.version.day_count
        if day_count is DayCount.SECOND:
            return days.seconds_of(full, self.zone)
        if day_count not in BY_MONTHS:
            return None
        start, end, whole = (self._months_before(day, full) for day in (days.start, days.end, full.end))
        return end - start, whole, MONTHS

    def _months_before(self, day: date, full: Period) -> int:
        """Months of a full period on the terms before a day: that in which these change is one by the plan's choice.
        The first month of a subscription, and its last, are its own whichever day they begin or end on."""
        begun = self.run.version.day_count is DayCount.FROM_NEXT_MONTH
        if self.ends_on is not None and day >= self.ends_on:
            begun = True
        return months_before(day, full, begun and day > self.subscription.billed_from)


def _begun(tally: Run | None, full: Period) -> str:
    """From when a tally holds that a charge of this period may count towards; "" without one."""
    if tally is None:
        return ""
    begun = tally.periods.period_at(max(full.start, tally.since)).start
    if tally.since_at is not None and tally.since >= begun:
        return instant_text(tally.since_at)
    return max(begun, tally.since).isoformat()


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


def minimum_around(subscription: Subscription, versions: Versions, day: date, zone: str) -> list[Charge]:
    """What a minimum's period around a day is made of, if nothing changes any more: one charge for all of it, or one
    for each amount that it has had; [] where none holds."""
    runs = [run for run in runs_of(timeline(subscription, versions, subscription.changes)) if run.least is run]
    run = next((r for r in reversed(runs) if r.start <= max(day, subscription.billed_from)), None)
    if run is None or (run.end is not None and run.end <= day):
        return []
    full = run.periods.period_at(max(day, run.start))
    part = _begun(run, full)
    every = charges_of(subscription, versions, subscription.changes, full.start, full.end, zone)
    return [charge for charge in every if charge.component_id == MINIMUM and charge.part == part]


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
        _leave_what_moved(due)
    charges = [_revised(subscription, charge, times) for charge, times in due.items() if times]
    return sorted(charges, key=_as_listed)


def _leave_what_moved(due: Counter[Charge]) -> None:
    """What is billed, and by what is now known fell due on another day, is neither taken back nor charged again."""
    taken_back = {_on_any_day(charge): charge for charge, times in due.items() if times < 0}
    for charge in [c for c, times in due.items() if times > 0] if taken_back else ():
        billed = taken_back.pop(_on_any_day(charge), None)
        if billed is not None:
            due[charge] -= 1
            due[billed] += 1


def _on_any_day(charge: Charge) -> Charge:
    return replace(charge, period=replace(charge.period, boundary=date.max))


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
        if run.component.id != MINIMUM:
            continue
        last = as_of if run.end is None else run.end if run.end_at else run.end - _DAY
        if not run.closes:
            yield run.periods.period_at(max(last, run.start)).end
        if not run.closes or as_of < last:
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
