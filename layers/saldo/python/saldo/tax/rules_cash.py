"""When tax is due as it is paid (cash basis: UK cash accounting, German Ist-Versteuerung § 20 UStG): each payment
carries its part of each tax, and the parts of all payments add up to the invoice's tax, to the cent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from saldo.kernel.money import Money, split_by_weights
from saldo.kernel.rounding import rounded_ratio
from saldo.tax.model import Collection, TaxShare, TaxTotal


@dataclass(frozen=True, slots=True)
class Undue:
    """What of an invoice is not paid yet: `totals` with their bases and taxes, and `net_minor` beside the taxes."""

    net_minor: int
    totals: tuple[TaxTotal, ...]

    @property
    def minor(self) -> int:
        return self.net_minor + sum(total.tax_minor for total in self.totals)


def undue(total_minor: int, totals: Iterable[TaxTotal]) -> Undue:
    """Of a document when it is issued. Taxes that the buyer hands to the state are no part of what it pays."""
    charged = tuple(total for total in totals if total.collection is Collection.CHARGED)
    return Undue(total_minor - sum(total.tax_minor for total in charged), charged)


def paid(open: Undue, minor: int) -> tuple[Undue, tuple[TaxTotal, ...]]:
    """What is left after a payment (zero or more; what is more than is open is not for this document), and what is
    due of it: by largest remainder of what was left, so that the last payment takes what the others left."""
    minor = min(minor, open.minor)
    if minor <= 0:
        return open, ()
    taxes = _taxes(open, minor)
    bases = [rounded_ratio(t.base_minor * minor, open.minor) for t in open.totals]
    due = tuple(
        replace(t, base_minor=base, tax_minor=tax) for t, base, tax in zip(open.totals, bases, taxes, strict=True)
    )
    left = tuple(_less(t, part) for t, part in zip(open.totals, due, strict=True))
    return Undue(open.net_minor - (minor - sum(taxes)), left), due


def _taxes(open: Undue, minor: int) -> list[int]:
    weights = [open.net_minor, *(t.tax_minor for t in open.totals)]
    if min(weights) < 0:  # a document with something taken off: in proportion, the net takes the odd cents
        return [rounded_ratio(t.tax_minor * minor, open.minor) for t in open.totals]
    return [part.minor for part in split_by_weights(Money(minor, "XXX"), weights)][1:]


def _less(total: TaxTotal, part: TaxTotal) -> TaxTotal:
    return replace(total, base_minor=total.base_minor - part.base_minor, tax_minor=total.tax_minor - part.tax_minor)


def taken_back(open: Undue, note_minor: int, note: Sequence[TaxTotal]) -> tuple[Undue, tuple[TaxTotal, ...]]:
    """What is left after a credit note (amounts below zero), and what is thereby due back (below zero): whatever of a
    tax is not open any more was due before."""
    credited = undue(note_minor, note)
    left, back = list(open.totals), []
    for part in credited.totals:
        at = next((n for n, total in enumerate(left) if _kind(total) == _kind(part)), None)
        total = left[at] if at is not None else replace(part, base_minor=0, tax_minor=0)
        tax, base = total.tax_minor + part.tax_minor, total.base_minor + part.base_minor
        over_tax, over_base = _beyond(tax, part.tax_minor), _beyond(base, part.base_minor)
        if over_tax or over_base:
            back.append(replace(part, base_minor=over_base, tax_minor=over_tax))
        if at is not None:
            left[at] = replace(total, base_minor=base - over_base, tax_minor=tax - over_tax)
    net = open.net_minor + credited.net_minor
    return Undue(net - _beyond(net, credited.net_minor), tuple(left)), tuple(back)


def _beyond(left: int, taken: int) -> int:
    """How far a part was taken beyond nothing, in the direction in which it was taken."""
    return min(left, 0) if taken < 0 else max(left, 0) if taken > 0 else 0


def _kind(total: TaxTotal) -> tuple[TaxShare, bool]:
    return total.share, total.included
