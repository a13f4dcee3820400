"""What a document shows, as plain values: no wording, no layout, nothing to look up.

Amounts are whole minor units of the document's currency, quantities, prices (major units) and rates in per cent
(19 for 19 %) are Decimal, periods are half-open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from saldo.accounts.model import Address, BankStatement
from saldo.invoicing.model import PricedIn
from saldo.kernel.exchange import ExchangeRate
from saldo.kernel.periods import Period
from saldo.rating.model import Share, Step
from saldo.tax.model import Collection


class DocumentKind(StrEnum):
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    RECEIPT = "receipt"


@dataclass(frozen=True, slots=True)
class SellerView:
    """The legal entity as its documents name it."""

    name: str
    address: Address
    tax_registrations: Mapping[str, str]
    bank_name: str
    iban: str
    bic: str
    email: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class BuyerView:
    """To whom the document goes."""

    legal_name: str
    contact_name: str
    address: Address
    tax_id: str
    purchase_order: str
    account_id: str
    country: str


@dataclass(frozen=True, slots=True)
class LineView:
    """One line. `unit_price` (major units) is None where one price would not tell the truth; `steps` then do.

    `share` of the period is charged; the whole, or what of it the line covers.
    `priced_in`: what it comes to in the currency of its price, which prices and steps are in, where it was converted.
    """

    description: str
    period: Period
    quantity: Decimal
    unit: str
    unit_price: Decimal | None
    percent: Decimal
    net_minor: int
    steps: tuple[Step, ...] = ()
    share: Share = Share()  # noqa: RUF009 - frozen, so one default serves all
    priced_in: PricedIn | None = None


@dataclass(frozen=True, slots=True)
class TaxView:
    """One row of the tax summary: EN 16931 category (S, Z, E, AE, K, G, O), rate, what it is of, what it makes, and who
    hands it to the state."""

    category: str
    percent: Decimal
    name: str
    jurisdiction: str
    base_minor: int
    tax_minor: int
    collection: Collection = Collection.CHARGED


@dataclass(frozen=True, slots=True)
class Look:
    """A version of a seller's template: what it sets otherwise than Saldo's own documents.

    `logo`: text at the head, the seller's name where empty. `accent`: colour as #rrggbb. `clauses`: sentences below the
    totals, and `footer` one above the seller's facts, by language ("" for all that have none of their own). `steps`:
    whether how a price came about is shown line by line.
    """

    logo: str = ""
    accent: str = "#0f5d6b"
    clauses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    footer: Mapping[str, str] = field(default_factory=dict)
    steps: bool = True

    def clauses_in(self, language: str) -> tuple[str, ...]:
        return self.clauses.get(language, self.clauses.get("", ()))

    def footer_in(self, language: str) -> str:
        return self.footer.get(language, self.footer.get("", ""))


@dataclass(frozen=True, slots=True)
class EarlyView:
    """What settles the invoice when paid through `until_on`. `percent` is of the net amount."""

    percent: Decimal
    until_on: date
    minor: int


@dataclass(frozen=True, slots=True)
class Reference:
    """Another document, as one names it on paper."""

    number: str
    issued_on: date


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """One issued invoice or credit note as its PDF shows it; a credit note's amounts are below zero.

    `corrects`: the invoice that a credit note takes something back of, or that this invoice stands for. `paid_minor`:
    what credits paid of the total, and `rounding_minor` what was added to it to be paid in coins, so that
    `payable_minor` is left, less taxes that the buyer pays to the state. `note`: a sentence of staff for the customer.
    `exchange`: the rate that the seller's books take it at, where they are kept in another currency. `terms`: what the
    due date followed from, in words, where it is more than days.
    `changed`: the seller's statement, where the account named here had been changed shortly before.
    """

    number: str
    issued_on: date
    due_on: date
    currency: str
    language: str
    seller: SellerView
    buyer: BuyerView
    lines: tuple[LineView, ...]
    taxes: tuple[TaxView, ...]
    net_minor: int
    tax_minor: int
    total_minor: int
    portal_url: str
    is_credit_note: bool = False
    corrects: Reference | None = None
    early: tuple[EarlyView, ...] = ()
    early_in_part: bool = False
    early_tax_always: bool = False
    note: str = ""
    paid_minor: int = 0
    exchange: ExchangeRate | None = None
    look: Look = Look()
    changed: BankStatement | None = None
    rounding_minor: int = 0
    terms: str = ""

    @property
    def kept_taxes(self) -> tuple[TaxView, ...]:
        """Those that the buyer pays to the state, withheld or split."""
        return tuple(tax for tax in self.taxes if tax.collection is not Collection.CHARGED)

    @property
    def payable_minor(self) -> int:
        kept = sum(tax.tax_minor for tax in self.kept_taxes)
        return self.total_minor - kept + self.rounding_minor - self.paid_minor


@dataclass(frozen=True, slots=True)
class PaidInvoiceView:
    """One invoice that a payment went to."""

    number: str
    issued_on: date
    total_minor: int
    paid_minor: int


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """One settled payment as its receipt shows it. `reference` is the gateway's own name for the payment."""

    number: str
    settled_on: date
    currency: str
    language: str
    method: str
    reference: str
    seller: SellerView
    buyer: BuyerView
    invoices: tuple[PaidInvoiceView, ...]
    amount_minor: int
    portal_url: str


DocumentView = InvoiceView | ReceiptView
