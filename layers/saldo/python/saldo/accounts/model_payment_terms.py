"""When what is invoiced is to be paid: days, months, a month's end, a day of a month. The one place that decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from saldo.kernel.periods import add_months

MONTH_END = 31  # a day beyond the month's length falls on its last


@dataclass(frozen=True, slots=True)
class PaymentTerms:
    """`days` are counted from the day of issue, or (`from_month_end`) from the end of its month, then `months`. `day`:
    to that day of the month so reached, or of the next where the days reach beyond their month's `cut_off`; without it,
    to the same day of the month as the days reach (§ 188 BGB).

    Months of 0 have a cut-off no later than the day, or go to the month's end: nothing is due before it is issued.

    >>> PaymentTerms(45, day=MONTH_END).due_on(date(2026, 1, 15))  # 45 days, then to the end of the month
    datetime.date(2026, 3, 31)
    >>> PaymentTerms(45, from_month_end=True).due_on(date(2026, 1, 15))  # to the end of the month, then 45 days
    datetime.date(2026, 3, 17)
    """

    days: int = 0
    from_month_end: bool = False
    day: int | None = None
    months: int = 0
    cut_off: int | None = None

    @property
    def is_days(self) -> bool:
        """Whether it is a number of days after the issue and nothing else."""
        return not self.from_month_end and self.day is None and not self.months

    def due_on(self, issued_on: date) -> date:
        """Never before the issue, and never earlier for a later one."""
        start = add_months(issued_on, 0, MONTH_END) if self.from_month_end else issued_on
        reached = start + timedelta(days=self.days)
        if self.day is None:
            return add_months(reached, self.months)
        is_late = self.cut_off is not None and reached.day > self.cut_off
        return add_months(reached, self.months + is_late, self.day)
