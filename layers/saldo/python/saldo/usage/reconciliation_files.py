"""What became of usage that lies in files: the report of `rules_reconciliation`, counted where the files are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from saldo.kernel.periods import Period, add_months
from saldo.usage.model import Meter, UsageEvent
from saldo.usage.model_windows import Window
from saldo.usage.ports import Ask, LargeUsage
from saldo.usage.rules import counts
from saldo.usage.rules_reconciliation import MeterReport, WindowReport, window_report
from saldo.usage.rules_windows import arrivals_in

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class FiledMeter:
    """A meter of an account with files. months (`202611`): those that have any, in UTC. corrects: see `Ask`."""

    account_id: str
    zone: str
    meter: Meter
    months: Sequence[str]
    corrects: bool = False

    def asks(self, period: Period, zone: str = "") -> Ask:
        return Ask(self.account_id, zone or self.zone, self.meter, period, corrects=self.corrects)


def report_of_files(
    large: LargeUsage, filed: FiledMeter, windows: Iterable[Window], rejected: Sequence[UsageEvent]
) -> MeterReport:
    """As `rules_reconciliation.report_of`. Each window is counted twice (now, and as it was known), and each stretch of
    days that no window has once."""
    standing = sorted((w for w in windows if not w.is_withdrawn), key=lambda w: w.period)
    reports = tuple(_of_window(large, filed, window, rejected) for window in standing)
    turned_away = sum(1 for event in rejected if counts(filed.meter, event))
    whole = _whole(filed.months)
    if whole is None:
        return MeterReport(filed.account_id, filed.meter.id, reports, 0, 0, 0, turned_away)
    last = max((w.period.end for w in standing), default=whole.start)
    asked = [whole, *([Period(last, whole.end)] if last < whole.end else ()), *_gaps(whole, standing)]
    (accepted, *rest) = [cutoff.arrivals for _, cutoff in large.count([filed.asks(period) for period in asked])]
    still_open = rest.pop(0) if last < whole.end else 0
    return MeterReport(filed.account_id, filed.meter.id, reports, accepted, still_open, sum(rest), turned_away)


def _whole(months: Sequence[str]) -> Period | None:
    """All days on which these months' events can lie in any zone."""
    if not months:
        return None
    first, last = (date(int(m[:4]), int(m[4:]), 1) for m in (min(months), max(months)))
    return Period(first - _DAY, add_months(last, 1) + _DAY)


def _gaps(whole: Period, standing: Sequence[Window]) -> Iterator[Period]:
    """Stretches of days before the last window that are in none."""
    ends = [whole.start, *(w.period.end for w in standing)]
    for end, window in zip(ends, standing, strict=False):
        if end < window.period.start:
            yield Period(end, window.period.start)


def _of_window(large: LargeUsage, filed: FiledMeter, window: Window, rejected: Sequence[UsageEvent]) -> WindowReport:
    ask = filed.asks(window.period, window.zone)._replace(needs=window.terms.needs)
    (_, now), (counted, then) = large.count([ask, ask._replace(known=window.known)])
    return window_report(
        window,
        accepted=now.arrivals,
        waiting=now.arrivals - then.arrivals,
        rejected=arrivals_in(rejected, filed.meter, window.period, window.zone),
        quantity_known=counted.quantity,
    )
