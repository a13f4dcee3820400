"""What was billed, kept by the auditor so that it can be given back as it was: net of what was off it, taxed as it was.

Nobody gets back what he did not pay, and what was taxed at 16 % is given back with 16 %. Sources: docs/quote.md
("Credits"), decision 0034; Directive 2006/112/EC, article 90 (the taxable amount is reduced, not a new supply made).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction

from saldo.invoicing.model import PrepaidCredit
from tests.decade.oracle_calendar import DAY
from tests.decade.oracle_prices import in_cents, whole
from tests.decade.oracle_tax import Tax


@dataclass
class Kept:
    """A line as it was invoiced. `off`: coupon or prepaid credit → what stood under the line for it, below zero for
    what was taken off a charge. `taxes` None: it was on no invoice, for all of that day came to nothing."""

    supplied_on: date
    minor: int = 0
    off: dict[str, int] = field(default_factory=dict)
    taxes: tuple[Tax, ...] | None = None
    invoiced_on: date = date.min

    def add(self, minor: int, off: dict[str, int], taxes: tuple[Tax, ...], day: date) -> None:
        """On an invoice: the charge itself, or later usage of its days."""
        self.minor += minor
        for name, part in off.items():
            self.off[name] = self.off.get(name, 0) + part
        if self.taxes is None:
            self.taxes, self.invoiced_on = taxes, day


def goes_back(kept: Kept, minor: int, prepaid: frozenset[str]) -> dict[str, int]:
    """What of each thing that was off a line stands under one that gives back (below zero) so much of it, or that takes
    such a credit back: then prepaid credit is not drawn again by this way.

    The same part as of the line; the sum is rounded once, odd cents go to the largest remainders, then to the earlier.
    """
    if not kept.minor:
        return {}
    part = Fraction(minor, kept.minor)
    off = {name: o for name, o in kept.off.items() if o * kept.minor < 0 and (minor < 0 or name not in prepaid)}
    every = abs(sum(off.values()))
    if not every or not minor:
        return {}
    total = whole(every * abs(part))
    exact = {name: Fraction(total * abs(o), every) for name, o in off.items()}
    parts = in_cents(total, exact)
    return {name: -amount if minor > 0 else amount for name, amount in parts.items() if amount}


def usable_again(credit: PrepaidCredit, drawn_on: date, day: date) -> PrepaidCredit:
    """A credit that has run out while it was tied up in an invoice has the days again that it had left then."""
    if credit.expires_on is None or credit.expires_on > day:
        return credit
    return replace(credit, expires_on=day + max(credit.expires_on - drawn_on, DAY))
