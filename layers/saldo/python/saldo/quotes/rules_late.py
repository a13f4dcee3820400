"""Usage as runs come to know it: what came in time, and what came when its period was billed.

The windows of usage are those of runs on record (`saldo.usage.rules_windows`), kept in memory.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain

from saldo.accounts.model import Account
from saldo.invoicing.model import BillingCase, DueSubscription, InvoiceBody
from saldo.invoicing.rules_history import usage_asked
from saldo.invoicing.rules_late import windows_of
from saldo.kernel.periods import Period
from saldo.quotes.model import Usage
from saldo.quotes.rules_usage import told_of
from saldo.usage.model import Counted, LatePolicy, Meter, Needs, Repeats, UsageDetail, UsageEvent, UsageKey
from saldo.usage.model_windows import AccountUsage, Closings, Cutoff, LateUsage, Window
from saldo.usage.rules import needs_of_all, prices_by_key
from saldo.usage.rules_windows import (
    Months,
    count_as_billed,
    late_in,
    latest,
    meters_of_windows,
    policy_for,
    standing,
    windows_to_look_at,
)

_MOMENT = timedelta(microseconds=1)


@dataclass(slots=True)
class KnownUsage:
    """What is known of an account's usage from run to run, and which of it is billed. `rejected`: what came late for a
    meter that does not take it."""

    usage: Usage
    account: Account
    rejected: list[UsageEvent] = field(default_factory=list)
    _windows: dict[tuple[str, Period], Window] = field(default_factory=dict)
    _waiting: deque[tuple[date, UsageEvent]] = field(init=False)
    _came: set[tuple[str, str]] = field(default_factory=set)
    _months: dict[str, dict[str, list[UsageEvent]]] = field(init=False)
    _seen: set[tuple[str, str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._months = defaultdict(lambda: defaultdict(list))
        self._waiting = deque(sorted(self.usage.late, key=lambda one: one[0]))
        for event in self.usage.events:
            self._accept(event)

    def take_in(self, day: date) -> None:
        """All that has come by a day; what is late for a meter that rejects it is left out."""
        came: list[UsageEvent] = []
        while self._waiting and self._waiting[0][0] <= day:
            came.append(self._waiting.popleft()[1])
        ends = latest(self._windows.values()) if came else {}
        closed_at = {name: w.period.instants(w.zone)[1] for name, w in ends.items() if not w.is_withdrawn}
        for event in came:
            meters = [m for m in self.usage.meters.values() if m.event_name == event.meter_id]
            if policy_for([event], meters, closed_at) is LatePolicy.REJECT:
                self.rejected.append(event)
            else:
                self._accept(event)
                self._came.add((event.meter_id, f"{event.at:%Y%m}"))

    def _accept(self, event: UsageEvent) -> None:
        """Of two with one source and id the first, but for meters whose last one counts."""
        named = event.meter_id, event.source, event.id
        may_repeat = any(
            m.repeats is Repeats.LAST for m in self.usage.meters.values() if m.event_name == event.meter_id
        )
        if may_repeat or named not in self._seen:
            self._seen.add(named)
            self._months[event.meter_id][f"{event.at:%Y%m}"].append(event)

    def read(self, due: Iterable[DueSubscription]) -> AccountUsage:
        """What a run needs of it; see `AccountUsage`. Totals as told win over events; 0 where there is neither."""
        prices = prices_by_key(chain.from_iterable(map(usage_asked, due)))
        asked = {self._window_of(key): key for key, asking in prices.items() if asking}
        billed = {key: self._windows[named] for named, key in asked.items() if named in self._windows}
        totals: dict[UsageKey, Decimal] = {}
        details: dict[UsageKey, UsageDetail] = {}
        cutoffs: dict[UsageKey, Cutoff] = {}
        for key, asking in prices.items():
            found, cutoff = self._counted(key, needs_of_all(asking), billed.get(key))
            totals[key], details[key] = found.quantity, found.detail
            if cutoff is not None:
                cutoffs[key] = cutoff
        return AccountUsage(totals, details, cutoffs, billed, tuple(self._late(asked)))

    def close(self, case: BillingCase, usage: AccountUsage, bodies: Iterable[InvoiceBody]) -> None:
        """The windows that billing a case closes, as a run closes them with its invoices."""
        invoices = {charge: body.id for body in bodies for charge in body.charges}
        closed = windows_of(case, {self.account.id: usage}, invoices).get(self.account.id, [])
        self._windows |= {(w.meter_id, w.period): w for w in standing(closed)}

    def _window_of(self, key: UsageKey) -> tuple[str, Period]:
        meter = self.usage.meters.get(key.meter_id)
        return (meter.of_subscription(key.subscription_id).id if meter else key.meter_id), key.period

    def _counted(self, key: UsageKey, needs: Needs, window: Window | None) -> tuple[Counted, Cutoff | None]:
        """A total as it is told, else of the events, with what was known of them."""
        found, meter = told_of(self.usage, key, needs), self.usage.meters.get(key.meter_id)
        if found is not None:
            return found, None
        if meter is None:
            return Counted(Decimal(0), UsageDetail(amounts=(), by_value={} if needs.dimensions else None)), None
        own, zone = meter.of_subscription(key.subscription_id), self.account.time_zone
        months = self._months_of(own, key.period, zone)
        found, cutoff = count_as_billed(months, own, key.period, zone, needs, window)
        if own is not meter:
            found = Counted(found.quantity, replace(found.detail, by_subscription=True))
        return found, cutoff

    def _late(self, asked: Collection[tuple[str, Period]]) -> Iterator[LateUsage]:
        """Of windows that are not asked for, of whose months something came."""
        if not self._came:
            return
        meters = meters_of_windows(self._windows.values(), self.usage.meters)
        for window in windows_to_look_at(Closings(late=tuple(self._came)), self._windows.values(), meters):
            if (window.meter_id, window.period) not in asked:
                meter = meters[window.meter_id]
                found = late_in(window, meter, self._months_of(meter, window.period, window.zone))
                if found is not None:
                    yield found

    def _months_of(self, meter: Meter, period: Period, zone: str) -> Months:
        """Those in which events of these days may lie (UTC); of a level that goes on, also all before."""
        there: Mapping[str, Sequence[UsageEvent]] = self._months.get(meter.event_name, {})
        start, end = period.instants(zone)
        first, last = f"{start:%Y%m}", f"{end - _MOMENT:%Y%m}"
        return {m: events for m, events in there.items() if m <= last and (meter.carries or m >= first)}
