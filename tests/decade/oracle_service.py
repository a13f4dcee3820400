"""One subscription lived through day by day: what each day puts on the bill.

An auditor's diary, not a formula: on every day periods end, changes take hold, periods begin; each of these writes an
entry with the day on which it falls due. Whatever the diary holds that was not billed is to be billed; whatever was
billed and is no longer in it (for a change came late, and the days were lived through again) is to be given back.
Nothing here is taken from Saldo's rules. Sources: SUB-3, SUB-4, docs/quote.md ("Subscriptions and changes"),
subscriptions/README.md, decision 0013.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from fractions import Fraction
from typing import NamedTuple

from saldo.catalog.model import ChargeKind, Component, CutShort, DayCount, PlanVersion, Timing
from saldo.subscriptions.model import Alignment, Change, ChangeKind, CreditRule, Subscription
from tests.decade.oracle_calendar import DAY, Cycle, cycle_around, cycles_before, in_cycles

MINIMUM = "minimum"
_KINDS = list(ChangeKind)
_SNAPSHOT_DAYS = 45


class Lived(NamedTuple):
    """What of a cycle was lived through on terms that look back at it: `[start, end)` of the full one."""

    start: date
    end: date
    full: tuple[date, date]
    start_at: datetime | None


class Entry(NamedTuple):
    """One charge (sign 1) or credit (-1) of a component for `[start, end)`, or from and to a moment of these days. It
    is the same charge on whichever day it falls due."""

    subscription_id: str
    due: date
    version_id: str
    component_id: str
    timing: Timing
    start: date
    end: date
    full: tuple[date, date]
    start_at: datetime | None
    end_at: datetime | None
    quantity: Fraction | None
    sign: int
    cycle: int
    part: tuple[date, datetime | None] | None  # from when the minimum holds that this counts towards
    of: Entry | None = None  # of a credit: the charge that it gives back a part of
    earlier: tuple[Lived, ...] = ()  # the cycles before, where its price depends on what was used in them

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entry) and self[:1] + self[2:] == other[:1] + other[2:]

    def __hash__(self) -> int:
        return hash(self[:1] + self[2:])


@dataclass
class Terms:
    """What holds today."""

    version: PlanVersion
    quantities: dict[str, Fraction]
    cycle: Cycle
    running: bool = True
    ended: bool = False


class Pool(NamedTuple):
    """Cycles that a minimum is for together: when the first of them began, and since when (moment and all) it holds."""

    begun: date
    since: date
    since_at: datetime | None


def minimum_of(version: PlanVersion) -> tuple[object, ...] | None:
    """What a plan costs at least, and how that is taxed: under another minimum nothing runs on."""
    first = first_counted(version)
    taxed = first.tax_category, first.revenue_tag, first.tax_inclusive
    return None if version.minimum is None else (version.minimum, *taxed)


def first_counted(version: PlanVersion) -> Component:
    """Whose taxes the plan's minimum bears: the first charge that it looks at, be there one."""
    named = version.minimum.components if version.minimum else ()
    for component in version.components:
        if component.id in named or (not named and component.kind is not ChargeKind.ONE_TIME):
            return component
    return version.components[0]


def runs_under(version: PlanVersion) -> tuple[object, ...] | None:
    """The same for what is charged under it: a pool may get another amount, charges run on."""
    least = version.minimum
    if least is None or least.every is None:
        return minimum_of(version)
    return least.every, least.components, least.overage_factor


def cycles_in(version: PlanVersion) -> int:
    """How many cycles a period of the plan's minimum is, counted in months or in days."""
    least = version.minimum
    if least is None or least.every is None:
        return 1
    return in_cycles(least.every.unit.value, least.every.count, (version.cycle_unit.value, version.cycle_count))


def is_owed_whole(version: PlanVersion) -> bool:
    return version.minimum is not None and version.minimum.cut_short is CutShort.WHOLE


def looks_back(component: Component) -> bool:
    """Whether its tiers go on over several cycles, or what is left of its allowance does."""
    return component.cumulates is not None or getattr(component.price, "rollover", None) is not None


