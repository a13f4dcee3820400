"""Drawings from the very numbers of the table beside them: aging as one bar, bars, a line over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from functions.portal.words import Words
from saldo.ledger.model import AgingBucket

WIDTH, GAP = 1000, 4


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of the bar, in the drawing's units. `shade`: 0 for not yet due to 4 for the oldest."""

    x: int
    width: int
    shade: int


@dataclass(frozen=True, slots=True)
class BucketLine:
    """The table's row of a bucket."""

    shade: int
    name: str
    items: str
    amount: str
    is_empty: bool


@dataclass(frozen=True, slots=True)
class AgingChart:
    currency: str
    total: str
    summary: str
    segments: tuple[Segment, ...]
    lines: tuple[BucketLine, ...]


def aging_chart(currency: str, buckets: Sequence[AgingBucket], words: Words) -> AgingChart:
    """Bar and table of one currency. The bar's parts and gaps fill its width exactly."""
    total = sum(b.minor for b in buckets)
    lines = tuple(
        BucketLine(
            shade,
            words(f"aging.{b.name}"),
            words.number(b.items),
            words.amount(b.minor, currency),
            b.minor == 0,
        )
        for shade, b in enumerate(buckets)
    )
    said = ", ".join(f"{words(f'aging.{b.name}')} {words.money(b.minor, currency)}" for b in buckets if b.minor)
    return AgingChart(currency, words.amount(total, currency), said, _segments(buckets, total), lines)


def _segments(buckets: Sequence[AgingBucket], total: int) -> tuple[Segment, ...]:
    shown = [(shade, b.minor) for shade, b in enumerate(buckets) if b.minor > 0]
    if not shown:
        return ()
    room = WIDTH - GAP * (len(shown) - 1)
    segments, x, passed = [], 0, 0
    for shade, minor in shown:
        begin = room * passed // total
        passed += minor
        width = room * passed // total - begin
        segments.append(Segment(x, max(width, 2), shade))
        x += width + GAP
    return tuple(segments)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, in the drawing's units (width 1000). `below`: the amount is below zero."""

    name: str
    amount: str
    x: int
    width: int
    below: bool


@dataclass(frozen=True, slots=True)
class BarChart:
    """`zero` is where the line of zero stands, 0 when nothing lies below it."""

    id: str
    currency: str
    bars: tuple[Bar, ...]
    zero: int


def bar_chart(chart_id: str, currency: str, amounts: Sequence[tuple[str, int]], words: Words) -> BarChart:
    """amounts: (name, minor units) in the order shown. All bars share one scale that holds zero."""
    low, high = min(0, *(m for _, m in amounts)), max(0, *(m for _, m in amounts))
    span = max(high - low, 1)
    zero = WIDTH * -low // span
    bars = []
    for name, minor in amounts:
        width = max(WIDTH * abs(minor) // span, 2 if minor else 0)
        x = max(zero - width, 0) if minor < 0 else min(zero, WIDTH - width)
        bars.append(Bar(name, words.amount(minor, currency), x, width, minor < 0))
    return BarChart(chart_id, currency, tuple(bars), zero)


@dataclass(frozen=True, slots=True)
class LineChart:
    """A balance over time in a drawing of 1000 by 200. `points`: the table's rows; `zero`: the height of zero."""

    id: str
    currency: str
    path: str
    zero: int
    summary: str
    first: str
    last: str
    points: tuple[tuple[str, str], ...]


_HEIGHT, _EDGE = 200, 8


def line_chart(chart_id: str, currency: str, balances: Sequence[tuple[date, int]], words: Words) -> LineChart:
    """balances: (day, minor units) in order, at least one. Days stand as far apart as they are; steps, not slopes."""
    days, minors = [d.toordinal() for d, _ in balances], [m for _, m in balances]
    low, high = min(0, *minors), max(0, *minors)
    across, up = max(days[-1] - days[0], 1), max(high - low, 1)
    at = [(WIDTH * (d - days[0]) // across, _height(m, high, up)) for d, m in zip(days, minors, strict=True)]
    path = f"M{at[0][0]} {at[0][1]}" + "".join(f"H{x}V{y}" for x, y in at[1:]) + (f"H{WIDTH}" if len(at) == 1 else "")
    points = tuple((words.day(d), words.amount(m, currency)) for d, m in balances)
    ends = [f"{words.day(d)}: {words.money(m, currency)}" for d, m in (balances[0], balances[-1])]
    said = ", ".join(ends)
    return LineChart(chart_id, currency, path, _height(0, high, up), said, ends[0], ends[1], points)


def _height(minor: int, high: int, up: int) -> int:
    return _EDGE + (_HEIGHT - 2 * _EDGE) * (high - minor) // up
