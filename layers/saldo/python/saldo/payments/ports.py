"""What payments need of a gateway, in Saldo's own words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from saldo.kernel.money import Money
from saldo.payments.model import GatewayPayment


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """A wish for a hosted pay page. `payment_id` is the idempotency key, for ever; nothing here is personal."""

    payment_id: str
    account_id: str
    amount: Money
    description: str
    merchant: str
    language: str
    return_url: str


@dataclass(frozen=True, slots=True)
class Checkout:
    """The gateway's own reference of a payment, and the address of its pay page."""

    ref: str
    url: str


class Gateway(Protocol):
    """A payment gateway with a hosted pay page.

    Every call raises Unavailable when no answer came (the call may have been carried out all the same) and Refusal
    `gateway_refused` when the gateway said no.
    """

    @property
    def name(self) -> str: ...

    def create_checkout(self, request: CheckoutRequest) -> Checkout:
        """Open a checkout; the same payment id always yields the same checkout."""
        ...

    def find_checkout(self, payment_id: str) -> Checkout | None:
        """The checkout that was opened for this payment, if any: how a lost answer is settled."""
        ...

    def look_up(self, ref: str) -> GatewayPayment | None:
        """What the gateway knows of a payment now; None when it does not know the reference."""
        ...
