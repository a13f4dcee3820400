"""What meters counted, for whole batches of accounts, from as few reads as hold it; and the windows that are closed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from saldo.accounts.model import Account
from saldo.catalog.model import PerUnit
from saldo.kernel.errors import Refusal
from saldo.kernel.periods import Period
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.usage import records, records_partitions, records_windows
from saldo.usage.ingest import meters_of
from saldo.usage.model import Meter, Repeats, UsageDetail, UsageEvent, UsageKey, defined_id
from saldo.usage.model_windows import AccountUsage, Closings, Cutoff, Known, LateUsage, Window
from saldo.usage.ports import Ask, LargeUsage
from saldo.usage.records import MonthKey, months_of
from saldo.usage.rules import Asking, is_charged, needs_of_all, prices_by_key
from saldo.usage.rules_windows import (
    Months,
    closes_at,
    count_as_billed,
    late_in,
    late_of,
    may_be_put_away,
    meters_of_windows,
    windows_to_look_at,
)

# Each key with the price that says what must be known of it, or that looks back at it and charges it in no case.
Asked = Mapping[Account, Sequence[tuple[UsageKey, Asking]]]
_PLAIN_PRICE = PerUnit(Decimal(0))


class _Look(NamedTuple):
    """One account: what is asked of it, how far it is billed, which keys are, windows of which something may
    have come late, and their meters: by key, and by the id that windows have."""

    account: Account
    keys: Sequence[tuple[UsageKey, Asking]]
    closings: Closings
    billed: Mapping[UsageKey, Window]
    windows: Sequence[Window]
    counting: Mapping[UsageKey, Meter]
    meters: Mapping[str, Meter]
    in_files: bool = False


class UsageTotals:
    """Reads usage of one region's accounts for runs, wherever it lies. large: counts that of accounts with files;
    without it such an account is refused (`usage_in_files`)."""

    def __init__(self, store: Store, large: LargeUsage | None = None) -> None:
        self._store, self._large = store, large

    def within(self, store: Store) -> UsageTotals:
        """The same, reading by way of another store."""
        return UsageTotals(store, self._large)

    def totals(self, wanted: Iterable[tuple[Account, UsageKey]]) -> dict[str, dict[UsageKey, Decimal]]:
        """Totals by account id and key, as `read` has them."""
        asked: dict[Account, list[tuple[UsageKey, Asking]]] = defaultdict(list)
        for account, key in wanted:
            asked[account].append((key, _PLAIN_PRICE))
        return {account_id: dict(usage.totals) for account_id, usage in self.read(asked).items()}

    def read(self, asked: Asked) -> dict[str, AccountUsage]:
        """What a run needs of these accounts' usage, by account id: totals by key (0 where nothing was counted), what
        their prices need to know besides, and late usage of windows billed before. An account may ask for nothing.

        Everything accepted before the call is in, also in what is looked back at: an invoice asks for all of it. A key
        whose meter the seller does not have is left out.
        """
        looks = self._look(asked)
        here = [look for look in looks if not look.in_files]
        months = {month for look in here for month in _months(look)}
        parts, _ = records.read_parts(self._store, months)
        for look in here:
            for name, last_month in _carried(look).items():
                parts |= records.read_up_to(self._store, look.account.id, name, last_month)
        events = {month: [e for part in some for e in records.events_of_chunk(part)] for month, some in parts.items()}
        return {
            look.account.id: self._count_files(look) if look.in_files else _usage_of(look, events) for look in looks
        }

    def _count_files(self, look: _Look) -> AccountUsage:
        if self._large is None:
            raise Refusal("usage_in_files", f"usage of {look.account.id} lies in files, which are not counted here")
        return _usage_in_files(look, self._large, meters_of(self._store, look.account.entity_id).values())

    def _look(self, asked: Asked) -> list[_Look]:
        """How far each account is billed, and meters, in one go; older windows where late events are told of."""
        wanted = {(a.entity_id, key.meter_id) for a, some in asked.items() for key, _ in some}
        sellers = sorted({records_partitions.usage_files_key(account.entity_id) for account in asked})
        found = self._read([*sellers, *(records_windows.closings_key(account.id) for account in asked)], wanted)
        closings = {
            a.id: records_windows.closings_from(a.id, found.get(records_windows.closings_key(a.id))) for a in asked
        }
        billed = {(a.entity_id, defined_id(w.meter_id)) for a in asked for w in closings[a.id].windows}
        dropped = billed - wanted
        items = [*found.values(), *(self._read([], dropped).values() if dropped else ())]
        meters: dict[str, dict[str, Meter]] = defaultdict(dict)
        for meter in (records.meter_from(item) for item in items if item["kind"] == "meter"):
            meters[meter.entity_id][meter.id] = meter
        in_files = {a for key in sellers for a in records_partitions.accounts_from(found.get(key))}
        looks = [self._look_at(a, keys, closings[a.id], meters[a.entity_id]) for a, keys in asked.items()]
        return [look._replace(in_files=look.account.id in in_files) for look in looks]

    def _read(self, keys: Sequence[Key], meters: set[Key]) -> dict[Key, Item]:
        wanted = [*keys, *(records.meter_key(*m) for m in sorted(meters))]
        return self._store.get_many(wanted, consistent=True)

    def _look_at(
        self,
        account: Account,
        keys: Sequence[tuple[UsageKey, Asking]],
        closings: Closings,
        meters: Mapping[str, Meter],
    ) -> _Look:
        known = [(key, price) for key, price in keys if key.meter_id in meters]
        windows: Sequence[Window] = closings.windows
        counting = {key: meters[key.meter_id].of_subscription(key.subscription_id) for key, _ in known}
        asked_for = {key: (counting[key].id, key.period) for key, price in known if is_charged([price])}
        if closings.late or any(may_be_put_away(closings, counting[key], key.period) for key in asked_for):
            windows = records_windows.windows_of(self._store, account.id)
        standing = {(w.meter_id, w.period): w for w in windows}
        billed = {key: standing[named] for key, named in asked_for.items() if named in standing}
        of_windows = meters_of_windows(windows, meters)
        looked_at = windows_to_look_at(closings, windows, of_windows)
        late = [w for w in looked_at if (w.meter_id, w.period) not in asked_for.values()]
        return _Look(account, known, closings, billed, late, counting, of_windows)


def close_windows(unit: Unit, account: Account, usage: AccountUsage, windows: Sequence[Window]) -> Unit:
    """Close windows in the unit that bills them; see `records_windows.write_windows`. None: nothing is written."""
    if not windows:
        return unit
    return records_windows.write_windows(unit, account.id, account.entity_id, usage.closings, windows)


def _months(look: _Look) -> Iterable[MonthKey]:
    """The months that must be read of meters that begin each period anew."""
    for key, _ in look.keys:
        meter = look.counting[key]
        if not meter.carries:
            yield from months_of(look.account.id, meter.event_name, key.period, look.account.time_zone)
    for window in look.windows:
        meter = look.meters[window.meter_id]
        if not meter.carries:
            yield from months_of(look.account.id, meter.event_name, window.period, window.zone)


def _carried(look: _Look) -> dict[str, str]:
    """Names of which all months must be read, up to which, because a level goes on from any of them."""
    found: dict[str, str] = {}
    periods = [(look.counting[key], key.period, look.account.time_zone) for key, _ in look.keys]
    periods += [(look.meters[w.meter_id], w.period, w.zone) for w in look.windows]
    for meter, period, zone in periods:
        if meter.carries:
            (*_, last) = months_of(look.account.id, meter.event_name, period, zone)
            found[meter.event_name] = max(found.get(meter.event_name, ""), last.month)
    return found


def _usage_in_files(look: _Look, large: LargeUsage, sellers_meters: Iterable[Meter]) -> AccountUsage:
    """As `_usage_of`, of files: everything that is asked of them in one go."""
    corrected = {m.event_name for m in sellers_meters if m.repeats is Repeats.LAST}
    asks, zone, prices = [], look.account.time_zone, prices_by_key(look.keys)
    for key, asking in prices.items():
        meter, window = look.counting[key], look.billed.get(key)
        known = None if window is None or window.is_withdrawn else window.known
        corrects = meter.event_name in corrected
        asks.append(Ask(look.account.id, zone, meter, key.period, needs_of_all(asking), known, corrects))
    found = dict(zip(prices, large.count(asks) if asks else [], strict=True))
    totals = {key: counted.quantity for key, (counted, _) in found.items()}
    details = {key: _told(look, key, counted.detail) for key, (counted, _) in found.items()}
    cutoffs = {key: cutoff for key, (_, cutoff) in found.items()}
    for key, window in look.billed.items():
        if not window.is_withdrawn:
            cutoffs[key] = Cutoff(window.known, window.arrivals)
    late = _late_in_files(look, large, corrected)
    return AccountUsage(totals, details, cutoffs, look.billed, late, _closes_at(look), look.closings)


def _late_in_files(look: _Look, large: LargeUsage, corrected: Collection[str]) -> tuple[LateUsage, ...]:
    """As `late_in`, of files. Windows of whose months nothing new is known are not counted again."""
    asks = []
    for window in look.windows:
        meter = look.meters[window.meter_id]
        corrects = meter.event_name in corrected
        asks.append(Ask(look.account.id, window.zone, meter, window.period, window.terms.needs, None, corrects))
    known = large.known(asks) if asks else []
    grown = [(w, ask) for w, ask, now in zip(look.windows, asks, known, strict=True) if not _as_known(w, now)]
    found = []
    for window, ask in grown:
        (now, cutoff), (then, before) = large.count([ask, ask._replace(known=window.known)])
        late = late_of(window, ask.meter, now, then, replace(cutoff, arrivals=cutoff.arrivals - before.arrivals))
        found += [late] if late else []
    return tuple(found)


def _as_known(window: Window, now: Known) -> bool:
    return all(count == window.known.get(month, 0) for month, count in now.items())


def _closes_at(look: _Look) -> datetime | None:
    waiting = [(look.counting[key], key.period) for key, _ in look.keys]
    zone = look.account.time_zone
    return max((closes_at(meter, period, zone) for meter, period in waiting if meter.grace_s), default=None)


def _usage_of(look: _Look, events: Mapping[MonthKey, Sequence[UsageEvent]]) -> AccountUsage:
    totals: dict[UsageKey, Decimal] = {}
    details: dict[UsageKey, UsageDetail] = {}
    cutoffs: dict[UsageKey, Cutoff] = {}
    zone = look.account.time_zone
    for key, asking in prices_by_key(look.keys).items():
        meter, window = look.counting[key], look.billed.get(key)
        months = _events_of(look, events, meter, key.period, zone)
        needs = needs_of_all(asking)
        (totals[key], detail), cutoffs[key] = count_as_billed(months, meter, key.period, zone, needs, window)
        details[key] = _told(look, key, detail)
    late = tuple(found for window in look.windows if (found := _late(look, events, window)))
    return AccountUsage(totals, details, cutoffs, look.billed, late, _closes_at(look), look.closings)


def _told(look: _Look, key: UsageKey, detail: UsageDetail) -> UsageDetail:
    """With how its meter counts."""
    by_subscription = look.counting[key].id != key.meter_id
    return replace(detail, by_subscription=True) if by_subscription else detail


def _late(look: _Look, events: Mapping[MonthKey, Sequence[UsageEvent]], window: Window) -> LateUsage | None:
    meter = look.meters[window.meter_id]
    return late_in(window, meter, _events_of(look, events, meter, window.period, window.zone))


def _events_of(
    look: _Look, events: Mapping[MonthKey, Sequence[UsageEvent]], meter: Meter, period: Period, zone: str
) -> Months:
    account_id, name = look.account.id, meter.event_name
    wanted = list(months_of(account_id, name, period, zone))
    if not meter.carries:
        return {key.month: events.get(key, ()) for key in wanted}
    last = wanted[-1].month
    return {
        k.month: v for k, v in events.items() if (k.account_id, k.meter_id) == (account_id, name) and k.month <= last
    }
