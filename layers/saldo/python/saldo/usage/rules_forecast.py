"""How usage goes on until the end of a period. No clock, no I/O.

A forecast is a guess with a rule that anyone can follow, not a model: as it went so far, or as it went last time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any

from saldo.kernel.exact import ZERO, minus, plain, rounded_to, total
from saldo.kernel.money import round_exact
from saldo.kernel.periods import Period
from saldo.usage.model import Aggregation, Counted, Meter, OfWindows, UsageKey
from saldo.usage.rules import rounded, seconds

DIGITS = 6


class Method(StrEnum):
    """How a forecast was made: the period is OVER and known; a LEVEL stays where it is; as LAST_PERIOD went from the
    same point on; in a STRAIGHT_LINE from the start; or there is NOTHING to go by and it stays as it is."""

    OVER = "over"
    LEVEL = "level"
    LAST_PERIOD = "last_period"
    STRAIGHT_LINE = "straight_line"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class LastPeriod:
    """What a meter had counted in the period before this one: at the same point of it, and in the end."""

    at_this_point: Decimal
    whole: Decimal


@dataclass(frozen=True, slots=True)
class Forecast:
    quantity: Decimal
    method: Method


@dataclass(frozen=True, slots=True)
class LiveMeter:
    """A meter in an open period: so far, by the meter's groups, as forecast, and in the period billed before."""

    key: UsageKey
    meter: Meter
    so_far: Decimal
    groups: Mapping[tuple[str, ...], Decimal]
    forecast: Forecast
    last: LastPeriod | None

    def as_dict(self) -> dict[str, Any]:
        names = self.meter.group_by
        groups = [{**dict(zip(names, k, strict=True)), "quantity": plain(q)} for k, q in sorted(self.groups.items())]
        return {
            "meter_id": self.meter.id,
            "subscription_id": self.key.subscription_id,
            "period": self.key.period.as_text(),
            "so_far": plain(self.so_far),
            "forecast": plain(self.forecast.quantity),
            "method": self.forecast.method.value,
            "last_period": None if self.last is None else plain(self.last.whole),
            "groups": groups if names else [],
        }


def forecast(
    meter: Meter, so_far: Decimal, period: Period, zone: str, now: datetime, last: LastPeriod | None = None
) -> Forecast:
    """What the meter will have counted at the end of a period, rounded half up to 6 digits, then as the meter rounds,
    and never below `so_far` where it can only grow. `so_far` of a weighted level is its average if it stays as it is;
    what is added up window by window grows, whatever a window is counted by."""
    start, end = period.instants(zone)
    if now >= end:
        return Forecast(so_far, Method.OVER)
    grows = meter.aggregation in (Aggregation.SUM, Aggregation.COUNT, Aggregation.UNIQUE) or meter.per is not None
    if not grows or meter.of_windows is not OfWindows.SUM:
        return Forecast(so_far, Method.LEVEL)
    if last is not None and last.whole > 0:
        return Forecast(rounded(_as_last(so_far, last), meter), Method.LAST_PERIOD)
    gone = seconds(start, now)
    if gone <= 0 or so_far <= 0:
        return Forecast(so_far, Method.NOTHING)
    in_line = max(so_far, _rounded(Fraction(so_far) * seconds(start, end) / gone))
    return Forecast(rounded(in_line, meter), Method.STRAIGHT_LINE)


def point_in(period: Period, zone: str, before: Period, before_zone: str, now: datetime) -> datetime:
    """The instant that is as far into the period before as `now` is into this one."""
    start, end = period.instants(zone)
    first, last = before.instants(before_zone)
    part = min(max(seconds(start, now) / seconds(start, end), Fraction(0)), Fraction(1))
    return first + timedelta(microseconds=round(seconds(first, last) * part * 1_000_000))


def _as_last(so_far: Decimal, last: LastPeriod) -> Decimal:
    """By the same factor as last time; where nothing had been counted by then, as much more as last time."""
    if last.at_this_point <= 0 or so_far <= 0:
        return _rounded(Fraction(so_far) + Fraction(last.whole) - Fraction(max(last.at_this_point, ZERO)))
    factor = Fraction(last.whole) / Fraction(last.at_this_point)
    return max(so_far, _rounded(Fraction(so_far) * factor))


def scaled(found: Counted, quantity: Decimal) -> Counted:
    """What was counted, with its details, as if it had come to this quantity: parts keep their proportions, amounts are
    followed by more of about the same size. With nothing to go by, all is one part or amount."""
    if found.quantity == quantity:
        return found
    detail = found.detail
    by_value = None if detail.by_value is None else _parts(detail.by_value, found.quantity, quantity)
    amounts = None if detail.amounts is None else _amounts(detail.amounts, minus(quantity, found.quantity))
    return Counted(quantity, replace(detail, amounts=amounts, by_value=by_value))


def _parts(
    parts: Mapping[tuple[str, ...], Decimal], whole: Decimal, quantity: Decimal
) -> Mapping[tuple[str, ...], Decimal]:
    """The last part takes what rounding leaves, so that they make up the quantity."""
    if not parts or whole <= 0:
        return parts
    found = {values: _rounded(Fraction(part) * Fraction(quantity) / Fraction(whole)) for values, part in parts.items()}
    *_, last = sorted(found)
    found[last] = minus(quantity, total(part for values, part in found.items() if values != last))
    return found


def _amounts(amounts: Sequence[Decimal], more: Decimal) -> tuple[Decimal, ...]:
    known = tuple(amounts)
    if more <= 0:
        return known
    each = Fraction(total(known)) / len(known) if known else Fraction(0)
    times = max(round_exact(Fraction(more) / each), 1) if each > 0 else 1
    size = _rounded(Fraction(more) / times)
    return (*known, *[size] * (times - 1), minus(more, size * (times - 1)))


def _rounded(value: Fraction) -> Decimal:
    return rounded_to(DIGITS, value)
