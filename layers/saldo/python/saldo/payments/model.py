"""Payments, what they are for, and what a gateway reports of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from saldo.invoicing.rules_early import EarlyOffer, Offers, discount_taken
from saldo.kernel.exchange import Booked, ExchangeRate
from saldo.kernel.money import Money
from saldo.payments.model_methods import MethodReport


class PaymentStatus(StrEnum):
    """Where a payment stands. MOVES lists the steps that a gateway's news takes. RETURNED: the bank took back what
    staff had reported as settled; no news leads there."""

    STARTED = "started"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    CANCELLED = "cancelled"
    FAILED = "failed"
    SETTLED = "settled"
    RETURNED = "returned"


_S = PaymentStatus

# Every move goes to a later state of one fixed order, so news that comes late, twice or out of order ends in the
# same state whatever its order. Money that did arrive outranks every report that it did not: a payment that failed
# or was cancelled may still settle, never the other way round.
MOVES: dict[PaymentStatus, frozenset[PaymentStatus]] = {
    _S.STARTED: frozenset({_S.REQUIRES_ACTION, _S.PROCESSING, _S.CANCELLED, _S.FAILED, _S.SETTLED}),
    _S.REQUIRES_ACTION: frozenset({_S.PROCESSING, _S.CANCELLED, _S.FAILED, _S.SETTLED}),
    _S.PROCESSING: frozenset({_S.CANCELLED, _S.FAILED, _S.SETTLED}),
    _S.CANCELLED: frozenset({_S.FAILED, _S.SETTLED}),
    _S.FAILED: frozenset({_S.SETTLED}),
    _S.SETTLED: frozenset(),
    _S.RETURNED: frozenset(),
}

UNDER_WAY = frozenset({_S.STARTED, _S.REQUIRES_ACTION, _S.PROCESSING})


@dataclass(frozen=True, slots=True)
class Allocation:
    """How much of a payment is meant for (or was applied to) one invoice, in minor units above zero.

    `number`: of the invoice, for people; "" where nobody looked it up yet. `booked_minor`: what was applied is booked
    at in the seller's own currency, where that is another. Neither is part of what is agreed or compared.
    """

    invoice_id: str
    minor: int
    number: str = field(default="", compare=False)
    booked_minor: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Payable:
    """An issued invoice as payments see it: what it is called and what is still owed, in minor units.

    early: the discounts for paying what is open early. disputed_minor: what of it is in dispute.
    promise_id: the promise to pay that it is under, "" for none. booked: at which rate it stands in the seller's own
    currency, where that is another, and how much of what is open.
    """

    invoice_id: str
    number: str
    entity_id: str
    currency: str
    due_on: date
    open_minor: int
    early: Offers = ()
    early_in_part: bool = False
    disputed_minor: int = 0
    promise_id: str = ""
    booked: Booked | None = None

    def booked_at(self, minor: int) -> int | None:
        """What so much of what is open is booked at in the seller's own currency; None where that is the same."""
        return self.booked.part(minor, Money(self.open_minor, self.currency)) if self.booked else None

    @property
    def undisputed_minor(self) -> int:
        return self.open_minor - self.disputed_minor

    def discount(self, minor: int, on: date) -> EarlyOffer | None:
        """The discount that so much, paid on this day, takes; None where it takes none."""
        return discount_taken(self.early, self.open_minor, minor, on, self.early_in_part)

    def is_settled_early(self, minor: int, on: date) -> bool:
        """Whether so much, paid on this day, settles it for less than is open."""
        offer = self.discount(minor, on)
        return offer is not None and minor + offer.minor == self.open_minor


@dataclass(frozen=True, slots=True)
class Received:
    """What came for a payment in another currency than it is taken for, and the rate between the two.

    by_bank: the bank converted it before it was in the seller's account. tolerated_minor: by how much what it is taken
    for is above (below zero: below) what the rate makes of it, because that is just what was to be paid. lost_minor:
    what was lost by taking it so, in the seller's own currency at the rate of the day, gains below zero.
    """

    money: Money
    rate: ExchangeRate
    by_bank: bool = False
    tolerated_minor: int = 0
    lost_minor: int = 0


