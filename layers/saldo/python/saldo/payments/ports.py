"""What payments need of a gateway, in Saldo's own words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from saldo.kernel.money import Money
from saldo.payments.model import GatewayPayment
from saldo.payments.model_methods import MethodReport


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """A wish for a hosted pay page. `payment_id` is the idempotency key, for ever; nothing here is personal.

    `token`: of a stored method, which is then charged at once, without the payer. The page is where they finish what
    their bank wants to hear from themselves.
    """

    payment_id: str
    account_id: str
    amount: Money
    description: str
    merchant: str
    language: str
    return_url: str
    token: str = ""


@dataclass(frozen=True, slots=True)
class SetupRequest:
    """A wish for a hosted page where a payer stores a method. `method_id` is the idempotency key, for ever."""

    method_id: str
    account_id: str
    currency: str
    merchant: str
    language: str
    return_url: str


@dataclass(frozen=True, slots=True)
class Checkout:
    """The gateway's own reference of a payment (or of a method to be stored), and the address of its page.

    `said`: what the gateway knows of the payment at this moment, where it answers that too.
    """

    ref: str
    url: str
    said: GatewayPayment | None = None


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

    def create_setup(self, request: SetupRequest) -> Checkout:
        """Open a page where a method is stored; the same method id always yields the same page."""
        ...

    def find_setup(self, method_id: str) -> Checkout | None:
        """The page that was opened for this method, if any."""
        ...

    def look_up_setup(self, method_id: str) -> MethodReport | None:
        """What the gateway knows of a method now; None when it has never heard of it."""
        ...

    def forget(self, method_id: str) -> None:
        """Let go of a stored method: it can be charged no more. Harmless to repeat, also for an unknown one."""
        ...
