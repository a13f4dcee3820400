"""When an account usually pays, from what it paid so far, and when an invoice is therefore expected to be paid.

How late each invoice was paid counts the less the longer ago that was: half as much after each half year. The sums grow
instead of fading (forward decay), so that they are whole numbers that payments add to in any order, and take away from
again where the bank took money back. No clock, no I/O.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

_SINCE, _HALF_YEAR = date(2020, 1, 1), 182
# A doubling for each half year until then; later all weigh alike. DynamoDB counts in 38 digits.
_MOST_DOUBLINGS = 80
# One that was forgotten, or paid years before it was due, says little about the next.
EARLIEST, LATEST = -60, 120
# Of fewer nothing is usual.
FEWEST = 3


@dataclass(frozen=True, slots=True)
class Habit:
    """`paid`: how many invoices were paid. `weight`: what they weigh together; `days`: the days after the due date on
    which they were paid (before it: less than 0), each by its weight."""

    paid: int = 0
    weight: int = 0
    days: int = 0

    def __add__(self, other: Habit) -> Habit:
        return Habit(self.paid + other.paid, self.weight + other.weight, self.days + other.days)

    def __sub__(self, other: Habit) -> Habit:
        return Habit(self.paid - other.paid, self.weight - other.weight, self.days - other.days)

    @property
    def usual_days(self) -> int | None:
        """So many days after the due date (before it: less than 0) it usually pays; None while there is no telling."""
        if self.paid < FEWEST or self.weight <= 0:
            return None
        return (2 * self.days + self.weight) // (2 * self.weight)


class Because(StrEnum):
    """Why a day is expected, the surest first. LATER: it is later than usual already, and no day is named. DUE: too
    little was paid so far to say more; UNKNOWN: and it is overdue."""

    SCHEDULED = "scheduled"
    PROMISED = "promised"
    HABIT = "habit"
    LATER = "later"
    DUE = "due"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Expected:
    """`on`: when an invoice is expected to be paid, None where nobody can tell. `days`: as `Habit.usual_days`, where
    that is why."""

    because: Because
    on: date | None
    days: int = 0


def paid_so(due_on: date, paid_on: date) -> Habit:
    """What one invoice adds."""
    halves, rest = divmod(max((paid_on - _SINCE).days, 0), _HALF_YEAR)
    halves, rest = (halves, rest) if halves < _MOST_DOUBLINGS else (_MOST_DOUBLINGS, 0)
    weight = (_HALF_YEAR + rest) << halves
    late = min(max((paid_on - due_on).days, EARLIEST), LATEST)
    return Habit(1, weight, late * weight)


def habit_of(paid: Iterable[tuple[date, date]]) -> Habit:
    """paid: (due on, paid on) of each invoice, in any order."""
    return sum((paid_so(*one) for one in paid), Habit())


def expected(
    due_on: date, habit: Habit, today: date, *, scheduled_on: date | None = None, promised_on: date | None = None
) -> Expected:
    """When an open invoice will be paid: as is agreed, else as usual, else when it is due.

    scheduled_on: of a payment that is scheduled for all of it. promised_on: the last day of a promise or of a plan of
    instalments. Days that went by without money tell nothing any more.
    """
    if scheduled_on is not None and scheduled_on >= today:
        return Expected(Because.SCHEDULED, scheduled_on)
    if promised_on is not None and promised_on >= today:
        return Expected(Because.PROMISED, promised_on)
    usual = habit.usual_days
    if usual is None:
        return Expected(Because.DUE, due_on) if due_on >= today else Expected(Because.UNKNOWN, None)
    on = due_on + timedelta(days=usual)
    return Expected(Because.HABIT, on, usual) if on >= today else Expected(Because.LATER, None, usual)