@dataclass(frozen=True, slots=True)
class StatusChange:
    """One line of a payment's history."""

    at: datetime
    status: PaymentStatus


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment of an account through a gateway.

    allocations: what the payer chose. applied: what was posted to invoices, never more than `settled_minor`.
    parts_applied of parts: allocations are applied 40 invoices a unit; 0 of 0 until settled.
    booking_zone: the seller's time zone, in which the settlement's date is read.
    correlation_id: of the request that started it, "" for none; audit records, entries and events carry it.
    method_id: the stored method that is charged, "" when the payer pays on the gateway's page.
    own_currency: the seller's, where invoices that are paid are booked in it at a rate; `exchange`: the rate of the day
    on which the money came, None until there is one. "" and None where the payment is in the seller's own currency.
    received: what came, where that is of another currency than `amount`, which is what it is taken for.
    version: rises with each write, so that no change is made to a payment read before another change.
    """

    account_id: str
    id: str
    entity_id: str
    booking_zone: str
    status: PaymentStatus
    amount: Money
    allocations: tuple[Allocation, ...]
    reason: str
    gateway: str
    started_at: datetime
    gateway_ref: str = ""
    checkout_url: str = ""
    method: str = ""
    failure_code: str = ""
    settled_at: datetime | None = None
    settled_minor: int = 0
    applied: tuple[Allocation, ...] = ()
    parts: int = 0
    parts_applied: int = 0
    receipt_number: str = ""
    payout_id: str = ""
    paid_out_at: datetime | None = None
    history: tuple[StatusChange, ...] = ()
    version: int = 1
    correlation_id: str = ""
    method_id: str = ""
    own_currency: str = ""
    exchange: ExchangeRate | None = None
    received: Received | None = None

    @property
    def awaits_rate(self) -> bool:
        """Whether money came that nobody could say the worth of in the seller's own currency yet."""
        return bool(self.settled_at and self.own_currency and self.exchange is None)

    @property
    def unapplied_minor(self) -> int:
        """What was received and belongs to no invoice yet: the account's unapplied cash from this payment."""
        if self.status is PaymentStatus.RETURNED:
            return 0
        return self.settled_minor - sum(a.minor for a in self.applied)

    @property
    def fully_applied(self) -> bool:
        return self.parts_applied == self.parts

    @property
    def awaits_news(self) -> bool:
        """Whether the gateway has more to say: no last word yet, or a payout came and no word that it settled."""
        return self.status in UNDER_WAY or (self.paid_out_at is not None and self.settled_at is None)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a payer gets for a settled payment. lines: invoice number and minor units applied to it."""

    number: str
    payment_id: str
    paid_on: date
    amount: Money
    method: str
    lines: tuple[tuple[str, int], ...]
    unapplied_minor: int


@dataclass(frozen=True, slots=True)
class GatewayPayment:
    """What the gateway says of one payment, now or at the time of an event.

    `happened_at` is when it came into this status. `paid_out_at` and `payout_id` once it has reached the bank.
    """

    payment_id: str
    account_id: str
    ref: str
    status: PaymentStatus
    amount: Money
    happened_at: datetime
    failure_code: str = ""
    method: str = ""
    payout_id: str = ""
    paid_out_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PaidOut:
    """One payment inside a payout."""

    payment_id: str
    account_id: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Payout:
    """Money of several payments that reached the seller's bank together."""

    id: str
    paid_at: datetime
    payments: tuple[PaidOut, ...]


@dataclass(frozen=True, slots=True)
class GatewayEvent:
    """One piece of news from the gateway: about one payment, one payout, or one stored method. `id` is the gateway's
    own and unique."""

    id: str
    occurred_at: datetime
    news: GatewayPayment | Payout | MethodReport


class Outcome(StrEnum):
    """What became of an event."""

    APPLIED = "applied"
    OUTDATED = "outdated"
    DUPLICATE = "duplicate"
    PARKED = "parked"


@dataclass(slots=True)
class SweepReport:
    """What a sweep did: payments asked about, changed, not known to the gateway, unanswered; parked events resolved."""

    asked: int = 0
    changed: int = 0
    unknown: int = 0
    unanswered: int = 0
    resolved: int = 0
    payments_changed: list[str] = field(default_factory=list)
