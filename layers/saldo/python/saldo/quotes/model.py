"""What a quote is asked and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from saldo.accounts.model import Account, LegalEntity
from saldo.catalog.model import PlanVersion
from saldo.exchange.model import DayRate, RatePolicy
from saldo.invoicing.model import BillingOptions, InvoiceBody, Wallet
from saldo.kernel.exchange import ExchangeRate
from saldo.orders.model import Item
from saldo.quotes.model_receivables import Receivables, ReceivablesAsked
from saldo.subscriptions.model import Change, Subscription
from saldo.tax.model import TaxTable
from saldo.usage.model import Meter, UsageEvent


@dataclass(frozen=True, slots=True)
class BillingDays:
    """On which days invoices are asked for.

    `runs`: exactly those days, each billing all that is due by then. Else every day from `first_on` through `last_on`
    on which something falls due; what falls due before is billed too, but not shown.
    """

    runs: tuple[date, ...] = ()
    first_on: date = date.min
    last_on: date = date.min


@dataclass(frozen=True, slots=True)
class UsageTotal:
    """What a meter counted over the days `[from_on, until_on)`; without days, in each period.

    `before`: what of the period was billed earlier. `amounts`: the events' values where they are known one by one.
    `properties`: what a price matrix tells usage apart by.
    """

    subscription_id: str
    meter_id: str
    quantity: Decimal
    from_on: date | None = None
    until_on: date | None = None
    before: Decimal = Decimal(0)
    amounts: tuple[Decimal, ...] | None = None
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used: totals as told, and events in the order they came, which meters count. What is not
    named is zero. `late`: events that came on a day; the others were there from the start."""

    totals: tuple[UsageTotal, ...] = ()
    events: tuple[UsageEvent, ...] = ()
    meters: Mapping[str, Meter] = field(default_factory=dict)
    late: tuple[tuple[date, UsageEvent], ...] = ()


@dataclass(frozen=True, slots=True)
class LateChange:
    """A change that came on a day: runs before it know nothing of it."""

    came_on: date
    subscription_id: str
    change: Change


@dataclass(frozen=True, slots=True)
class DatedItem:
    """An item and the first day on which it may be billed (None: with the first invoice)."""

    item: Item
    on: date | None


@dataclass(frozen=True, slots=True)
class PriceRates:
    """How prices in other currencies are converted, and the published rates there are, in any order."""

    policy: RatePolicy
    rates: tuple[DayRate, ...]


@dataclass(frozen=True, slots=True)
class Booking:
    """The ledger's currency, and at which rate documents are booked in it: one, or that of each day."""

    currency: str
    ledger: str
    at: ExchangeRate | PriceRates


@dataclass(frozen=True, slots=True)
class QuoteRequest:
    """Everything an invoice run would read of one account. `versions`: plan versions by id. `changes`: those that were
    not on record from the start."""

    entity: LegalEntity
    account: Account
    days: BillingDays
    versions: Mapping[str, PlanVersion]
    subscriptions: tuple[Subscription, ...]
    usage: Usage
    items: tuple[DatedItem, ...]
    tax: TaxTable
    options: BillingOptions
    wallet: Wallet
    exchange: Booking | None = None
    receivables: ReceivablesAsked | None = None
    prices: PriceRates | None = None
    changes: tuple[LateChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Quote:
    """The invoices in the order of their dates, and how subscriptions and the wallet then stand.

    `not_billed`: totals of usage over days that no run billed. `rejected`: events that came too late for their meter.
    """

    invoices: tuple[InvoiceBody, ...]
    subscriptions: tuple[Subscription, ...]
    wallet: Wallet
    currency: str
    receivables: Receivables | None = None
    not_billed: tuple[UsageTotal, ...] = ()
    rejected: tuple[UsageEvent, ...] = ()
