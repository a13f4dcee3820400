"""When a period of usage is billed, what comes late for it, and what becomes of that. No clock, no I/O.

An event is late when it was accepted after its window was counted for an invoice. Which events those are follows from
their places: the first so many of each month were known. Clocks play no part in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import chain, product

from saldo.accounts.model import Account
from saldo.kernel.exact import ZERO
from saldo.kernel.periods import Period
from saldo.usage.model import (
    NO_NEEDS,
    SUBSCRIPTION,
    Counted,
    LatePolicy,
    Meter,
    Needs,
    UsageDetail,
    UsageEvent,
    UsageKey,
    defined_id,
    own_id,
)
from saldo.usage.model_windows import Billed, Closings, Cutoff, Known, LateUsage, Reason, Terms, Window
from saldo.usage.rules import counted, counts

Months = Mapping[str, Sequence[UsageEvent]]  # an account's events of one name by UTC month, as they were accepted


def closes_at(meter: Meter, period: Period, zone: str) -> datetime:
    """The instant from which a period may be billed: its end and the meter's time of grace."""
    return period.instants(zone)[1] + timedelta(seconds=meter.grace_s)


def known_of(months: Months) -> Known:
    """All that is in these months, as a cut-off."""
    return {month: len(events) for month, events in sorted(months.items()) if events}


def until(months: Months, known: Known) -> list[UsageEvent]:
    """The events that were known; months in order, each as it was accepted."""
    return [event for month in sorted(months) for event in months[month][: known.get(month, 0)]]


def after(months: Months, known: Known) -> list[UsageEvent]:
    """The events that came later."""
    return [event for month in sorted(months) for event in months[month][known.get(month, 0) :]]


def arrivals_in(events: Iterable[UsageEvent], meter: Meter, period: Period, zone: str) -> int:
    """How many of these events happened in the window and count, corrected ones with their corrections."""
    start, end = period.instants(zone)
    return sum(1 for e in events if start <= e.at < end and counts(meter, e))


def count(months: Months, meter: Meter, period: Period, zone: str, needs: Needs = NO_NEEDS) -> tuple[Counted, Cutoff]:
    """What a window counted by all that is known, and how much that is."""
    known = known_of(months)
    events = until(months, known)
    return counted(events, meter, period, zone, needs), Cutoff(known, arrivals_in(events, meter, period, zone))


def count_as_billed(
    months: Months, meter: Meter, period: Period, zone: str, needs: Needs, window: Window | None
) -> tuple[Counted, Cutoff]:
    """By all that is known; for a window that is billed, by what was known when it was."""
    if window is None or window.is_withdrawn:
        return count(months, meter, period, zone, needs)
    return counted(until(months, window.known), meter, period, zone, needs), Cutoff(window.known, window.arrivals)


def closed(
    account: Account,
    key: UsageKey,
    terms: Terms,
    counted_then: tuple[Counted, Cutoff],
    *,
    on: date,
    invoice_id: str,
    before: Window | None = None,
) -> Window:
    """The window of a key as billed for the first time; or anew, where its charge is taken back and made on other terms
    (`before`: how it stood)."""
    (quantity, detail), cutoff = counted_then
    earlier = before.billed if before else ()
    arrivals = cutoff.arrivals - (before.arrivals if before else 0)
    reason = Reason.REPLACED if before else Reason.CLOSED
    billed = Billed(reason, on, invoice_id, quantity, arrivals, cutoff.known)
    meter_id = counted_as(key, detail)
    return Window(account.id, meter_id, key.period, account.time_zone, key.subscription_id, terms, (*earlier, billed))


def counted_as(key: UsageKey, detail: UsageDetail) -> str:
    """The id under which the meter of a key counts for it."""
    return own_id(key.meter_id, key.subscription_id) if detail.by_subscription else key.meter_id


def late_in(window: Window, meter: Meter, months: Months) -> LateUsage | None:
    """What became known of a billed window since; None where it counts as before and nothing of it came.

    months: all those of which the window knew, and those of its days.
    """
    if all(len(events) == window.known.get(month, 0) for month, events in months.items()):
        return None
    now, cutoff = count(months, meter, window.period, window.zone, window.terms.needs)
    billed = counted(until(months, window.known), meter, window.period, window.zone, window.terms.needs)
    arrivals = arrivals_in(after(months, window.known), meter, window.period, window.zone)
    return late_of(window, meter, now, billed, replace(cutoff, arrivals=arrivals))


def late_of(window: Window, meter: Meter, now: Counted, billed: Counted, cutoff: Cutoff) -> LateUsage | None:
    """What is late of a window that counts so now and was billed like that; cutoff.arrivals: events that came since."""
    if not cutoff.arrivals and now == billed:
        return None
    policy = LatePolicy.CARRY if meter.late is LatePolicy.REJECT else meter.late  # it is accepted; it may not be lost
    return LateUsage(window, policy, now, billed, cutoff)


