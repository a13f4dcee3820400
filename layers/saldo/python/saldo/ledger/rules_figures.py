"""Figures of receivables: how long sales wait to be paid, and how well what is owed is collected. No clock, no I/O.

Days of sales outstanding by the balance, by counting back and at best, and the collection effectiveness index are those
of the Credit Research Foundation. Amounts in minor units; exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Sales:
    """What was sold on credit over some days."""

    days: int
    minor: int


@dataclass(frozen=True, slots=True)
class Owing:
    """What was owed when a period began and ended; `current_minor`: of the end's, what was not due yet."""

    begin_minor: int
    end_minor: int
    current_minor: int


def days_outstanding(receivable_minor: int, sales: Sales) -> Fraction | None:
    """What is owed over what was sold, times the days; None where nothing was sold."""
    return Fraction(receivable_minor * sales.days, sales.minor) if sales.minor > 0 else None


def days_counted_back(receivable_minor: int, months: Sequence[Sales]) -> Fraction | None:
    """Months from the last one back, each used up whole until what is owed is; of the last as much as it takes.

    None where more is owed than was sold in all of them.
    """
    left, days = receivable_minor, Fraction(0)
    for month in months:
        if left <= 0:
            break
        taken = min(left, max(month.minor, 0))
        days += month.days if taken == max(month.minor, 0) else Fraction(taken * month.days, month.minor)
        left -= taken
    return None if left > 0 else days


def collection_effectiveness(owed: Owing, sales: Sales) -> Fraction | None:
    """Of what could be collected, how much was, in percent: 100 where nothing is left but what is not due yet."""
    could = owed.begin_minor + sales.minor - owed.current_minor
    return Fraction((owed.begin_minor + sales.minor - owed.end_minor) * 100, could) if could > 0 else None


def turnover(owed: Owing, sales: Sales) -> Fraction | None:
    """How often what is owed on average was sold."""
    average = Fraction(owed.begin_minor + owed.end_minor, 2)
    return sales.minor / average if average > 0 else None
