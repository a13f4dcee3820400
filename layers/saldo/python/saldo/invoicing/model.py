"""Invoices: the frozen body, the changing header, and what billing one account is asked and answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from saldo.accounts.model import Account, EarlyDiscount, LegalEntity, Settle
from saldo.accounts.model_payment_terms import PaymentTerms
from saldo.catalog.model import PlanVersion, Timing
from saldo.exchange.model import PriceDay
from saldo.invoicing.model_due import Charged as Charged
from saldo.invoicing.model_due import DueSubscription as DueSubscription
from saldo.invoicing.model_tally import Tally, TallyKey
from saldo.invoicing.model_wallet import AppliedCredit as AppliedCredit
from saldo.invoicing.model_wallet import Coupon as Coupon
from saldo.invoicing.model_wallet import CouponDuration as CouponDuration
from saldo.invoicing.model_wallet import CouponUse as CouponUse
from saldo.invoicing.model_wallet import CreditSource as CreditSource
from saldo.invoicing.model_wallet import PrepaidCredit as PrepaidCredit
from saldo.invoicing.model_wallet import Wallet as Wallet
from saldo.invoicing.rules_tolerance import Tolerance
from saldo.invoicing.status import MOVES as MOVES
from saldo.invoicing.status import DocumentKind as DocumentKind
from saldo.invoicing.status import InvoiceStatus as InvoiceStatus
from saldo.kernel.exchange import ExchangeRate
from saldo.kernel.periods import Period
from saldo.kernel.rounding import Rounding
from saldo.orders.model import Item
from saldo.rating.model import Share, Step
from saldo.subscriptions.model import Subscription
from saldo.tax.model import Collection, OwnRates, TaxFacts, TaxRounding, TaxShare, TaxTotal
from saldo.usage.model import UsageDetail, UsageKey
from saldo.usage.model_windows import LateUsage, Window


class ChangeLegs(StrEnum):
    """How a mid-period change is shown: its credit and its charge each rounded on a line of its own, or NET: their
    difference on one line, rounded once."""

    LEGS = "legs"
    NET = "net"


class NetRounding(StrEnum):
    """Whether each line's net amount is rounded (EN 16931), or their sum and the lines so as to make it up."""

    LINE = "line"
    DOCUMENT = "document"


class PrepaidOrder(StrEnum):
    """Whether prepaid credit pays for what the invoice asks, tax and all, or is taken off before tax."""

    AFTER_TAX = "after_tax"
    BEFORE_TAX = "before_tax"


class BelowZero(StrEnum):
    """What becomes of a total below zero: the document is a credit note, or the account is set aside."""

    CREDIT_NOTE = "credit_note"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class PayableRounding:
    """To what invoices of a currency are rounded at the end: `to_minor` 5 for Swiss 5 Rappen, 100 for whole kronor.

    On an invoice `minor` is what was added to what is to be paid (EN 16931 BT-114), below zero where it was lowered.
    """

    currency: str
    to_minor: int
    mode: Rounding = Rounding.HALF_UP
    minor: int = 0


@dataclass(frozen=True, slots=True)
class BillingOptions:
    """Choices of a seller where there is more than one right way; the defaults are Saldo's. `tax_rounding` and
    `tax_mode`: how the table of rates rounds the taxes of a document. `payable_rounding`: to what the amount to be paid
    is rounded, where coins are larger than the currency's minor unit. `settle`: which invoices money settles that names
    none, unless terms of the account say. `tolerances`: by currency, how little a payment may leave of an invoice to be
    written off."""

    change_legs: ChangeLegs = ChangeLegs.LEGS
    below_zero: BelowZero = BelowZero.CREDIT_NOTE
    net_rounding: NetRounding = NetRounding.LINE
    prepaid: PrepaidOrder = PrepaidOrder.AFTER_TAX
    tax_rounding: TaxRounding = TaxRounding.DOCUMENT
    tax_mode: Rounding = Rounding.HALF_UP
    payable_rounding: PayableRounding | None = None
    settle: Settle = Settle.OLDEST
    tolerances: tuple[tuple[str, Tolerance], ...] = ()

    def tolerance_in(self, currency: str) -> Tolerance:
        """What is tolerated of invoices in a currency: nothing where the seller says nothing of it."""
        return dict(self.tolerances).get(currency, Tolerance())


class LineKind(StrEnum):
    """What a line is for. CHARGE: what a subscription costs; CREDIT: days paid for and not used; CHANGE: both as one;
    TRUE_UP: what follows from these: up to a minimum, down to a maximum, a percent; ITEM: sold once by hand; DISCOUNT
    and PREPAID: off another line; LATE: usage of a period that was billed before it came."""

    CHARGE = "charge"
    CREDIT = "credit"
    CHANGE = "change"
    TRUE_UP = "true_up"
    ITEM = "item"
    DISCOUNT = "discount"
    PREPAID = "prepaid"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class PricedIn:
    """The currency that a line is priced in where that is not the invoice's: what it comes to in it (`minor`, rounded
    as the line is), and the rate at which its exact price, not this sum, was converted."""

    currency: str
    minor: int
    rate: ExchangeRate