@dataclass
class Stretch:
    """A component that has run on equal terms since a day, and the piece of its present period that it is in."""

    component: Component | None  # None: the minimum of the plan
    version: PlanVersion
    quantity: Fraction | None
    cycle: Cycle
    since_at: datetime | None
    first: bool
    begins_period: bool = True
    start: date = date.min
    start_at: datetime | None = None
    end: date = date.min
    spent: bool = False
    most: Fraction | None = None  # of what is never prorated, the most there was of it in this period
    charged: Entry | None = None  # what was charged ahead for the present period
    pool: Pool | None = None  # of a minimum
    lived: tuple[Lived, ...] = ()  # its cycles so far, where what they used counts for those after them

    def live(self) -> None:
        """A cycle has been lived through. What adds up over several begins anew when so many are full."""
        if self.component is None or not looks_back(self.component):
            return
        self.lived += (Lived(self.start, self.end, cycle_around(self.cycle, self.start), self.start_at),)
        together = self.component.cumulates
        if together and len(self.lived) == in_cycles(together.unit.value, together.count, self.cycle[:2]):
            self.lived = ()

    def period_around(self, day: date) -> tuple[date, date, int]:
        """The period that a day is in, and how many of a minimum's were before it: cycle after cycle is struck off."""
        if self.pool is None:
            return *cycle_around(self.cycle, day), 0
        begun, n = self.pool.begun, 0
        while True:
            end = begun
            for _ in range(cycles_in(self.version)):
                end = cycle_around(self.cycle, end)[1]
            if day < end:
                return begun, end, n
            begun, n = end, n + 1

    @property
    def id(self) -> str:
        return self.component.id if self.component else MINIMUM

    @property
    def timing(self) -> Timing:
        return self.component.timing if self.component else Timing.ARREARS

    @property
    def once(self) -> bool:
        return self.component is not None and self.component.kind is ChargeKind.ONE_TIME

    def grows(self, other: Stretch) -> bool:
        """Only the quantity differs, of a charge that is never prorated: it is charged once for the most of it."""
        whole = self.component is not None and self.component.kind is ChargeKind.FIXED and not self.component.prorate
        return whole and not self.begins_period and self.alike(replace(other, quantity=self.quantity))

    def alike(self, other: Stretch) -> bool:
        mine = self.component, self.quantity, self.cycle, self.version.rounding, self.version.day_count
        theirs = other.component, other.quantity, other.cycle, other.version.rounding, other.version.day_count
        under = minimum_of if self.component is None else runs_under
        return mine == theirs and under(self.version) == under(other.version)


@dataclass
class State:
    """Where the diary stands in the morning of `day`."""

    day: date
    terms: Terms
    open: dict[str, Stretch] = field(default_factory=dict)
    seen: frozenset[str] = frozenset()
    parked: tuple[Change, ...] = ()
    over: bool = False
    written: int = 0
    pools: dict[tuple[Cycle, int], Pool] = field(default_factory=dict)
    leaving: tuple[Change, ...] = ()  # cancellations that wait for the end of a term
    waiting: tuple[Entry, ...] = ()  # what ran up on terms that are over, in a period that is not
    held: Cycle | None = None  # the cycle until the last change

    def kept(self) -> State:
        """A copy that later days do not touch."""
        terms = copy(self.terms)
        terms.quantities = dict(terms.quantities)
        return State(
            self.day,
            terms,
            {k: copy(s) for k, s in self.open.items()},
            self.seen,
            self.parked,
            self.over,
            self.written,
            dict(self.pools),
            self.leaving,
            self.waiting,
            self.held,
        )


def order_of(change: Change) -> tuple[date, bool, datetime | None, int, bool, str]:
    """Changes of a day by their moment (those without one first), kind, settings before additions, id."""
    at = change.effective_at
    return change.effective_on, at is not None, at, _KINDS.index(change.kind), bool(change.added), change.id


