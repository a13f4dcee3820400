"""What makes an account's invoices less: coupons, prepaid credit, and what credit notes gave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from saldo.kernel.exchange import ExchangeRate


class CouponDuration(StrEnum):
    """ONCE: on one invoice; REPEATING: on `times` invoices; FOREVER: on all."""

    ONCE = "once"
    REPEATING = "repeating"
    FOREVER = "forever"


@dataclass(frozen=True, slots=True)
class Coupon:
    """A discount that an account holds: `percent` (10 is 10 %) or `amount` (major units) off, before tax.

    It takes off lines of `plans` and `components` (ids; empty: all of them) on invoices from `from_on` and before
    `until_on`, if these come to `minimum` at least, and `maximum` at most (major units). `used`: on how many invoices
    it was. What an amount is more than those lines come to lapses, unless it `carries`: then it is for its invoices
    together, and `taken_minor` is what they had of it. `currency`: of `amount`, `minimum`, `maximum` and what was
    taken, "" for the account's; another one is converted at the rate of the seller's policy for the invoice.
    """

    id: str
    names: dict[str, str]
    percent: Decimal | None = None
    amount: Decimal | None = None
    duration: CouponDuration = CouponDuration.FOREVER
    times: int = 1
    plans: frozenset[str] = frozenset()
    components: frozenset[str] = frozenset()
    from_on: date | None = None
    until_on: date | None = None
    used: int = 0
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    carries: bool = False
    taken_minor: int = 0
    currency: str = ""


@dataclass(frozen=True, slots=True)
class PrepaidCredit:
    """Money an account has with the seller to be used up by invoices, until before `expires_on`.

    Drawn in the order of `priority`, then the earliest to expire, then free before paid for, then the oldest.
    `components`: ids of those (also items) that it may pay for; empty: all.
    """

    id: str
    balance_minor: int
    granted_on: date
    expires_on: date | None = None
    priority: int = 0
    paid: bool = True
    components: frozenset[str] = frozenset()


class CreditSource(StrEnum):
    CREDIT_NOTE = "credit_note"
    PREPAID = "prepaid"


@dataclass(frozen=True, slots=True)
class AppliedCredit:
    """What was drawn (above zero) from a credit: the balance of credit notes, or a prepaid credit by its id.

    `before_tax`: it is a line of the invoice; otherwise it pays for the invoice. Below zero it goes back to the prepaid
    credit that it was drawn from on `drawn_on`.
    """

    source: CreditSource
    credit_id: str
    minor: int
    before_tax: bool = False
    drawn_on: date | None = None


@dataclass(frozen=True, slots=True)
class CouponUse:
    """What a coupon took off one invoice, and what of an amount lapsed. `coupon_minor`: what it took in the coupon's
    own currency, and `rate`, where that is not the invoice's."""

    coupon_id: str
    minor: int
    unused_minor: int = 0
    coupon_minor: int | None = None
    rate: ExchangeRate | None = None


@dataclass(frozen=True, slots=True)
class Wallet:
    """What an account has that makes its next invoices less: coupons in the order in which they are taken off, prepaid
    credits, and what it has from credit notes (minor units)."""

    coupons: tuple[Coupon, ...] = ()
    credits: tuple[PrepaidCredit, ...] = ()
    credit_note_minor: int = 0
