"""What the style guide shows its parts with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from functions.portal.presenters.charts import AgingChart, BarChart, LineChart, aging_chart, bar_chart, line_chart
from functions.portal.presenters.tags import Tag
from functions.portal.words import Words
from saldo.ledger.model import AgingBucket
from saldo.ledger.rules import AGING_BOUNDS

_OPEN = ((1284700, 1), (23900, 1), (303440, 2), (290170, 2), (168467, 1))
_MONTHS = (("2026-08-01", 412050), ("2026-09-01", -35990), ("2026-10-01", 287500), ("2026-11-01", 1284700))


@dataclass(frozen=True, slots=True)
class Samples:
    """`rows`: number, day, tag, amount; one of each kind, one far too long, one below zero."""

    tags: tuple[Tag, ...]
    rows: tuple[tuple[str, str, Tag, str], ...]
    aging: AgingChart
    bars: BarChart
    line: LineChart
    total: str
    day: str


def samples(words: Words) -> Samples:
    tags = tuple(Tag(tone, words(key)) for tone, key in _TAGS)
    days = [date.fromisoformat(day) for day, _ in _MONTHS]
    amounts = [minor for _, minor in _MONTHS]
    names = ("RE-2026-000117", words("styleguide.long"), "RE-2026-000119", "RE-2026-000120")
    rows = zip(names, days, tags, amounts, strict=False)
    buckets = [AgingBucket(b[0], b[1], b[2], minor, n) for b, (minor, n) in zip(AGING_BOUNDS, _OPEN, strict=True)]
    named = [(words.day(on), minor) for on, minor in zip(days, amounts, strict=True)]
    return Samples(
        tags=tags,
        rows=tuple((name, words.day(on), tag, words.amount(minor, "EUR")) for name, on, tag, minor in rows),
        aging=aging_chart("EUR", buckets, words),
        bars=bar_chart("billed", "EUR", named, words),
        line=line_chart("over-time", "EUR", list(zip(days, amounts, strict=True)), words),
        total=words.amount(sum(amounts), "EUR"),
        day=words.day(days[-1]),
    )


_TAGS = (
    ("late", "status.overdue"),
    ("open", "status.issued"),
    ("part", "status.part_paid"),
    ("done", "status.paid"),
    ("wait", "payment_status.processing"),
    ("over", "status.void"),
)