class Line(NamedTuple):
    """One charge as invoiced: `exact` (major units) × `part`, rounded by `rounding`, plus `residual_minor` is its net.

    `exact` and `steps` are in the currency that it is priced in, `net_minor` in the invoice's; `priced_in` where the
    two differ.

    `id` counts from "1" in the order of the document. `names`, `unit_names`: language code → text. `of`: the id of
    the line that a discount is off. `component_id`: of a PREPAID line, the credit that it draws on. `residual_minor`:
    what rounding the document, or the whole that it is the rest of, instead of the line put here. `gives_back`: the
    line of an earlier document (`<document>/<line>`) of which this one gives back all or a part, or takes a credit
    back; `supplied_on`: when that was supplied, whose taxes are its taxes; None where the line is its own supply.
    `bounds`: of what a maximum gives back, ids of the components that it bounds.
    `base_off_minor`: what of `net_minor` its taxes are not due on, as it is a discount for paying early.
    `included_tax_minor`: the tax within `net_minor` where prices include it (`inclusive`). `account_id`: whose charge
    it is, where the invoice is addressed to another account.
    """

    id: str
    subscription_id: str
    plan_version_id: str
    component_id: str
    timing: Timing
    period: Period
    names: dict[str, str]
    unit_names: dict[str, str]
    quantity: Decimal
    exact: Decimal
    share: Share
    rounding: Rounding
    net_minor: int
    steps: tuple[Step, ...]
    tax_category: str
    revenue_tag: str
    taxes: tuple[TaxShare, ...]
    kind: LineKind = LineKind.CHARGE
    of: str = ""
    residual_minor: int = 0
    inclusive: bool = False
    account_id: str = ""
    gives_back: str = ""
    supplied_on: date | None = None
    priced_in: PricedIn | None = None
    bounds: tuple[str, ...] = ()
    base_off_minor: int = 0
    included_tax_minor: int = 0

    def is_for(self, components: frozenset[str]) -> bool:
        """Whether it is among the lines of some components (empty: of all); what a maximum gives back goes with any
        that it bounds, so that nothing is paid or discounted that was not charged."""
        return not components or self.component_id in components or not components.isdisjoint(self.bounds)

    @property
    def part(self) -> tuple[int, int]:
        """By what its exact price is multiplied, before it is rounded: its share, and the rate if it is converted."""
        share, priced = self.share, self.priced_in
        if priced is None:
            return share.days, share.of
        numerator, denominator = priced.rate.ratio(priced.currency)
        return share.days * numerator, share.of * denominator

    @property
    def price_minor(self) -> int:
        """What it comes to in the currency that it is priced in."""
        return self.priced_in.minor if self.priced_in else self.net_minor

    def taxed(self, shares: tuple[TaxShare, ...], included_minor: int) -> Line:
        """The same line with its taxes. Every line goes this way: it takes a quarter of what `_replace` does."""
        fields = [*self]
        fields[_TAXES], fields[_INCLUDED_TAX] = shares, included_minor
        return Line._make(fields)


_TAXES, _INCLUDED_TAX = Line._fields.index("taxes"), Line._fields.index("included_tax_minor")


@dataclass(frozen=True, slots=True)
class InvoiceBody:
    """An invoice with everything it was computed from. Never changes once stored; has no number and no status.

    `charges` are the identities (subscription and boundary) that this invoice bills. Amounts in minor units:
    net + tax = total, of which credits may have paid a part. `buyer_profile` is the version of the billing profile it
    is addressed to. `of_invoice`: the invoice that a credit note takes back a part of. `exchange`: the rate at which
    it is booked where the ledger has another currency. `replaces`: the invoice that this one stands for, which was
    taken back whole. `note`: why, in the words that the customer reads. `early_discounts`: for paying early.
    `seller_facts`: the print of what the seller was then (`accounts.records.facts_key`). `template`: how it looks.
    `purchase_order` and `cost_centre`: that all of it was ordered under. `tax_facts`: what a tax service was asked.
    `rounding`: by which what is to be paid was rounded, after credits; tax and total stay as they are. `payment_terms`:
    what the due date followed from; None for days, which the two dates tell, and where it followed from another's.
    """

    id: str
    account_id: str
    organisation_id: str
    entity_id: str
    currency: str
    issued_on: date
    due_on: date
    language: str
    buyer_profile: int
    charges: tuple[str, ...]
    lines: tuple[Line, ...]
    tax_totals: tuple[TaxTotal, ...]
    tax_source: str
    tax_estimated: bool
    tax_rounding: TaxRounding
    net_minor: int
    tax_minor: int
    total_minor: int
    kind: DocumentKind = DocumentKind.INVOICE
    tax_mode: Rounding = Rounding.HALF_UP
    coupons: tuple[CouponUse, ...] = ()
    credits: tuple[AppliedCredit, ...] = ()
    of_invoice: str = ""
    exchange: ExchangeRate | None = None
    replaces: str = ""
    note: str = ""
    tax_facts: TaxFacts | None = None
    early_discounts: tuple[EarlyDiscount, ...] = ()
    early_in_part: bool = False
    seller_facts: str = ""
    template: str = ""
    purchase_order: str = ""
    cost_centre: str = ""
    by_mail: bool = True
    rounding: PayableRounding | None = None
    payment_terms: PaymentTerms | None = None

    @property
    def owed_minor(self) -> int:
        """What the buyer owes the seller before credits pay for it: the total, rounded where it is, less what the buyer
        pays to the state instead."""
        elsewhere = sum(t.tax_minor for t in self.tax_totals if t.collection is not Collection.CHARGED)
        return self.total_minor - elsewhere + (self.rounding.minor if self.rounding else 0)

    @property
    def payable_minor(self) -> int:
        """What the buyer owes the seller after credits."""
        return self.owed_minor - sum(c.minor for c in self.credits if not c.before_tax)

    @property
    def ordered_under(self) -> str:
        """The buyer's purchase order and cost centre, as documents write them."""
        return " / ".join(text for text in (self.purchase_order, self.cost_centre) if text)

    @property
    def plan_versions(self) -> tuple[str, ...]:
        """Ids of the plan versions it was priced by, in order of first use."""
        return tuple(dict.fromkeys(line.plan_version_id for line in self.lines))


