"""Invariants of usage that the records of one account tell: what was billed is what was known then."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import accumulate, chain

from saldo.insight.model import Owner, Violation
from saldo.usage import records as usage_records
from saldo.usage.model import UsageEvent, defined_id
from saldo.usage.model_windows import Window
from saldo.usage.records_partitions import PARTS_PREFIX, parts_from
from saldo.usage.records_windows import windows_from
from saldo.usage.rules_reconciliation import counting_apart, report_of


def usage_is_billed_as_it_was_known(owner: Owner) -> Iterator[Violation]:
    """Accepted = billed + carried + waiting, window by window; what was billed is what was known then comes to."""
    items = owner.of("windows")
    told = sum(item.get("pages", 0) for item in items)
    if told != sum(item["sk"] != "windows" for item in items):
        yield Violation(10, owner.id, f"{told} records of windows were put away, others are there")
    windows = windows_from(items)
    if not windows or not owner.meters:
        return
    if owner.of("usage_parts"):
        yield from _files_hold_what_was_known(owner, windows)
        return
    events: dict[str, dict[str, list[UsageEvent]]] = defaultdict(lambda: defaultdict(list))
    for item in sorted(owner.of("usage"), key=lambda i: i["sk"]):
        key = usage_records.month_of_chunk(item)
        events[key.meter_id][key.month] += usage_records.events_of_chunk(item)
    apart = (counting_apart(m, windows, chain(*events[m.event_name].values())) for m in owner.meters)
    for meter in chain.from_iterable(apart):
        own = [w for w in windows if w.meter_id == meter.id]
        for window in report_of(owner.id, meter, own, events.get(meter.event_name, {}), ()).windows:
            name = f"{meter.id} {window.period.as_text()}"
            parts = window.billed + window.carried + window.waiting
            if window.accepted != parts:
                yield Violation(10, owner.id, f"{name}: {window.accepted} events accepted, {parts} in their places")
            if window.quantity_billed != window.quantity_known:
                what = f"{window.quantity_billed} billed, {window.quantity_known} known then"
                yield Violation(11, owner.id, f"{name}: {what}")


def _files_hold_what_was_known(owner: Owner, windows: Iterable[Window]) -> Iterator[Violation]:
    """Usage in files is not counted here (`saldo usage report` does). But the first parts of each month are still those
    that were known when a window of it was billed: parts are only ever added behind them."""
    names = {meter.id: meter.event_name for meter in owner.meters}
    reached = {
        item["sk"].removeprefix(PARTS_PREFIX): {0, *accumulate(part.count for part in parts_from(item))}
        for item in owner.of("usage_parts")
    }
    for window in windows:
        name = names.get(defined_id(window.meter_id))
        for month, known in window.known.items() if name else ():
            if known not in reached.get(f"{name}#{month}", {0}):
                what = f"{window.meter_id} {window.period.as_text()}: no parts of {month} hold the {known} events known"
                yield Violation(11, owner.id, what)
