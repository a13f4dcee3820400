"""Discounts for paying early as they stand on an issued invoice: what they ask for, and what a payment takes of them.

Quotes, pages, payments, money at the bank and autopay all ask here. Values in, values out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from saldo.kernel.money import rounded_to_sum
from saldo.kernel.rounding import rounded_ratio
from saldo.ledger.model import LedgerAccount

# What a discount is booked to: (ledger account, tag, minor units), the net part and each tax's part by jurisdiction.
Legs = tuple[tuple[LedgerAccount, str, int], ...]


def minor_of(legs: Legs) -> int:
    return sum(minor for _, _, minor in legs)


def legs_of(legs: Legs, minor: int) -> Legs:
    """The same discount where it comes to so much: net and taxes have their parts, which make it up."""
    if not legs:
        return ()
    parts = rounded_to_sum(minor, [Fraction(minor * leg[2], minor_of(legs)) for leg in legs])
    found = ((account, tag, part) for (account, tag, _), part in zip(legs, parts, strict=True))
    return tuple(leg for leg in found if leg[2])


@dataclass(frozen=True, slots=True)
class EarlyOffer:
    """A discount as it stands on an issued invoice: through when, and what its parts are booked to, above zero."""

    until_on: date
    legs: Legs

    @property
    def minor(self) -> int:
        """What less is to be paid."""
        return minor_of(self.legs)

    def of_rest(self, left_minor: int, total_minor: int) -> EarlyOffer:
        """The discount on what credit notes left of an invoice, in proportion."""
        return self.of(rounded_ratio(self.minor * left_minor, total_minor))

    def of(self, minor: int) -> EarlyOffer:
        """The same discount where it comes to so much."""
        return EarlyOffer(self.until_on, legs_of(self.legs, minor))


Offers = tuple[EarlyOffer, ...]  # of one invoice, each smaller than the one before and good for longer


def offers_left(
    offers: Offers, open_minor: int, total_minor: int, credited_minor: int = 0, in_part: bool = False
) -> Offers:
    """The discounts on what is open, credit notes allowed for; one that would leave nothing to pay is none.

    in_part: parts that were paid have had theirs. Rounded down, so that all parts never take more than the whole.
    """
    if in_part:
        offers = tuple(offer.of(offer.minor * open_minor // total_minor) for offer in offers)
    elif credited_minor:
        left = max(total_minor - credited_minor, 0)
        offers = tuple(offer.of_rest(left, total_minor) for offer in offers)
    return tuple(offer for offer in offers if 0 < offer.minor < open_minor)


def offer_on(offers: Sequence[EarlyOffer], on: date) -> EarlyOffer | None:
    """The largest discount that a payment of this day can still take."""
    return next((offer for offer in offers if on <= offer.until_on), None)


def discount_taken(
    offers: Sequence[EarlyOffer], open_minor: int, paid_minor: int, on: date, in_part: bool = False
) -> EarlyOffer | None:
    """The discount that a payment takes which leaves no more open than the discount of its day: all that it leaves.

    on: the day of paying. in_part: one that leaves more takes its part. None where it pays all that is open, or less
    than is asked for early.
    """
    offer, left = offer_on(offers, on), open_minor - paid_minor
    if offer is None or not offer.minor < open_minor or paid_minor <= 0:
        return None
    if 0 < left <= offer.minor:
        return offer.of(left)
    part = paid_minor * offer.minor // (open_minor - offer.minor) if in_part and left > 0 else 0
    return offer.of(part) if part else None


def written_off(minor: int) -> Legs:
    """What a difference too small to chase is booked to."""
    return ((LedgerAccount.SMALL_DIFFERENCE, "", minor),) if minor else ()


def differences_of(legs: Legs) -> Legs:
    """Of what settled an invoice without money, the differences too small to chase."""
    return tuple(leg for leg in legs if leg[0] is LedgerAccount.SMALL_DIFFERENCE)


def discounts_of(legs: Legs) -> Legs:
    """… and what discounts for paying early took."""
    return tuple(leg for leg in legs if leg[0] is not LedgerAccount.SMALL_DIFFERENCE)


def with_discount(legs: Legs, more: Legs, sign: int = 1) -> Legs:
    """What discounts took of an invoice, with these too (sign -1: without them); what comes to nothing is left out."""
    found = Counter({(account, tag): minor for account, tag, minor in legs})
    for account, tag, minor in more:
        found[account, tag] += sign * minor
    return tuple((account, tag, minor) for (account, tag), minor in found.items() if minor)


def still_taken(taken: Legs, legs: Legs) -> Legs:
    """What of some legs is still among those taken: credit notes may have given a part of them back."""
    there = {(account, tag): minor for account, tag, minor in taken}
    found = ((account, tag, min(minor, there.get((account, tag), 0))) for account, tag, minor in legs)
    return tuple(leg for leg in found if leg[2])


def given_back(taken: Legs, beyond_minor: int, settled_minor: int, most_minor: int) -> Legs:
    """What goes back of the discounts that an invoice was settled with, when a credit note reaches beyond what is open.

    beyond_minor: by how much. settled_minor: what had settled the invoice by then, money, discounts and all. As large a
    part of the discounts as of the whole: the customer has back what was paid, and the last note gives the last of it.
    most_minor: what else did not go back already, to prepaid credit that had paid too.
    """
    back = rounded_ratio(minor_of(taken) * beyond_minor, settled_minor) if taken and settled_minor > 0 else 0
    return legs_of(taken, min(back, minor_of(taken), most_minor)) if back > 0 and most_minor > 0 else ()
