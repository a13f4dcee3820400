"""The terms of a subscription component by component: runs of equal terms, and the minimum that each counts towards.

No clock, no I/O.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from saldo.catalog.model import MINIMUM, ChargeKind, Component, CutShort, PercentOf, PlanVersion
from saldo.kernel.exact import ONE
from saldo.kernel.periods import Cycle
from saldo.subscriptions.rules_timeline import Terms


@dataclass(slots=True)
class Run:
    """A component on equal terms over days without a gap. `closed_on`: the day on which the subscription ends or begins
    another cycle; what ran up is billed then at the latest. `whole`: the period that it ends in is credited whole.
    `paid`: of a charge that is never prorated, the quantity that the period it begins in is charged for already, and
    `paid_by` the run that was charged for it. `grows_into`: it is followed by a run that takes its charge over.
    `least`: the minimum that holds, and moves, with it; `tally`: one of those that are for a cycle, which all hold as
    long, likewise.
    `periods`: by which it is charged: its cycle, or what a minimum spans of it. `since`, `since_at`: from when on a
    minimum is one for them, through changes of it and pauses. `owed_whole`: the period it ends in is owed whole."""

    component: Component
    version: PlanVersion
    quantity: Decimal | None
    cycle: Cycle
    start: date
    start_at: datetime | None
    begins: bool
    end: date | None = None
    end_at: datetime | None = None
    closed_on: date | None = None
    whole: bool = False
    paid: Decimal | None = None
    paid_by: Run | None = None
    grows_into: bool = False
    least: Run | None = None
    tally: Run | None = None
    periods: Cycle = field(init=False)
    since: date = field(init=False)
    since_at: datetime | None = field(init=False)
    owed_whole: bool = False

    def __post_init__(self) -> None:
        self.periods, self.since, self.since_at = self.cycle, self.start, self.start_at

    def due_by(self, end: date) -> date:
        """When what ran up in a period that ends on this day is billed."""
        return end if self.closed_on is None else min(end, self.closed_on)

    @property
    def closes(self) -> bool:
        """What ran up is billed on the day it ends."""
        return self.closed_on is not None and self.closed_on == self.end


@dataclass(slots=True)
class _Runs:
    open: dict[str, Run] = field(default_factory=dict)
    unclosed: list[Run] = field(default_factory=list)
    all: list[Run] = field(default_factory=list)
    minimums: dict[tuple[Cycle, int], Run] = field(default_factory=dict)

    def begin(self, run: Run, least: Run | None, tally: Run | None) -> Run:
        """least, tally: those that hold with it, which it is told where it moves them: what moves none is not billed
        anew where they begin on another day. A minimum counts its periods on from where the first of as many cycles
        began."""
        moved = run.version.moved_by(run.component)
        run.least = least if MINIMUM in moved else None
        run.tally = tally if moved - {MINIMUM} else None
        if any(run.component.id == one.id for one in run.version.by_cycle):
            run.tally = tally or run
        if run.component.id == MINIMUM:
            run.least, span = run, run.version.minimum_cycles
            first = self.minimums.setdefault((run.cycle, span), run)
            run.periods = run.cycle.times(span, first.start)
            if run.version.pools_minimum:
                run.since, run.since_at = first.start, first.start_at
        self.all.append(run)
        self.unclosed.append(run)
        return run

    def close(self, on: date) -> None:
        """Also of runs that a change ended earlier: their period is over too."""
        for run in self.unclosed:
            run.closed_on = on
        self.unclosed.clear()


def runs_of(terms: Sequence[Terms]) -> list[Run]:
    """The timeline component by component; a component that a change leaves alone runs on, under the same minimum."""
    runs, seen = _Runs(), set[str]()
    for i, now in enumerate(terms):
        if i and (now.ended or now.cycle != terms[i - 1].cycle):
            runs.close(now.start)
        components, by_cycle = _charged(now), now.version.by_cycle
        kept: dict[str, Run] = {}
        for component in components:
            counted = component.kind is ChargeKind.USAGE or now.version.is_tally(component.id)
            quantity = None if counted else now.quantities.get(component.id, ONE)
            going = runs.open.get(component.id)
            if going is None or not _goes_on(going, component, quantity, now):
                begins = i == 0 or component.id not in seen
                by = None if going is None else _paid_by(going, component, now)
                going = Run(component, now.version, quantity, now.cycle, now.start, now.start_at, begins, paid_by=by)
                going.paid = None if by is None else by.quantity
                runs.begin(going, kept.get(MINIMUM), kept.get(by_cycle[0].id) if by_cycle else None)
            seen.add(component.id)
            kept[component.id] = going
        for component_id, ended in runs.open.items():
            if kept.get(component_id) is not ended:
                ended.end, ended.end_at = now.start, now.start_at
                ended.whole = now.whole
                ended.owed_whole = component_id not in kept
        runs.open = kept
    return runs.all


def _charged(now: Terms) -> tuple[Component, ...]:
    """The tallies first, so that what counts towards them finds them; a minimum that is owed whole goes on while
    paused."""
    version = now.version
    if now.running:
        return (*version.tallies, *(c for c in version.components if not isinstance(c.price, PercentOf)))
    goes_on = version.minimum is not None and version.minimum.cut_short is CutShort.WHOLE and not now.ended
    return version.tallies[:1] if goes_on else ()


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
    """What of its tallies must stay for charges to run on: all of them, but of a minimum that is a pool its amount."""
    minimum, others = version.minimum, (version.maximum, version.by_cycle)
    if minimum is None or minimum.every is None:
        return minimum, version.least, *others
    return minimum.every, minimum.components, minimum.overage_factor, *others
