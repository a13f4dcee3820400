"""What happens to quoted invoices once they are issued: payments, credit notes, discounts, interest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from saldo.invoicing.model import InvoiceBody
from saldo.invoicing.rules_interest import LateCharges, LateInterest
from saldo.invoicing.rules_terms import EarlyDiscount, EarlyPayment, Part, Tolerance
from saldo.kernel.exchange import ExchangeRate
from saldo.ledger.model import AgingBucket


@dataclass(frozen=True, slots=True)
class PaymentMade:
    """Money received (below zero: given back) on a day, for `invoice` (counted from 1) or else the oldest first.

    What is given back for no invoice comes out of the customer's credit first. `exchange`: the rate of that day where
    the ledger has another currency.
    """

    on: date
    amount_minor: int
    invoice: int | None = None
    exchange: ExchangeRate | None = None


@dataclass(frozen=True, slots=True)
class CreditAsked:
    """A credit note over an invoice (counted from 1): `amounts` by line, or `minor` spread over its lines, or all."""

    on: date
    invoice: int
    amounts: Mapping[str, int] = field(default_factory=dict)
    minor: int | None = None


@dataclass(frozen=True, slots=True)
class WriteOff:
    """What is open of an invoice (counted from 1), or `minor` of it, is given up."""

    on: date
    invoice: int
    minor: int | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """The rules that receivables are handled by; None or empty where there are none."""

    early_discount: EarlyDiscount | None = None
    late_interest: LateInterest | None = None
    instalments: tuple[Part, ...] = ()
    tolerance: Tolerance = field(default_factory=Tolerance)


@dataclass(frozen=True, slots=True)
class ReceivablesAsked:
    """What is to be done with the invoices through the day `as_of` (None: all of it).

    `closing`: the rate at which what is open is valued then. `loss_percents`: what is expected to be lost of each
    bucket of the aging. `sales_days`: over how many days sales are taken for the days they are outstanding.
    """

    as_of: date | None = None
    events: tuple[PaymentMade | CreditAsked | WriteOff, ...] = ()
    terms: Terms = field(default_factory=Terms)
    closing: ExchangeRate | None = None
    loss_percents: tuple[Decimal, ...] = ()
    sales_days: int | None = None


@dataclass(frozen=True, slots=True)
class Receivable:
    """How an invoice stands. `open_after`: what was open after each event that touched it. Minor units."""

    body: InvoiceBody
    open_minor: int
    open_after: tuple[int, ...] = ()
    written_off_minor: int = 0
    early: EarlyPayment | None = None
    parts: tuple[int, ...] = ()
    late: LateCharges | None = None
    discount_taken_minor: int = 0


@dataclass(frozen=True, slots=True)
class Revalued:
    """What is open, in the ledger's currency: as booked, and at the closing rate. Minor units."""

    booked_minor: int
    now_minor: int


@dataclass(frozen=True, slots=True)
class Aged:
    """The open invoices by days past due; what is expected to be lost (None: not asked); days of sales outstanding."""

    as_of: date
    buckets: tuple[AgingBucket, ...]
    losses_minor: tuple[int, ...] = ()
    sales_outstanding: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Receivables:
    """How the account stands. `credit_minor`: what the customer has with the seller. `fx_minor`: realised exchange
    differences in the ledger's currency, above zero a loss."""

    invoices: tuple[Receivable, ...]
    credit_notes: tuple[InvoiceBody, ...]
    credit_minor: int
    fx_minor: int
    fx_currency: str
    fx_steps: tuple[tuple[int, int], ...] = ()
    revalued: Revalued | None = None
    aged: Aged | None = None