@dataclass(frozen=True, slots=True)
class LateCharge:
    """Late usage of a window billed before, and the plan version by which it is rated. `member`: the account that used
    it, where the invoice is addressed to another."""

    usage: LateUsage
    version: PlanVersion
    member: Account | None = None


@dataclass(frozen=True, slots=True)
class DueItem:
    """An item to be billed now; `member`: the account that bought it, where the invoice is addressed to another."""

    item: Item
    member: Account | None = None

    @property
    def identity(self) -> str:
        """What may be billed only once."""
        return f"item:{self.member.id}/{self.item.id}" if self.member else f"item:{self.item.id}"


@dataclass(frozen=True, slots=True)
class BillingCase:
    """All that billing one account on one day needs. `usage` must hold each total that `usage_asked` names.

    `account` is whom the invoice is addressed to. `as_of` is the day in the account's calendar up to which boundaries
    are billed, and the issue date. `items` are billed with what is due. `wallet`: coupons are taken off one after the
    other, then what the account has from credit notes pays, then prepaid credits. `purchase_order` and `cost_centre`
    are those that all of it was ordered under. `supplied_to`: a member account whose country and
    tax status are those of all that is billed, where they are not the addressee's. `late`: usage of periods billed
    before that is still to be asked for. `earlier`: the documents, oldest first, on which what is given back now was
    charged, with their credit notes; wanted where a charge `reverses` something. `tallies`: how those of the plans
    stand that this touches. `prices_on` and `price_rates` (by currency and day): how prices in other currencies are
    converted, where the account has not agreed on a rate. `stood`: usage that is billed before, how much there was and
    by what terms it was rated: taking its charge back goes by these. `own_rates`: what the seller says of taxes itself.
    """

    account: Account
    entity: LegalEntity
    due: tuple[DueSubscription, ...]
    usage: Mapping[UsageKey, Decimal]
    as_of: date
    items: tuple[DueItem, ...] = ()
    options: BillingOptions = BillingOptions()
    details: Mapping[UsageKey, UsageDetail] = field(default_factory=dict)
    wallet: Wallet = Wallet()  # noqa: RUF009 - frozen, so one default serves all
    exchange: ExchangeRate | None = None
    seller_facts: str = ""
    template: str = ""
    purchase_order: str = ""
    cost_centre: str = ""
    supplied_to: Account | None = None
    late: tuple[LateCharge, ...] = ()
    earlier: Sequence[InvoiceBody] = ()
    tallies: Mapping[TallyKey, Tally] = field(default_factory=dict)
    prices_on: PriceDay | None = None
    price_rates: Mapping[tuple[str, date], ExchangeRate] = field(default_factory=dict)
    stood: Mapping[UsageKey, Window] = field(default_factory=dict)
    own_rates: OwnRates | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """There is something to charge. `subscriptions`: those billed, with their cursors moved on. `tallies`: those that
    stand otherwise now."""

    body: InvoiceBody
    subscriptions: tuple[Subscription, ...]
    tallies: tuple[Tally, ...] = ()


@dataclass(frozen=True, slots=True)
class NothingToBill:
    """Everything due comes to nothing: no invoice, but the cursors move on.

    `charges`: the identities that are thereby done. `reason`: `no_charges` or `zero_amounts`.
    """

    account_id: str
    reason: str
    charges: tuple[str, ...]
    subscriptions: tuple[Subscription, ...]
    tallies: tuple[Tally, ...] = ()


@dataclass(frozen=True, slots=True)
class BilledAccount:
    """What billing an account comes to: its invoices (several where they are split), its subscriptions with their
    cursors moved on, and its wallet after them. `nothing`: the reason why there is no invoice, "" where there is one.
    `tallies`: those that stand otherwise now.
    """

    bodies: tuple[InvoiceBody, ...]
    subscriptions: tuple[Subscription, ...]
    wallet: Wallet
    nothing: str = ""
    tallies: tuple[Tally, ...] = ()