def settled(late: LateUsage, *, on: date, invoice_id: str) -> Window:
    """The window once its late usage is billed (or corrected) by this invoice."""
    reason = Reason.CORRECTED if late.policy is LatePolicy.CORRECT else Reason.CARRIED
    billed = Billed(reason, on, invoice_id, late.now.quantity, late.cutoff.arrivals, late.cutoff.known)
    return replace(late.window, billed=(*late.window.billed, billed))


def withdrawn(window: Window, *, on: date, invoice_id: str) -> Window:
    """The window whose charge is taken back: its days are billed otherwise, or not at all."""
    billed = Billed(Reason.WITHDRAWN, on, invoice_id, ZERO, -window.arrivals, {})
    return replace(window, billed=(*window.billed, billed))


def standing(*groups: Iterable[Window]) -> tuple[Window, ...]:
    """Windows as they now stand, by meter and period: of several states of one, that which was billed most often."""
    found: dict[tuple[str, Period], Window] = {}
    for window in chain(*groups):
        key = window.meter_id, window.period
        if key not in found or len(found[key].billed) < len(window.billed):
            found[key] = window
    return tuple(found[key] for key in sorted(found, key=lambda key: (key[0], key[1].start, key[1].end)))


def latest(windows: Iterable[Window]) -> dict[str, Window]:
    """Each meter's latest of these windows.

    A withdrawn one stays where nothing later is billed: what was billed before its days is still known to be.
    """
    found: dict[str, Window] = {}
    for window in windows:
        best = found.get(window.meter_id)
        if best is None or _reach(best) <= _reach(window):
            found[window.meter_id] = window
    return found


def _reach(window: Window) -> tuple[date, bool]:
    return window.billed_until, not window.is_withdrawn


def ended_by(windows: Iterable[Window], before: Mapping[str, date]) -> dict[str, date]:
    """By meter, the day by which all its windows among these, and those that ended `before`, have ended."""
    found = dict(before)
    for window in windows:
        found[window.meter_id] = max(window.period.end, found.get(window.meter_id, date.min))
    return found


def may_be_put_away(closings: Closings, meter: Meter, period: Period) -> bool:
    """Whether a window that is not among those billed lately may have been billed all the same."""
    return period.start < closings.put_away.get(meter.id, date.min)


def meters_of_windows(windows: Iterable[Window], meters: Mapping[str, Meter]) -> dict[str, Meter]:
    """The meters that counted these windows, by the id that those have; none for a meter that is not among `meters`."""
    defined = {w.meter_id: (meters.get(defined_id(w.meter_id)), w.subscription_id) for w in windows}
    return {meter_id: meter.of_subscription(sold) for meter_id, (meter, sold) in defined.items() if meter is not None}


def windows_to_look_at(closings: Closings, windows: Iterable[Window], meters: Mapping[str, Meter]) -> list[Window]:
    """Of all windows of an account those of which something may have come late: each meter's latest, for what came
    while it was billed, and those in or (for a level that goes on) after a month that is told of. By meter and period,
    as an invoice has them: of two that count towards one minimum the earlier is set off first."""
    found, last_of = [], latest(closings.windows)
    for window in windows:
        meter = meters.get(window.meter_id)
        if meter is None or window.is_withdrawn or window == last_of.get(window.meter_id):
            continue
        told = [month for name, month in closings.late if name == meter.event_name]
        if not told:
            continue
        first, last = _months_of(window)
        if any(month <= last and (meter.carries or month >= first) for month in told):
            found.append(window)
    found += (w for w in last_of.values() if w.meter_id in meters and not w.is_withdrawn)
    return sorted(found, key=lambda window: (window.meter_id, window.period.start, window.period.end))


def _months_of(window: Window) -> tuple[str, str]:
    start, end = window.period.instants(window.zone)
    return f"{start:%Y%m}", f"{end - timedelta(microseconds=1):%Y%m}"


def policy_for(
    versions: Iterable[UsageEvent], meters: Sequence[Meter], closed_at: Mapping[str, datetime]
) -> LatePolicy | None:
    """What becomes of an event that comes now: None when it is in time; REJECT when one of its meters has it so.

    versions: the event and, where it corrects one, what it said before: whatever counted it counts less. closed_at: by
    meter, the end of its latest billed window.
    """
    found: LatePolicy | None = None
    for event, defined in product(versions, meters):
        meter = defined.of_subscription(event.properties.get(SUBSCRIPTION, ""))
        end = closed_at.get(meter.id)
        if end is not None and event.at < end and counts(meter, event):
            if meter.late is LatePolicy.REJECT:
                return LatePolicy.REJECT
            found = meter.late
    return found
