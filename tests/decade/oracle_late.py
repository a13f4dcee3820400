"""Usage as it was billed, and what came late for it. Sources: USE-4, usage/README.md ("Meters"), decision 0016.

A window is a metered charge's days. What it was billed for is kept by how many events had come by then; what came later
is asked for (or given back) with the account's next invoice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from saldo.usage.model import LatePolicy, Meter, UsageEvent
from tests.decade.oracle_calendar import midnight
from tests.decade.oracle_prices import Used
from tests.decade.oracle_service import Entry
from tests.decade.oracle_usage import first_of_each, used_in

Days = tuple[date, date]
Bounds = tuple[int, Fraction, Fraction | None, Fraction]


@dataclass
class Window:
    """A window as it was last billed: by so many events, for so much."""

    meter: Meter
    dimensions: tuple[str, ...]
    used: Used
    known: int
    minor: int


class Windows:
    """One account's events in the order in which they came, and its billed windows."""

    def __init__(self, zone: str) -> None:
        self.zone = zone
        self.events: dict[str, list[UsageEvent]] = {}
        self.billed: dict[Entry, Window] = {}
        self.touched: set[Entry] = set()

    def learn(self, event: UsageEvent) -> None:
        there = self.events.setdefault(event.meter_id, [])
        if any((e.source, e.id) == (event.source, event.id) for e in there):
            return
        there.append(event)
        for entry, window in self.billed.items():
            if window.meter.event_name == event.meter_id and self._concerns(event, entry, window.meter):
                self.touched.add(entry)

    def _concerns(self, event: UsageEvent, entry: Entry, meter: Meter) -> bool:
        if not is_of(entry, meter, event):
            return False
        before_end = event.at < midnight(entry.end, self.zone)
        return before_end and (meter.carries or event.at >= midnight(entry.start, self.zone))

    def count(self, entry: Entry, window: Window, known: int) -> Used:
        used = window.used
        bounds = used.cycle, used.part, used.before, used.rolled
        return self.used_in(entry, window.meter, (entry.start, entry.end), known, window.dimensions, bounds)

    def used_in(
        self, entry: Entry, meter: Meter, days: Days, known: int, dimensions: tuple[str, ...], bounds: Bounds
    ) -> Used:
        """What a meter counted for an entry in these days, by the first so many events."""
        events = self.events.get(meter.event_name, [])[:known]
        events = [event for event in events if is_of(entry, meter, event)]
        return used_in(events, meter, days, self.zone, dimensions, bounds)

    def all_known(self, meter: Meter) -> int:
        return len(self.events.get(meter.event_name, []))

    def bill(self, entry: Entry, window: Window) -> None:
        """Billed by what is known; what else had come is late from now on."""
        self.billed[entry] = window
        later = self.events.get(window.meter.event_name, [])[window.known :]
        if any(self._concerns(event, entry, window.meter) for event in later):
            self.touched.add(entry)

    def counts_since(self, entry: Entry) -> frozenset[Fraction]:
        """What a billed window counts with the late events that came for it, up to any of them."""
        if entry not in self.touched:
            return frozenset()
        window = self.billed[entry]
        known = range(window.known + 1, self.all_known(window.meter) + 1)
        return frozenset(self.count(entry, window, by).quantity for by in known)

    def take_back(self, entry: Entry) -> Window:
        self.touched.discard(entry)
        return self.billed.pop(entry)

    def came_late(self, not_now: Sequence[tuple[tuple[str, str], Days]]) -> Iterator[tuple[Entry, Window, Used, bool]]:
        """Windows with events that came after they were billed, with all that is used in them now, and whether they
        are corrected (otherwise carried). not_now: meters and days that this run bills or takes back anyway."""
        for entry in sorted(self.touched, key=self._place):
            window = self.billed[entry]
            if (meter_of(entry, window.meter), (entry.start, entry.end)) in not_now:
                continue
            now = self.count(entry, window, self.all_known(window.meter))
            if self._changed(entry, window, now):
                yield entry, window, now, window.meter.late is LatePolicy.CORRECT

    def _place(self, entry: Entry) -> tuple[object, ...]:
        """Where it comes on an invoice: by meter and days; of one commitment the first has its part set off first."""
        return *meter_of(entry, self.billed[entry].meter), entry.start, entry.end, entry.component_id

    def _changed(self, entry: Entry, window: Window, now: Used) -> bool:
        later = self.events[window.meter.event_name][window.known :]
        start, end = midnight(entry.start, self.zone), midnight(entry.end, self.zone)
        own = [e for e in first_of_each(later) if is_of(entry, window.meter, e)]
        counted = [e for e in own if start <= e.at < end and _counts(window.meter, e)]
        return bool(counted) or now != window.used


def is_of(entry: Entry, meter: Meter, event: UsageEvent) -> bool:
    """Whether an event is the entry's subscription's, or anybody's."""
    return not meter.by_subscription or event.properties["subscription"] == entry.subscription_id


def meter_of(entry: Entry, meter: Meter) -> tuple[str, str]:
    """What counts for an entry: the meter, for its subscription or for all."""
    return meter.id, entry.subscription_id if meter.by_subscription else ""


def _counts(meter: Meter, event: UsageEvent) -> bool:
    return all(event.properties.get(name) in values for name, values in meter.filters.items())


def settled(windows: Windows, entry: Entry, now: Used, price: Callable[[Used], int]) -> tuple[int, Fraction]:
    """Bill a window's late usage: by how much its price grows (to the cent), and its quantity."""
    window = windows.billed[entry]
    grown, more = price(now) - window.minor, now.quantity - window.used.quantity
    windows.touched.discard(entry)
    windows.billed[entry] = Window(
        window.meter, window.dimensions, now, windows.all_known(window.meter), window.minor + grown
    )
    return grown, more
