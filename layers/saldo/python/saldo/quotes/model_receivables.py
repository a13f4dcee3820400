"""What happens to quoted invoices once they are issued: payments, credit notes, discounts, interest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from saldo.accounts.model import Settle
from saldo.invoicing.model import InvoiceBody
from saldo.invoicing.rules_interest import LateCharges, LateInterest
from saldo.invoicing.rules_terms import EarlyPayment, Part
from saldo.invoicing.rules_tolerance import Tolerance
from saldo.kernel.exchange import ExchangeRate
from saldo.kernel.money import Money
from saldo.kernel.rounding import rounded_ratio
from saldo.ledger.model import AgingBucket
from saldo.ledger.rules import AGING_BOUNDS, AgingBounds


class AgedBy(StrEnum):
    """From which day a debt is aged."""

    DUE = "due"
    ISSUED = "issued"


@dataclass(frozen=True, slots=True)
class PaymentMade:
    """Money received (below zero: given back) on a day, for `invoice` (counted from 1), for `parts` of several
    (number, minor units), or else as the terms settle; `unapplied`: for none, it is the customer's credit.

    What is given back for no invoice comes out of the customer's credit first. `kept_minor`: what a bank, or the buyer
    for the state, kept of it; it settles too. `exchange`: the rate of that day where the ledger has another currency;
    `worth_minor`: what it was worth there, in minor units of the ledger, where that is told instead. `taken_back_on`:
    the bank took it back on that day, with the discount that it had.
    """

    on: date
    amount_minor: int
    invoice: int | None = None
    exchange: ExchangeRate | None = None
    parts: tuple[tuple[int, int], ...] = ()
    kept_minor: int = 0
    unapplied: bool = False
    worth_minor: int | None = None
    taken_back_on: date | None = None

    @property
    def settles_minor(self) -> int:
        return self.amount_minor + self.kept_minor

    def worth(self, reached: int, part: Money) -> int | None:
        """What a part of it is worth in the ledger's currency when so much of it was told before; None: not known."""
        if self.worth_minor is not None and self.settles_minor:
            whole = abs(self.settles_minor)
            worth = self.worth_minor if self.settles_minor > 0 else -self.worth_minor
            upto, before = (rounded_ratio(worth * n, whole) for n in (reached + part.minor, reached))
            return upto - before
        return self.exchange.convert_part(reached, part) if self.exchange else None


@dataclass(frozen=True, slots=True)
class CreditUse:
    """Of what the customer has with the seller, `minor` (None: as far as it reaches) is used for an invoice."""

    on: date
    invoice: int
    minor: int | None = None


@dataclass(frozen=True, slots=True)
class CreditAsked:
    """A credit note over an invoice (counted from 1): `amounts` by line, or `minor` spread over its lines, or all.

    `place`: where in the document it is asked for."""

    on: date
    invoice: int
    amounts: Mapping[str, int] = field(default_factory=dict)
    minor: int | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class WriteOff:
    """What is open of an invoice (counted from 1), or `minor` of it, is given up."""

    on: date
    invoice: int
    minor: int | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """The rules that receivables are handled by; None or empty where there are none. Discounts for paying early are on
    the invoices."""

    late_interest: LateInterest | None = None
    instalments: tuple[Part, ...] = ()
    tolerance: Tolerance = field(default_factory=Tolerance)
    settle: Settle = Settle.OLDEST


@dataclass(frozen=True, slots=True)
class AgingAsked:
    """Buckets of days, what is expected to be lost of each, over how many days sales are taken for the figures, and how
    many days a month counts when counting back (None: its own)."""

    by: AgedBy = AgedBy.DUE
    bounds: AgingBounds = AGING_BOUNDS
    loss_percents: tuple[Decimal, ...] = ()
    sales_days: int | None = None
    month_days: int | None = None


@dataclass(frozen=True, slots=True)
class ReceivablesAsked:
    """What is to be done with the invoices through the day `as_of` (None: all of it).

    `closing`: the rate at which what is open is valued then.
    """

    as_of: date | None = None
    events: tuple[PaymentMade | CreditAsked | WriteOff | CreditUse, ...] = ()
    terms: Terms = field(default_factory=Terms)
    closing: ExchangeRate | None = None
    aging: AgingAsked = AgingAsked()


@dataclass(frozen=True, slots=True)
class Receivable:
    """How an invoice stands. `open_after`: what was open after each event that touched it. Minor units. `parts`: its
    instalments; `parts_due_on`: when each is due, where one has a day of its own."""

    body: InvoiceBody
    open_minor: int
    open_after: tuple[int, ...] = ()
    written_off_minor: int = 0
    early: tuple[EarlyPayment, ...] = ()
    parts: tuple[int, ...] = ()
    parts_due_on: tuple[date, ...] = ()
    late: LateCharges | None = None
    discount_taken_minor: int = 0


@dataclass(frozen=True, slots=True)
class Revalued:
    """What is open, in the ledger's currency: as booked, and at the closing rate. Minor units."""

    booked_minor: int
    now_minor: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Days of sales outstanding by the balance, counted back, and at best (had all been paid when due); how late
    payment is on average; the collection effectiveness index in percent; how often receivables turn over. To two
    digits, None where there is nothing to reckon it from."""

    days: Decimal | None
    counted_back: Decimal | None
    at_best: Decimal | None
    delinquent: Decimal | None
    effectiveness: Decimal | None
    turnover: Decimal | None


@dataclass(frozen=True, slots=True)
class Aged:
    """The open invoices by days past due; what is expected to be lost (empty: not asked); figures where asked for."""

    as_of: date
    buckets: tuple[AgingBucket, ...]
    losses_minor: tuple[int, ...] = ()
    figures: Figures | None = None


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
