"""Usage of periods that are still open, as it stands and as it is likely to end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from saldo.accounts.model import Account
from saldo.kernel.errors import Refusal
from saldo.storage.store import Store
from saldo.usage import records, records_windows
from saldo.usage.model import Meter, Needs, UsageEvent, UsageKey
from saldo.usage.model_windows import Window
from saldo.usage.records import months_of
from saldo.usage.records_partitions import accounts_from, usage_files_key
from saldo.usage.rules import counted
from saldo.usage.rules_forecast import LastPeriod, LiveMeter, forecast, point_in
from saldo.usage.rules_windows import latest


class LiveUsage:
    """Reads one account's open periods."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, account: Account, keys: Sequence[UsageKey], now: datetime) -> list[LiveMeter]:
        """Each key as it stands, in the order asked; keys of meters that are not there are left out."""
        closings_key, files_key = records_windows.closings_key(account.id), usage_files_key(account.entity_id)
        wanted = sorted({records.meter_key(account.entity_id, key.meter_id) for key in keys})
        items = self._store.get_many([closings_key, files_key, *wanted], consistent=True)
        meters = {meter.id: meter for meter in (records.meter_from(items[key]) for key in wanted if key in items)}
        if account.id in accounts_from(items.get(files_key)):
            raise Refusal("usage_in_files", f"usage of {account.id} lies in files, which are not counted live")
        closings = records_windows.closings_from(account.id, items.get(closings_key))
        last = latest(closings.windows)
        found = []
        for key in keys:
            meter = meters.get(key.meter_id)
            if meter is not None:
                before = last.get(meter.of_subscription(key.subscription_id).id)
                before = None if before is not None and before.is_withdrawn else before
                events = self._events(account, meter, key, before)
                found.append(_live(account, key, meter, events, before, now))
        return found

    def _events(self, account: Account, meter: Meter, key: UsageKey, before: Window | None) -> list[UsageEvent]:
        wanted = set(months_of(account.id, meter.event_name, key.period, account.time_zone))
        if meter.carries:
            last_month = max(month.month for month in wanted)
            parts = records.read_up_to(self._store, account.id, meter.event_name, last_month)
        else:
            if before is not None:
                wanted |= set(months_of(account.id, meter.event_name, before.period, before.zone))
            parts, _ = records.read_parts(self._store, wanted)
        return [e for month in sorted(parts) for part in parts[month] for e in records.events_of_chunk(part)]


def _live(
    account: Account,
    key: UsageKey,
    defined: Meter,
    events: Iterable[UsageEvent],
    before: Window | None,
    now: datetime,
) -> LiveMeter:
    zone, known, meter = account.time_zone, list(events), defined.of_subscription(key.subscription_id)
    here = counted(known, meter, key.period, zone, Needs(meter.group_by))
    so_far = counted(known, meter, key.period, zone).quantity
    last = None
    if before is not None and before.period.end <= key.period.start:
        point = point_in(key.period, zone, before.period, before.zone, now)
        till_then = counted((e for e in known if e.at < point), meter, before.period, before.zone)
        last = LastPeriod(till_then.quantity, counted(known, meter, before.period, before.zone).quantity)
    ahead = forecast(meter, so_far, key.period, zone, now, last)
    return LiveMeter(key, defined, so_far, here.detail.by_value or {}, ahead, last)
