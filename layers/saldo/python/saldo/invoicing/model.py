"""Invoices: the frozen body, the changing header, and what billing one account is asked and answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from saldo.accounts.model import Account, LegalEntity
from saldo.catalog.model import PlanVersion, Timing
from saldo.invoicing.status import MOVES as MOVES
from saldo.invoicing.status import InvoiceStatus as InvoiceStatus
from saldo.kernel.periods import Period
from saldo.kernel.rounding import Rounding
from saldo.rating.model import Share, Step
from saldo.subscriptions.model import ChargePeriod, Subscription
from saldo.tax.model import TaxRounding, TaxShare, TaxTotal
from saldo.usage.model import UsageKey


@dataclass(frozen=True, slots=True)
class Line:
    """One charge as invoiced. `net_minor` = `exact` (major units) × share, rounded by `rounding`.

    `id` counts from "1" in the order of the document. `names`, `unit_names`: language code → text.
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

    @property
    def plan_versions(self) -> tuple[str, ...]:
        """Ids of the plan versions it was priced by, in order of first use."""
        return tuple(dict.fromkeys(line.plan_version_id for line in self.lines))


@dataclass(frozen=True, slots=True)
class DueSubscription:
    """A subscription, the plan version it was sold (None where it cannot be found) and what is due on it."""

    subscription: Subscription
    plan_version: PlanVersion | None
    due: tuple[ChargePeriod, ...]


@dataclass(frozen=True, slots=True)
class BillingCase:
    """All that billing one account on one day needs. `usage` must hold each total that `usage_needed` names.

    `as_of` is the day in the account's calendar up to which boundaries are billed, and the issue date.
    """

    account: Account
    entity: LegalEntity
    due: tuple[DueSubscription, ...]
    usage: Mapping[UsageKey, Decimal]
    as_of: date


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
