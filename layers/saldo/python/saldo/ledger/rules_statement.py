"""Statements from sums of days and the lines of one page: values in, values out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from saldo.ledger.model import AgingBucket
from saldo.ledger.model_statement import PAGE, DaySum, Line, Place, Statement, StatementLine


def sums_of(lines: Iterable[Line]) -> list[DaySum]:
    """The sums of each day and currency of these lines, by day and currency."""
    found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for line in lines:
        one = found[line.on, line.currency]
        one[0] += 1
        if line.minor:
            one[1] += 1
            one[2 if line.minor > 0 else 3] += line.minor
    return [DaySum(*key, *found[key]) for key in sorted(found)]


def replaced(sums: Iterable[DaySum], days: Iterable[str], fresh: Iterable[DaySum]) -> list[DaySum]:
    """The sums with those of these days as they are now."""
    gone = frozenset(days)
    return sorted([*(one for one in sums if one.on not in gone), *fresh])


def entries_in(sums: Iterable[DaySum]) -> int:
    return sum(one.entries for one in sums)


def place_of(sums: Sequence[DaySum], from_on: str, to_on: str, page: int) -> Place:
    """Where the lines of a page lie; the last page for one beyond it. sums: by day; ISO dates, both included."""
    lines: dict[str, int] = defaultdict(int)
    for one in sums:
        if from_on <= one.on <= to_on and one.lines:
            lines[one.on] += one.lines
    pages = max(1, -(-sum(lines.values()) // PAGE))
    page = min(max(page, 1), pages)
    before, skip, first_on, last_on = (page - 1) * PAGE, 0, "", ""
    passed = 0
    for on, count in lines.items():
        if passed + count > before and passed < before + PAGE:
            if not first_on:
                first_on, skip = on, before - passed
            last_on = on
        passed += count
    return Place(first_on, last_on, skip, page, pages)


def page_of(
    sums: Sequence[DaySum],
    lines: Iterable[Line],
    from_on: str,
    to_on: str,
    place: Place,
    aged: Mapping[str, Sequence[AgingBucket]],
    most: int | None = PAGE,
) -> tuple[Statement, ...]:
    """One statement per currency that has a balance or a change; lines: all of the days of the place.

    Of one day, what was charged comes before what was paid: a balance does not dip for what came the same day.
    most: so many of them are shown; None for all.
    """
    opening, carried, charged, paid = (defaultdict[str, int](int) for _ in range(4))
    for one in sums:
        minor = one.charged_minor + one.paid_minor
        if one.on < from_on:
            opening[one.currency] += minor
        elif one.on <= to_on:
            charged[one.currency] += one.charged_minor
            paid[one.currency] += one.paid_minor
        if one.on < (place.first_on or from_on):
            carried[one.currency] += minor
    shown = sorted((line for line in lines if line.minor), key=lambda line: (line.on, line.minor < 0))
    for line in shown[: place.skip]:
        carried[line.currency] += line.minor
    running, found = dict(carried), defaultdict[str, list[StatementLine]](list)
    for line in islice(shown, place.skip, place.skip + most if most else None):
        running[line.currency] = running.get(line.currency, 0) + line.minor
        found[line.currency].append(StatementLine(line, running[line.currency]))
    made = []
    for code in sorted({one.currency for one in sums if one.on <= to_on}):
        first, up, down = opening[code], charged[code], paid[code]
        if first or up or down or found[code]:
            own = tuple(found[code]), up, down, first + up + down, tuple(aged.get(code, ()))
            made.append(Statement(code, first, carried[code], *own))
    return tuple(made)
