"""Sellers and customers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TaxStatus(StrEnum):
    """What the seller's tax rules need to know of a buyer; nothing personal."""

    CONSUMER = "consumer"
    BUSINESS = "business"
    EXEMPT = "exempt"


class InvoiceSplit(StrEnum):
    """What an account wants an invoice of its own for."""

    NONE = "none"
    PURCHASE_ORDER = "purchase_order"
    COST_CENTRE = "cost_centre"
    BOTH = "both"

    @property
    def by_purchase_order(self) -> bool:
        return self in (InvoiceSplit.PURCHASE_ORDER, InvoiceSplit.BOTH)

    @property
    def by_cost_centre(self) -> bool:
        return self in (InvoiceSplit.COST_CENTRE, InvoiceSplit.BOTH)


class AccountStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address. Personal data: sealed wherever it is stored."""

    lines: tuple[str, ...]
    postcode: str
    city: str
    country: str
    region: str = ""


@dataclass(frozen=True, slots=True)
class LegalEntity:
    """A seller. `number_prefix` begins its invoice numbers; `tax_registrations` maps country to tax id."""

    id: str
    name: str
    country: str
    region: str
    time_zone: str
    currency: str
    number_prefix: str
    tax_registrations: dict[str, str]
    address: Address
    bank_name: str
    iban: str
    bic: str
    email: str


@dataclass(frozen=True, slots=True)
class Organisation:
    """A customer: the one who signs. Its data key seals every personal field of its accounts."""

    id: str
    name: str
    country: str


@dataclass(frozen=True, slots=True)
class Account:
    """One billing account of an organisation. Carries what an invoice run needs, and nothing personal.

    `tax_region` is the state or province where tax depends on it; `payment_terms_days` run from the issue date.
    `profile_version` names the immutable billing profile that the next invoice is addressed to. `invoiced_to`: the
    account of the same organisation whose invoices have this one's charges on them ("": its own).
    """

    id: str
    organisation_id: str
    entity_id: str
    name: str
    currency: str
    time_zone: str
    country: str
    tax_region: str
    tax_status: TaxStatus
    has_tax_id: bool
    language: str
    payment_terms_days: int
    profile_version: int
    deliver_by_email: bool
    status: AccountStatus = AccountStatus.ACTIVE
    invoice_split: InvoiceSplit = InvoiceSplit.NONE
    invoiced_to: str = ""


@dataclass(frozen=True, slots=True)
class BillingProfile:
    """To whom and where an account's invoices go. Personal data; versions never change."""

    account_id: str
    version: int
    legal_name: str
    contact_name: str
    address: Address
    tax_id: str
    emails: tuple[str, ...]
    purchase_order: str
