"""Which open invoices money settles that names none: for money at the bank, and for quotes. Values in, values out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from saldo.accounts.model import Settle
from saldo.invoicing.rules_early import Offers, offer_on
from saldo.kernel.money import rounded_to_sum


@dataclass(frozen=True, slots=True)
class Due:
    """An open invoice. `place`: where it is among those asked about. `early`: discounts for paying early."""

    place: int
    due_on: date
    open_minor: int
    early: Offers = ()

    def settled_by(self, on: date) -> int:
        """What settles it when paid on a day."""
        offer = offer_on(self.early, on)
        return self.open_minor - offer.minor if offer else self.open_minor


def in_turn(items: Sequence[Due], how: Settle) -> list[Due]:
    """In the order in which money settles them; those alike as they stand."""
    if how in (Settle.LARGEST, Settle.SMALLEST):
        return sorted(items, key=lambda one: one.open_minor, reverse=how is Settle.LARGEST)
    by_due = sorted(items, key=lambda one: one.due_on)
    return by_due[::-1] if how is Settle.NEWEST else by_due


def shares(minor: int, items: Sequence[Due], on: date, how: Settle | None = None) -> list[tuple[int, int]]:
    """(place, minor units) of what each invoice has of money of a day, as far as it reaches; None: as they are given.

    Each has what settles it that day, a discount for paying early allowed for; money beyond that pays what the first of
    them have open besides. PROPORTIONAL: by what is open, to the cent by largest remainder.
    """
    owed = [one for one in items if one.open_minor > 0]
    if how is Settle.PROPORTIONAL and owed:
        whole = sum(one.open_minor for one in owed)
        left = min(minor, whole)
        parts = rounded_to_sum(left, [Fraction(left * one.open_minor, whole) for one in owed])
        return [(one.place, part) for one, part in zip(owed, parts, strict=True) if part > 0]
    owed = owed if how is None else in_turn(owed, how)
    found = dict.fromkeys((one.place for one in owed), 0)
    for most in ([one.settled_by(on) for one in owed], [one.open_minor for one in owed]):
        for one, limit in zip(owed, most, strict=True):
            part = min(max(minor, 0), limit - found[one.place])
            found[one.place] += part
            minor -= part
    return [(place, part) for place, part in found.items() if part > 0]
