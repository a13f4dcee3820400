"""Contracts: agreed prices and terms, milestones that are billed as they are reached, money held back until the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from saldo.catalog.model import BillingTrigger, Minimum
from saldo.subscriptions.model import Term


class ContractStatus(StrEnum):
    ACTIVE = "active"
    ENDED = "ended"


CONTRACT_MOVES: Mapping[ContractStatus, frozenset[ContractStatus]] = {
    ContractStatus.ACTIVE: frozenset({ContractStatus.ENDED}),
    ContractStatus.ENDED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class ContractPrice:
    """An agreed price of a plan: `unit_price` (major units) in place of the list's.

    component_id: which of the plan's charges it is the price of; "" where the plan has one. plan_version_id: the
    version
    with this price, made when the contract is signed. buyer_sku: the buyer's own part number. most: the quantity that
    may
    be ordered in all, None for any. trigger: what makes it billable, None for the product's own. minimum: what is
    committed to instead of the plan's own minimum, None for that.
    """

    plan_id: str
    unit_price: Decimal
    component_id: str = ""
    buyer_sku: str = ""
    most: Decimal | None = None
    trigger: BillingTrigger | None = None
    plan_version_id: str = ""
    minimum: Minimum | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds from `effective_on` until later terms do. ends_on: the first day after; None without end.

    value_minor: what percentages are of. maximum_minor: what may be ordered and billed under it in all, None for any.
    """

    effective_on: date
    ends_on: date | None
    prices: tuple[ContractPrice, ...]
    value_minor: int = 0
    maximum_minor: int | None = None


class MilestoneStatus(StrEnum):
    """PLANNED costs nothing yet. BILLABLE has its item with the runs. CANCELLED never will."""

    PLANNED = "planned"
    BILLABLE = "billable"
    CANCELLED = "cancelled"


MILESTONE_MOVES: Mapping[MilestoneStatus, frozenset[MilestoneStatus]] = {
    MilestoneStatus.PLANNED: frozenset({MilestoneStatus.BILLABLE, MilestoneStatus.CANCELLED}),
    MilestoneStatus.BILLABLE: frozenset({MilestoneStatus.PLANNED}),
    MilestoneStatus.CANCELLED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Who accepted (or took the acceptance back), for which day, by which document."""

    actor_id: str
    at: datetime
    on: date
    document_ref: str
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Milestone:
    """A part of a contract that is billed by itself: `amount_minor`, or `percent` of the contract's value.

    due_on: billed on that day without more; None: when it is accepted. billed_minor: what its item was made of, kept
    back part included; None while it is planned. item_id: "" while nothing waits or was billed.
    """

    id: str
    names: dict[str, str]
    amount_minor: int | None = None
    percent: Decimal | None = None
    due_on: date | None = None
    tax_category: str = "standard"
    revenue_tag: str = "milestones"
    status: MilestoneStatus = MilestoneStatus.PLANNED
    billed_minor: int | None = None
    item_id: str = ""
    acceptances: tuple[Acceptance, ...] = ()


@dataclass(frozen=True, slots=True)
class Service:
    """A plan that is billed only after go-live: it starts on the day on which its milestone is accepted, for a `term`
    that renews itself where one is agreed."""

    id: str
    plan_id: str
    milestone_id: str
    quantity: Decimal = Decimal(1)
    subscription_id: str = ""
    term: Term | None = None


@dataclass(frozen=True, slots=True)
class Contract:
    """One contract with an account. Dates are days in the account's time zone, amounts minor units of `currency`.

    terms: by effective day; the first begins the contract. retainage_percent: kept back of each milestone until
    `released_on`. `version` counts changes, so that of two at once one stands.
    """

    id: str
    account_id: str
    entity_id: str
    title: str
    currency: str
    terms: tuple[Terms, ...]
    milestones: tuple[Milestone, ...] = ()
    services: tuple[Service, ...] = ()
    retainage_percent: Decimal = Decimal(0)
    purchase_order: str = ""
    cost_centre: str = ""
    released_on: date | None = None
    status: ContractStatus = ContractStatus.ACTIVE
    version: int = 1

    @property
    def starts_on(self) -> date:
        return self.terms[0].effective_on

    def terms_on(self, day: date) -> Terms | None:
        """The terms that hold on a day; None before its start, from its end on, or when it was ended."""
        held = [t for t in self.terms if t.effective_on <= day]
        if (
            not held
            or self.status is ContractStatus.ENDED
            or (held[-1].ends_on is not None and held[-1].ends_on <= day)
        ):
            return None
        return held[-1]

    def milestone(self, milestone_id: str) -> Milestone | None:
        return next((m for m in self.milestones if m.id == milestone_id), None)
