"""Differences too small to chase: what a payment leaves of an invoice and is written off without asking.

Payments on record and quotes both ask here. Values in, values out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from saldo.kernel.errors import Problem
from saldo.tax.rules import percent_of


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How small a difference is written off without asking: the lowest of the limits that are set.

    `amount_minor` is the customer's, `clerk_minor` that of whoever posts; `percent` is of the open item.
    """

    amount_minor: int | None = None
    percent: Decimal | None = None
    clerk_minor: int | None = None

    def limit_of(self, open_minor: int) -> int:
        """The greatest difference written off on an item, in minor units; 0 where no limit is set."""
        limits = [limit for limit in (self.amount_minor, self.clerk_minor) if limit is not None]
        if self.percent is not None:
            limits.append(percent_of(abs(open_minor), self.percent))
        return min(limits, default=0)


def tolerance_problems(tolerance: Tolerance) -> Iterator[Problem]:
    """What is wrong with limits, chosen by a seller or in a quote."""
    if tolerance == Tolerance():
        yield Problem("amount", "missing", "a tolerance has an `amount`, a `percent` or a `clerk_amount`")
    for name, minor in (("amount", tolerance.amount_minor), ("clerk_amount", tolerance.clerk_minor)):
        if minor is not None and minor < 0:
            yield Problem(name, "negative", "must be zero or more")
    if tolerance.percent is not None and not 0 <= tolerance.percent <= 100:
        yield Problem("percent", "out_of_range", "from 0 to 100 per cent of the open item")


def tolerated(tolerance: Tolerance, open_minor: int, paid_minor: int, disputed_minor: int = 0) -> int:
    """What a payment leaves of an item that had so much open, where that is written off; else 0.

    Nothing of an item that is in dispute: what of it is owed is still to be said.
    """
    left = open_minor - paid_minor
    is_small = paid_minor > 0 and 0 < left <= tolerance.limit_of(open_minor)
    return left if is_small and not disputed_minor else 0
