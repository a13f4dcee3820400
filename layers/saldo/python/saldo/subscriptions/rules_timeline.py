"""The terms of a subscription over time, as the set of its changes makes them. No clock, no I/O."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal

from saldo.catalog.model import DayCount, PlanVersion
from saldo.kernel.errors import Refusal
from saldo.kernel.exact import ONE, ZERO, plus
from saldo.kernel.periods import Cycle
from saldo.subscriptions.model import Alignment, Change, ChangeKind, CreditRule, Subscription
from saldo.subscriptions.rules import cycle_of
from saldo.subscriptions.rules_terms import cancelled_from

_RANK = {kind: n for n, kind in enumerate(ChangeKind)}
_START_OF_DAY = datetime.min.replace(tzinfo=UTC)
Versions = Mapping[str, PlanVersion]
_Row = tuple[date, datetime, int, bool, str, Change]


def _key(change: Change) -> tuple[date, datetime, int, bool, str]:
    return change.effective_on, change.effective_at or _START_OF_DAY, _RANK[change.kind], bool(change.added), change.id


def in_order(changes: Iterable[Change]) -> tuple[Change, ...]:
    """The one order of a set of changes: by day and moment, then kind, then settings before additions, then id."""
    return tuple(sorted(changes, key=_key))


@dataclass(slots=True)
class Terms:
    """What holds from a day on, until the next terms begin. `whole`: periods paid ahead are then credited whole."""

    start: date
    version: PlanVersion
    quantities: dict[str, Decimal]
    cycle: Cycle
    running: bool = True
    ended: bool = False
    start_at: datetime | None = None
    end: date | None = None
    end_at: datetime | None = None
    whole: bool = False


def timeline(subscription: Subscription, versions: Versions, changes: Iterable[Change]) -> list[Terms]:
    """The terms one after the other, without gap, from the first day that costs something; the last have no end.

    Changes of one moment make one step. Refusal `plan_version_missing` for a plan version that is not there.
    """
    first = version_of(versions, subscription.plan_version_id)
    now = Terms(subscription.billed_from, first, dict(subscription.quantities), cycle_of(subscription, first))
    found = [now]
    waiting = [(*_key(c), c) for c in in_order(changes)]
    deferred = set[str]()
    while waiting and not found[-1].ended:
        change, cycle = waiting.pop(0)[-1], found[-1].cycle
        if change.kind is ChangeKind.RENEW:
            waiting = [row for row in waiting if not _is_withdrawn(row[-1], change, deferred)]
            continue
        later = _waits_until(subscription, first, found, change)
        if later is not None:
            deferred.add(change.id)
            _postpone(waiting, change, later, None)
            continue
        _step(subscription, versions, found, change)
        if found[-1].cycle != cycle:  # a period begins here: what waited for one need not wait longer
            waited = [row[-1] for row in waiting if _waits_for_a_period(subscription, row[-1], deferred)]
            waiting = [row for row in waiting if not _waits_for_a_period(subscription, row[-1], deferred)]
            for other in waited:
                _postpone(waiting, other, change.effective_on, change.effective_at)
    return found


def _waits_for_a_period(subscription: Subscription, change: Change, deferred: set[str]) -> bool:
    """Whether it waits for the next period, whichever begins; the cancellation of what is sold for a term does not."""
    for_its_term = change.kind is ChangeKind.CANCEL and subscription.term is not None
    return change.id in deferred and not for_its_term


def _is_withdrawn(other: Change, renewal: Change, deferred: set[str]) -> bool:
    """Whether a renewal takes this back: a cancellation that waits for its boundary, or is of the same day."""
    same_day = other.effective_on == renewal.effective_on
    return other.kind is ChangeKind.CANCEL and (same_day or other.id in deferred)


def _waits_until(subscription: Subscription, sold: PlanVersion, found: Sequence[Terms], change: Change) -> date | None:
    """The boundary that a change without credit waits for (a cancellation of what is sold for a term: the end of that);
    None when a period begins on its day anyway.

    Whether one does is asked of the terms of the morning, so that no other change of the day can hide it.
    """
    on, now = change.effective_on, found[-1]
    if change.credit is not CreditRule.NONE:
        return None
    if change.kind is ChangeKind.CANCEL and subscription.term is not None:
        ends = cancelled_from(subscription, sold, on)
        return None if on == ends else ends
    if on <= subscription.billed_from:
        return None
    morning = next(terms for terms in reversed(found) if terms.start < on)
    within_day = change.effective_at is not None and now.version.day_count is DayCount.SECOND
    begins = morning.cycle.period_at(on).start == on or now.cycle != morning.cycle
    return None if begins and not within_day else now.cycle.period_at(on).end


def _postpone(waiting: list[_Row], change: Change, on: date, at: datetime | None) -> None:
    later = replace(change, effective_on=on, effective_at=at, credit=CreditRule.UNUSED)
    insort(waiting, (*_key(later), later), key=lambda row: row[:-1])


def _step(subscription: Subscription, versions: Versions, found: list[Terms], change: Change) -> None:
    now = found[-1]
    on = max(change.effective_on, subscription.billed_from)
    in_trial = change.effective_on < subscription.billed_from  # it holds from the first moment that costs something
    at = change.effective_at if now.version.day_count is DayCount.SECOND and not in_trial else None
    if (on, at) != (now.start, now.start_at) and (on > now.start or at is not None):
        now.end, now.end_at = on, at
        now = replace(now, start=on, start_at=at, end=None, end_at=None, quantities=dict(now.quantities), whole=False)
        found.append(now)
    _apply(subscription, versions, now, change)


def _apply(subscription: Subscription, versions: Versions, now: Terms, change: Change) -> None:
    if change.only_from not in ("", now.version.id):
        return
    now.whole = now.whole or change.credit is CreditRule.WHOLE
    if change.kind is ChangeKind.PLAN:
        _move_plan(subscription, now, version_of(versions, change.plan_version_id))
    now.quantities.update(change.quantities)
    for name, more in change.added.items():
        now.quantities[name] = max(plus(now.quantities.get(name, ONE), more), ZERO)
    if change.kind in (ChangeKind.PAUSE, ChangeKind.RESUME):
        now.running = change.kind is ChangeKind.RESUME
    if change.kind is ChangeKind.CANCEL:
        now.running, now.ended = False, True
    if change.reset_cycle and subscription.alignment is Alignment.ANNIVERSARY:
        now.cycle = replace(now.cycle, anchor=now.start)


def _move_plan(subscription: Subscription, now: Terms, version: PlanVersion) -> None:
    same_cycle = (version.cycle_unit, version.cycle_count) == (now.cycle.unit, now.cycle.count)
    now.version = version
    if not same_cycle:
        now.cycle = cycle_of(replace(subscription, anchor_on=now.start), version)


def version_of(versions: Versions, version_id: str) -> PlanVersion:
    version = versions.get(version_id)
    if version is None:
        raise Refusal("plan_version_missing", f"{version_id} is not in the catalog")
    return version
