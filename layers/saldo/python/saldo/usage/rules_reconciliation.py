"""Accepted = billed + carried + waiting, and what arrived = accepted + rejected, window by window. No clock, no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from saldo.kernel.exact import plain
from saldo.kernel.periods import Period
from saldo.usage.model import SUBSCRIPTION, Meter, UsageEvent, defined_id
from saldo.usage.model_windows import Reason, Window
from saldo.usage.rules import counted, counts
from saldo.usage.rules_windows import Months, after, arrivals_in, known_of, until

_LATER = (Reason.CARRIED, Reason.CORRECTED)


@dataclass(frozen=True, slots=True)
class WindowReport:
    """Events of one billed window by what became of them. `waiting`: came late, and no invoice asks for them yet.

    quantity_billed: what invoices asked for; `quantity_known`: what the events that were known come to now. They differ
    only when stored events were damaged.
    """

    period: Period
    invoices: tuple[str, ...]
    accepted: int
    billed: int
    carried: int
    waiting: int
    rejected: int
    quantity_billed: Decimal
    quantity_known: Decimal

    @property
    def balanced(self) -> bool:
        whole = self.billed + self.carried + self.waiting
        return self.accepted == whole and self.quantity_billed == self.quantity_known

    def as_dict(self) -> dict[str, Any]:
        found: dict[str, Any] = {"period": self.period.as_text(), "invoices": list(self.invoices)}
        found |= {n: getattr(self, n) for n in ("accepted", "billed", "carried", "waiting", "rejected", "balanced")}
        return found | {n: plain(getattr(self, n)) for n in ("quantity_billed", "quantity_known")}


@dataclass(frozen=True, slots=True)
class MeterReport:
    """All events of a meter of an account: those of billed windows, those that are `open` (later than all of them), and
    those `outside`: earlier, on days for which nothing is billed. rejected: rows in the quarantine."""

    account_id: str
    meter_id: str
    windows: tuple[WindowReport, ...]
    accepted: int
    open: int
    outside: int
    rejected: int

    @property
    def balanced(self) -> bool:
        """Every accepted event is in one place, and every window adds up."""
        placed = sum(w.accepted for w in self.windows) + self.open + self.outside
        return self.accepted == placed and all(w.balanced for w in self.windows)

    def as_dict(self) -> dict[str, Any]:
        names = ("account_id", "meter_id", "accepted", "open", "outside", "rejected", "balanced")
        return {n: getattr(self, n) for n in names} | {"windows": [w.as_dict() for w in self.windows]}


def counting_apart(meter: Meter, windows: Iterable[Window], events: Iterable[UsageEvent]) -> list[Meter]:
    """The meter; by subscription, as it counts for each that it is billed to or that events of its name name."""
    if not meter.by_subscription:
        return [meter]
    sold = {w.subscription_id for w in windows if defined_id(w.meter_id) == meter.id}
    named = {e.properties[SUBSCRIPTION] for e in events if SUBSCRIPTION in e.properties}
    return [meter.of_subscription(subscription_id) for subscription_id in sorted(sold | named)]


def report_of(
    account_id: str, meter: Meter, windows: Iterable[Window], months: Months, rejected: Sequence[UsageEvent]
) -> MeterReport:
    """What became of every event of a meter. months: all of the account's events of its name; rejected: what rows in
    the quarantine say, as far as they can be read."""
    standing = sorted((w for w in windows if not w.is_withdrawn), key=lambda w: w.period)
    reports = tuple(_of_window(window, meter, months, rejected) for window in standing)
    events = [e for e in until(months, known_of(months)) if counts(meter, e)]
    spans = [w.period.instants(w.zone) for w in standing]
    end = max((span[1] for span in spans), default=None)
    placed = [_place(e.at, spans, end) for e in events]
    turned_away = sum(1 for e in rejected if counts(meter, e))
    return MeterReport(
        account_id, meter.id, reports, len(events), placed.count("open"), placed.count("outside"), turned_away
    )


def _place(at: datetime, spans: Sequence[tuple[datetime, datetime]], end: datetime | None) -> str:
    if end is None or at >= end:
        return "open"
    return "inside" if any(start <= at < until_at for start, until_at in spans) else "outside"


def _of_window(window: Window, meter: Meter, months: Months, rejected: Sequence[UsageEvent]) -> WindowReport:
    known, zone = until(months, window.known), window.zone
    return window_report(
        window,
        accepted=arrivals_in(until(months, known_of(months)), meter, window.period, zone),
        waiting=arrivals_in(after(months, window.known), meter, window.period, zone),
        rejected=arrivals_in(rejected, meter, window.period, zone),
        quantity_known=counted(known, meter, window.period, zone, window.terms.needs).quantity,
    )


def window_report(
    window: Window, *, accepted: int, waiting: int, rejected: int, quantity_known: Decimal
) -> WindowReport:
    """With what the window itself says was billed."""
    return WindowReport(
        period=window.period,
        invoices=tuple(dict.fromkeys(b.invoice_id for b in window.billed if b.invoice_id)),
        accepted=accepted,
        billed=sum(b.arrivals for b in window.billed if b.reason not in _LATER),
        carried=sum(b.arrivals for b in window.billed if b.reason in _LATER),
        waiting=waiting,
        rejected=rejected,
        quantity_billed=window.billed[-1].quantity,
        quantity_known=quantity_known,
    )
