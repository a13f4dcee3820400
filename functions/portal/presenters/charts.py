"""Aging as one bar per currency, drawn from the very numbers of the table beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
