"""Invoices: the frozen body, the changing header, and what billing one account is asked and answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from saldo.accounts.model import Account, LegalEntity
from saldo.catalog.model import PlanVersion, Timing
from saldo.kernel.periods import Period
from saldo.kernel.rounding import Rounding
from saldo.rating.model import Share, Step
from saldo.subscriptions.model import Charge, ChargePeriod, Subscription
from saldo.tax.model import TaxRounding, TaxShare, TaxTotal
from saldo.usage.model import UsageKey


class ChangeLegs(StrEnum):
    """How a mid-period change is shown: its credit and its charge each rounded on a line of its own, or NET: their
    difference on one line, rounded once."""

    LEGS = "legs"
    NET = "net"


class BelowZero(StrEnum):
    """What becomes of a total below zero: the account is set aside, or the document is a credit note."""

    REFUSE = "refuse"
    CREDIT_NOTE = "credit_note"


class DocumentKind(StrEnum):
    """An invoice asks for money; a credit note, whose total is below zero, gives it back."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


@dataclass(frozen=True, slots=True)
class BillingOptions:
    """Choices of a seller where there is more than one right way; the defaults are Saldo's."""

    change_legs: ChangeLegs = ChangeLegs.LEGS
    below_zero: BelowZero = BelowZero.REFUSE


class InvoiceStatus(StrEnum):
    """Where an invoice stands. A draft has no number and no customer sees it."""

    DRAFT = "draft"
    ISSUED = "issued"
    PART_PAID = "part_paid"
    PAID = "paid"
    VOID = "void"


# VOID is for drafts alone: what has been issued is corrected by another document.
MOVES: Mapping[InvoiceStatus, frozenset[InvoiceStatus]] = {
    InvoiceStatus.DRAFT: frozenset({InvoiceStatus.ISSUED, InvoiceStatus.VOID}),
    InvoiceStatus.ISSUED: frozenset({InvoiceStatus.PART_PAID, InvoiceStatus.PAID}),
    InvoiceStatus.PART_PAID: frozenset({InvoiceStatus.PART_PAID, InvoiceStatus.PAID}),
    InvoiceStatus.PAID: frozenset(),
    InvoiceStatus.VOID: frozenset(),
}


class LineKind(StrEnum):
    """What a line is for. CHARGE: what a subscription costs; CREDIT: days paid for and not used; CHANGE: both as one;
    TRUE_UP: what misses to a minimum; ITEM: sold once by hand; DISCOUNT and PREPAID: off another line."""

    CHARGE = "charge"
    CREDIT = "credit"
    CHANGE = "change"
    TRUE_UP = "true_up"
    ITEM = "item"
    DISCOUNT = "discount"
    PREPAID = "prepaid"


@dataclass(frozen=True, slots=True)
class Line:
    """One charge as invoiced. `net_minor` = `exact` (major units) × share, rounded by `rounding`, + `residual_minor`.

    `id` counts from "1" in the order of the document. `names`, `unit_names`: language code → text. `of`: the id of
    the line that a discount is off. `residual_minor`: what rounding the document instead of its lines put here.
    `included_tax_minor`: the tax within `net_minor` where prices include it (`inclusive`).
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
    included_tax_minor: int = 0


@dataclass(frozen=True, slots=True)
class InvoiceBody:
    """An invoice with everything it was computed from. Never changes once stored; has no number and no status.

    `charges` are the identities (subscription and boundary) that this invoice bills. Amounts in minor units:
    net + tax = total. `buyer_profile` is the version of the billing profile it is addressed to.
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

    @property
    def plan_versions(self) -> tuple[str, ...]:
        """Ids of the plan versions it was priced by, in order of first use."""
        return tuple(dict.fromkeys(line.plan_version_id for line in self.lines))


@dataclass(frozen=True, slots=True)
class DueSubscription:
    """A subscription, the plan version it was sold (None where it cannot be found) and what is due on it.

    `charges`: what its changes make due, where it has any; `versions`: the plan versions these name, by id.
    """

    subscription: Subscription
    plan_version: PlanVersion | None
    due: tuple[ChargePeriod, ...]
    charges: tuple[Charge, ...] | None = None
    versions: Mapping[str, PlanVersion] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Item:
    """Something sold once, outside any plan: `quantity` × `unit_price` (major units; below zero for a deduction).

    `id` names it for ever: it is billed once. `tax_category` and `revenue_tag` as on a component.
    """

    id: str
    names: dict[str, str]
    unit_price: Decimal
    quantity: Decimal = Decimal(1)
    tax_category: str = "standard"
    revenue_tag: str = "items"
    inclusive: bool = False


@dataclass(frozen=True, slots=True)
class BillingCase:
    """All that billing one account on one day needs. `usage` must hold each total that `usage_needed` names.

    `as_of` is the day in the account's calendar up to which boundaries are billed, and the issue date. `items` are
    billed with what is due.
    """

    account: Account
    entity: LegalEntity
    due: tuple[DueSubscription, ...]
    usage: Mapping[UsageKey, Decimal]
    as_of: date
    items: tuple[Item, ...] = ()
    options: BillingOptions = BillingOptions()


@dataclass(frozen=True, slots=True)
class Draft:
    """There is something to charge. `subscriptions`: those billed, with their cursors moved on."""

    body: InvoiceBody
    subscriptions: tuple[Subscription, ...]


@dataclass(frozen=True, slots=True)
class NothingToBill:
    """Everything due comes to nothing: no invoice, but the cursors move on.

    `charges`: the identities that are thereby done. `reason`: `no_charges` or `zero_amounts`.
    """

    account_id: str
    reason: str
    charges: tuple[str, ...]
    subscriptions: tuple[Subscription, ...]