class Diary:
    """The days of one subscription, all changes known so far in their places."""

    def __init__(self, sold: Subscription, versions: Mapping[str, PlanVersion], zone: str) -> None:
        self.sold, self.versions, self.zone = sold, versions, zone
        self.first_day = sold.trial_end_on or sold.started_on
        self.changes: list[Change] = []
        self.entries: list[Entry] = []
        self.outstanding: Counter[Entry] = Counter()
        version = versions[sold.plan_version_id]
        quantities = {name: Fraction(q) for name, q in sold.quantities.items()}
        self.state = State(self.first_day, Terms(version, quantities, self._cycle(version, sold.anchor_on)))
        self._snapshots = [self.state.kept()]

    def _cycle(self, version: PlanVersion, anchor: date) -> Cycle:
        unit = version.cycle_unit.value
        if self.sold.alignment is Alignment.CALENDAR and unit != "day":
            anchor = date(2000, 1, 3) if unit == "week" else date(2000, 1, 1)
        return unit, version.cycle_count, anchor

    def learn(self, change: Change) -> None:
        """Put a change in its place; the days from it on are lived through again."""
        self.changes = sorted([*self.changes, change], key=order_of)
        if change.effective_on < self.state.day:
            self._back_to(max(change.effective_on, self.first_day))

    def _back_to(self, day: date) -> None:
        while len(self._snapshots) > 1 and self._snapshots[-1].day > day:
            self._snapshots.pop()
        self.state = self._snapshots[-1].kept()
        for entry in self.entries[self.state.written :]:
            self.outstanding[entry] -= 1
        del self.entries[self.state.written :]

    def through(self, day: date) -> None:
        """Live through all days up to and including this one."""
        while self.state.day <= day and not self.state.over:
            if (self.state.day - self._snapshots[-1].day).days >= _SNAPSHOT_DAYS:
                self._snapshots.append(self.state.kept())
            self._live()
            self.state.day += DAY

    def due(self, day: date) -> list[tuple[Entry, int]]:
        """What is to be billed (1) or given back (-1) by a run on this day."""
        self.through(day)
        return [(e, n) for e, n in self.outstanding.items() if n and (n < 0 or e.due <= day)]

    def settle(self, due: list[tuple[Entry, int]]) -> None:
        """These are on an invoice now."""
        for entry, times in due:
            self.outstanding[entry] -= times
            if not self.outstanding[entry]:
                del self.outstanding[entry]

    @property
    def finished(self) -> bool:
        """Nothing will ever be billed again."""
        return self.state.over and not any(self.outstanding.values())

    def _live(self) -> None:
        day = self.state.day
        self._post_what_waits(day, False)
        if self.sold.cancelled_on is not None and day >= self.sold.cancelled_on:
            for stretch in self.state.open.values():
                self._end_period(stretch, day)
            self.state.over = True
            return
        for stretch in self.state.open.values():
            if stretch.end == day:
                self._end_period(stretch, day)
        if day == self.first_day and not self._changes_at_once():
            self._adopt(day, None, False)
        for moment, changes in self._steps(day):
            if moment is not None:
                self._begin_periods(day)
            self._adopt(day, moment, any(c.credit is CreditRule.WHOLE for c in changes))
        self._begin_periods(day)
        self.state.over = self.state.terms.ended

    def _steps(self, day: date) -> Iterator[tuple[datetime | None, list[Change]]]:
        """The changes of a day in groups that hold from the same moment, applied to the terms as they are handed out.

        A change that gives nothing back waits for the next day on which a period begins, and joins those of that day.
        """
        now, morning, begun = self.state, self.state.terms.cycle, self._begins(day)
        queue = [c for c in self.changes if max(c.effective_on, self.first_day) == day]
        ripe = [change for change in now.leaving if change.effective_on == day]
        queue = sorted([*queue, *ripe], key=order_of)
        if begun:
            queue = self._joined(queue, day, None)
        moment, group = None, list[Change]()
        while queue and not now.terms.ended:
            change = queue.pop(0)
            at = self._moment(change, day)
            begins = begun or now.terms.cycle != morning
            if self._ends_a_term(change):
                end = self._term_end(change.effective_on)
                now.leaving += (replace(change, effective_on=end, effective_at=None, credit=CreditRule.UNUSED),)
                continue
            if change.credit is CreditRule.NONE and day > self.first_day and (at is not None or not begins):
                now.parked += (change,)
                continue
            if group and at != moment:
                yield moment, group
                group = []
            moment, before = at, now.terms.cycle
            self._apply(change, day)
            group.append(change)
            if now.terms.cycle != before:
                queue = self._joined(queue, day, change.effective_at)
        if group:
            yield moment, group

    def _ends_a_term(self, change: Change) -> bool:
        """Whether it waits for the end of a term, whatever else begins or ends before."""
        waits = change.kind is ChangeKind.CANCEL and change.credit is CreditRule.NONE
        return waits and self.sold.term is not None

    def _term_end(self, on: date) -> date:
        """For when a cancellation of this day is: terms are struck off until one ends that it is in time for."""
        term, version = self.sold.term, self.versions[self.sold.plan_version_id]
        assert term is not None
        cycle = self._cycle(version, self.sold.anchor_on)
        many = in_cycles(term.length.unit.value, term.length.count, cycle[:2])
        end = cycle_around(cycle, self.first_day)[0]
        while end - max(term.notice_days, 1) * DAY < on or end <= self.first_day:
            for _ in range(many):
                end = cycle_around(cycle, end)[1]
        return end

    def _changes_at_once(self) -> bool:
        """Whether the first day that costs something begins on changed terms."""
        early = [c for c in self.changes if c.effective_on <= self.first_day and not self._ends_a_term(c)]
        return bool(early) and self._moment(early[0], self.first_day) is None

    def _joined(self, queue: list[Change], day: date, at: datetime | None) -> list[Change]:
        """The changes to come with those that waited among them."""
        ripe = [replace(c, effective_on=day, effective_at=at, credit=CreditRule.UNUSED) for c in self.state.parked]
        self.state.parked = ()
        return sorted([*queue, *ripe], key=order_of)

    def _begins(self, day: date) -> bool:
        return cycle_around(self.state.terms.cycle, day)[0] == day

    def _moment(self, change: Change, day: date) -> datetime | None:
        """Only plans that count seconds know of moments, and a change during the trial holds from its end."""
        by_second = self.state.terms.version.day_count is DayCount.SECOND
        return change.effective_at if by_second and change.effective_on == day else None

    def _apply(self, change: Change, day: date) -> None:
        terms = self.state.terms
        if change.only_from not in ("", terms.version.id):
            return
        if change.kind is ChangeKind.PLAN:
            version = self.versions[change.plan_version_id]
            if (version.cycle_unit.value, version.cycle_count) != terms.cycle[:2]:
                terms.cycle = self._cycle(version, day)
            terms.version = version
        for name, quantity in change.quantities.items():
            terms.quantities[name] = Fraction(quantity)
        for name, more in change.added.items():
            terms.quantities[name] = max(terms.quantities.get(name, Fraction(1)) + Fraction(more), Fraction(0))
        if change.kind is ChangeKind.PAUSE:
            terms.running = False
        if change.kind is ChangeKind.RESUME:
            terms.running = True
        if change.kind is ChangeKind.CANCEL:
            terms.running, terms.ended = False, True
        if change.reset_cycle and self.sold.alignment is Alignment.ANNIVERSARY:
            terms.cycle = (*terms.cycle[:2], day)

    def _adopt(self, day: date, moment: datetime | None, whole: bool) -> None:
        """Hold what runs against today's terms: what is alike goes on, the rest ends, what is new begins."""
        now, terms = self.state, self.state.terms
        self._post_what_waits(day, terms.ended or terms.cycle != (now.held or terms.cycle))
        now.held = terms.cycle
        wanted = {s.id: s for s in self._wanted(moment)}
        for name, stretch in list(now.open.items()):
            other = wanted.get(name)
            if other is not None and (stretch.alike(other) or stretch.grows(other)):
                wanted[name] = stretch
                if not stretch.alike(other):
                    self._grow(stretch, other, day, moment)
            else:
                instead = name in wanted
                self._end(stretch, day, moment, whole, terms.ended or terms.cycle != stretch.cycle, instead)
        least = wanted.get(MINIMUM)
        if least is not None and least.pool is None:
            begun = Pool(cycle_around(least.cycle, day)[0], day, moment)
            least.pool = now.pools.setdefault((least.cycle, cycles_in(least.version)), begun)
        now.open = wanted

    def _wanted(self, moment: datetime | None) -> Iterator[Stretch]:
        terms = self.state.terms
        goes_on = is_owed_whole(terms.version) and not terms.ended
        if not terms.running and not goes_on:
            return
        if terms.version.minimum is not None:
            yield Stretch(None, terms.version, None, terms.cycle, moment, True)
        for component in terms.version.components if terms.running else ():
            usage = component.kind is ChargeKind.USAGE
            quantity = None if usage else terms.quantities.get(component.id, Fraction(1))
            first = component.id not in self.state.seen
            yield Stretch(component, terms.version, quantity, terms.cycle, moment, first)

    def _end(
        self, stretch: Stretch, day: date, moment: datetime | None, whole: bool, closes: bool, instead: bool
    ) -> None:
        """Terms end on a day; within a period, that leaves something to give back or to charge. instead: something
        of the same name begins."""
        if stretch.begins_period or (stretch.once and stretch.spent):
            return
        component = stretch.component
        if stretch.timing is Timing.ARREARS:
            owed_whole = component is None and is_owed_whole(stretch.version) and not instead
            until = (stretch.end, None) if owed_whole else (day, moment)
            entry = self._entry(stretch, day if closes else stretch.end, (stretch.start, stretch.start_at), until)
            if closes:
                self._post(entry)
            else:
                self.state.waiting += (entry,)
        elif component is not None and component.kind is ChargeKind.FIXED and component.prorate:
            begin = (stretch.start, stretch.start_at) if whole else (day, moment)
            self._post(self._entry(stretch, day, begin, (stretch.end, None), sign=-1, of=stretch.charged))

    def _post_what_waits(self, day: date, closes: bool) -> None:
        """What ran up is due when its period is over, or when the subscription or its cycle ends before."""
        waiting, self.state.waiting = self.state.waiting, ()
        for entry in waiting:
            if closes or entry.due <= day:
                self._post(entry._replace(due=min(entry.due, day)))
            else:
                self.state.waiting += (entry,)

    def _grow(self, stretch: Stretch, other: Stretch, day: date, moment: datetime | None) -> None:
        most = max(stretch.most or Fraction(0), other.quantity or Fraction(0))
        stretch.version = other.version
        if stretch.timing is Timing.ADVANCE and most != stretch.most:
            self._post(self._entry(stretch, day, (day, moment), (stretch.end, None), sign=-1, of=stretch.charged))
            stretch.most = most
            stretch.charged = self._post(self._entry(stretch, day, (day, moment), (stretch.end, None)))
        stretch.quantity, stretch.most = other.quantity, most
        if stretch.timing is Timing.ARREARS:
            stretch.start, stretch.start_at = day, moment

    def _end_period(self, stretch: Stretch, day: date) -> None:
        """A period has been lived through whole."""
        if stretch.timing is Timing.ARREARS and not stretch.spent:
            self._post(self._entry(stretch, day, (stretch.start, stretch.start_at), (day, None)))
        stretch.live()
        stretch.begins_period, stretch.spent = True, stretch.once

    def _begin_periods(self, day: date) -> None:
        limit = self.sold.cancelled_on
        for stretch in self.state.open.values():
            if not stretch.begins_period:
                continue
            stretch.spent = stretch.once and (stretch.spent or not stretch.first)
            _, following, _ = stretch.period_around(day)
            stretch.start, stretch.start_at, stretch.since_at = day, stretch.since_at, None
            stretch.end = following if limit is None else min(following, limit)
            stretch.begins_period, stretch.most = False, stretch.quantity
            self.state.seen |= {stretch.id}
            if stretch.timing is Timing.ADVANCE and not stretch.spent:
                stretch.charged = self._post(self._entry(stretch, day, (day, stretch.start_at), (stretch.end, None)))

    def _part(self, stretch: Stretch) -> tuple[date, datetime | None] | None:
        """The minimum that runs is for its days in this period: since then, what is charged for them counts. A pool is
        for all of the period, or since it first began in it."""
        least = self.state.open.get(MINIMUM)
        minimum = None if least is None else least.version.minimum
        if least is None or minimum is None or least.pool is None:
            return None
        chosen = stretch.id in minimum.components if minimum.components else not stretch.once
        if stretch.component is not None and not chosen:
            return None
        if minimum.every is None:
            return least.start, least.start_at
        begun, _, _ = least.period_around(least.start)
        return (least.pool.since, least.pool.since_at) if begun <= least.pool.since else (begun, None)

    def _entry(
        self,
        stretch: Stretch,
        due: date,
        begin: tuple[date, datetime | None],
        end: tuple[date, datetime | None],
        sign: int = 1,
        of: Entry | None = None,
    ) -> Entry:
        around = stretch.period_around(stretch.start)
        before = around[2] if stretch.pool else cycles_before(stretch.cycle, self.first_day, begin[0])
        return Entry(
            self.sold.id,
            due,
            stretch.version.id,
            stretch.id,
            stretch.timing,
            begin[0],
            end[0],
            around[:2],
            begin[1],
            end[1],
            stretch.most,
            sign,
            before,
            self._part(stretch),
            of,
            stretch.lived,
        )

    def _post(self, entry: Entry) -> Entry:
        version = self.versions[entry.version_id]
        kind = next((c.kind for c in version.components if c.id == entry.component_id), None)
        if entry.start == entry.end and kind is ChargeKind.USAGE:
            return entry  # usage is counted by days, and this day is the next terms'
        self.entries.append(entry)
        self.outstanding[entry] += 1
        if not self.outstanding[entry]:
            del self.outstanding[entry]
        self.state.written = len(self.entries)
        return entry
