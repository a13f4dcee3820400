"""Sellers and customers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from saldo.accounts.model_payment_terms import PaymentTerms
from saldo.kernel.exchange import ExchangeRate
from saldo.kernel.periods import Period, Unit


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
class BankStatement:
    """A seller's signed word on its bank account (`bank_statements`). `number` counts a seller's statements from 1;
    `at`: the instant from which that account is the one to pay to, `since` its day by the seller's calendar; `before`:
    the last four characters of the account before it, "" for the first; `signed`: the compact JWS."""

    number: int
    at: datetime
    since: date
    before: str
    signed: str


@dataclass(frozen=True, slots=True)
class LegalEntity:
    """A seller. `number_prefix` begins its invoice numbers; `tax_registrations` maps country to tax id, and
    `registered` those that do not hold for ever to the days of supply on which they do.

    `bank_statement`: of the account that stands here; None for a seller whose details nobody signed.
    """

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
    bank_statement: BankStatement | None = None
    registered: Mapping[str, Period] = field(default_factory=dict)

    def is_registered(self, place: str, on: date) -> bool:
        days = self.registered.get(place)
        return place in self.tax_registrations and (days is None or on in days)


@dataclass(frozen=True, slots=True)
class Organisation:
    """A customer: the one who signs. Its data key seals every personal field of its accounts."""

    id: str
    name: str
    country: str


class TaxIdStatus(StrEnum):
    """What is known of a buyer's tax id. UNCHECKED: its form and check digits are right, the register has not said yet.
    VALID and INVALID: the register's word. NONE: there is none."""

    NONE = "none"
    UNCHECKED = "unchecked"
    VALID = "valid"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class TaxIdCheck:
    """The last word on an account's tax id, in clear; the id itself is sealed in the billing profile."""

    status: TaxIdStatus
    country: str
    checked_on: date

    @property
    def counts(self) -> bool:
        """Whether tax rules take the buyer to have one: also while the register has not said."""
        return self.status in (TaxIdStatus.UNCHECKED, TaxIdStatus.VALID)


@dataclass(frozen=True, slots=True)
class Exemption:
    """What of an exemption certificate tax rules need: taxes of these jurisdictions (`US-NY`; `US-NY` also covers its
    counties and cities) on these categories (empty: all) are not charged on supplies on [from_on, until_on).

    percent: the part of each amount that is exempt; of several certificates for one tax the largest counts. taxes: of
    these names alone (empty: all). `id` names the certificate (`cert_…`); its number is sealed elsewhere.
    """

    id: str
    jurisdictions: frozenset[str]
    categories: frozenset[str]
    from_on: date
    until_on: date
    percent: Decimal = Decimal(100)
    taxes: frozenset[str] = frozenset()

    @property
    def is_whole(self) -> bool:
        """Whether nothing that it covers bears any tax."""
        return self.percent == 100 and not self.taxes

    def covers(self, jurisdiction: str, category: str, supplied_on: date) -> bool:
        place = any(jurisdiction == j or jurisdiction.startswith(f"{j}-") for j in self.jurisdictions)
        kind = not self.categories or category in self.categories
        return place and kind and self.from_on <= supplied_on < self.until_on


class DiscountTax(StrEnum):
    """When tax is due on the discounted amount: whether or not the discount is taken (ALWAYS), IF_EARLY, or NEVER."""

    ALWAYS = "always"
    IF_EARLY = "if_early"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class EarlyDiscount:
    """`percent` (2 is 2 %) off the net amount when paid within `days` of issue."""

    percent: Decimal
    days: int
    tax: DiscountTax = DiscountTax.IF_EARLY


class Settle(StrEnum):
    """Which invoices a payment goes to that names none; PROPORTIONAL: to all, in proportion to what is open."""

    OLDEST = "oldest"
    NEWEST = "newest"
    LARGEST = "largest"
    SMALLEST = "smallest"
    PROPORTIONAL = "proportional"


class LatePolicy(StrEnum):
    """What late payment costs: nothing, what the law of the seller's country says, or a rate that was agreed."""

    NONE = "none"
    STATUTORY = "statutory"
    CONTRACT = "contract"


class MonthCount(StrEnum):
    """How months of interest by the month are counted: EXACT (begun ones by their days), BEGUN (each as a whole one),
    or FULL (only whole ones)."""

    EXACT = "exact"
    BEGUN = "begun"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class LateFee:
    """What is due when a debt is more than `after_days` late: an amount in minor units, or a percent of it, at least
    and at most so much. Once, or again every so many days, at most so many `times` in all."""

    after_days: int
    amount_minor: int = 0
    percent: Decimal = Decimal(0)
    least_minor: int = 0
    most_minor: int | None = None
    every_days: int | None = None
    times: int | None = None


@dataclass(frozen=True, slots=True)
class LateTerms:
    """Interest on what is overdue. `percent`: a year (`per_month`: a month), where agreed. `compensation`: also the
    fixed sum the law gives.

    `grace_days`: how many days after the due date nothing is charged; from then on interest counts from the due date,
    or (`from_grace`) from their end. `later`: other percents from days on. `compounds`: after each such time interest
    bears interest. `fees`: besides. `most_percent`: of the debt, the most that interest and fees come to.

    A year has `year_days` (None: 365; 360 with `thirty_days`), or those of the calendar (`calendar_year`); with
    `thirty_days` each month has 30. `months`: how those of a percent by the month count. `daily_rounding`: what a day
    costs is rounded first.
    """

    policy: LatePolicy = LatePolicy.NONE
    percent: Decimal = Decimal(0)
    compensation: bool = False
    grace_days: int = 0
    per_month: bool = False
    from_grace: bool = False
    later: tuple[tuple[date, Decimal], ...] = ()
    compounds: Unit | None = None
    most_percent: Decimal | None = None
    fees: tuple[LateFee, ...] = ()
    year_days: int | None = None
    calendar_year: bool = False
    thirty_days: bool = False
    months: MonthCount = MonthCount.EXACT
    daily_rounding: bool = False

    @property
    def days_of_year(self) -> int | None:
        """By how many days a year is counted; None: by those of the calendar."""
        if self.calendar_year:
            return None
        return self.year_days or (360 if self.thirty_days else 365)


@dataclass(frozen=True, slots=True)
class Terms:
    """What an account agreed with its seller beside the days it has to pay.

    `early_discounts`: one, or several in steps, each smaller than the one before and good for longer: 3 % within 7
    days, 2 % within 14; `early_in_part`: a part paid early has its part of them. `settle`: which invoices money settles
    that names none; None: as the seller chose. `review`: its invoices are looked at by staff before they are issued.
    `segment` and `contract` name the kind of customer and of contract, by which a seller may choose the template of its
    documents. `credit_limit_minor`: what may be owed at most, in the account's currency, 0 for no limit; it is shown,
    and nothing is held for it. `price_rates`: the rates at which prices in other currencies are billed, whatever the
    day's are; each has the account's currency.
    """

    early_discounts: tuple[EarlyDiscount, ...] = ()
    early_in_part: bool = False
    late: LateTerms = LateTerms()
    settle: Settle | None = None
    review: bool = False
    segment: str = ""
    contract: str = ""
    credit_limit_minor: int = 0
    price_rates: tuple[ExchangeRate, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """One billing account of an organisation. Carries what an invoice run needs, and nothing personal.

    `tax_region` is the state or province where tax depends on it; `payment_terms` say when invoices are due.
    `profile_version` names the immutable billing profile that the next invoice is addressed to. `has_tax_id`: its
    profile has a tax id that is valid for its country, as far as `tax_id_check` knows. `tax_postcode`: where tax
    depends on it. `exemptions`: of its certificates. `invoiced_to`: the account of the same organisation whose
    invoices have this one's charges on them ("": its own).
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
    payment_terms: PaymentTerms
    profile_version: int
    deliver_by_email: bool
    status: AccountStatus = AccountStatus.ACTIVE
    terms: Terms = Terms()
    invoice_split: InvoiceSplit = InvoiceSplit.NONE
    invoiced_to: str = ""
    tax_postcode: str = ""
    exemptions: tuple[Exemption, ...] = ()
    tax_id_check: TaxIdCheck | None = None

    def price_rate(self, currency: str) -> ExchangeRate | None:
        """The rate that was agreed on for prices in a currency; None without one."""
        pair = {currency, self.currency}
        return next((rate for rate in self.terms.price_rates if {rate.base, rate.counter} == pair), None)


@dataclass(frozen=True, slots=True)
class ExemptionCertificate:
    """Why a buyer is not charged a tax, as it is kept. `number` is what the authority gave it: sealed, never logged."""

    account_id: str
    number: str
    exemption: Exemption


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

    @property
    def is_erased(self) -> bool:
        """Whether only the word is left that there was a name; every other profile has a country."""
        return self.legal_name == ERASED and not self.address.country


# What stands where a name stood, whatever the document's language: nobody who could be asked for it is left.
ERASED = "[erased / gelöscht]"


def erased_profile(account_id: str, version: int) -> BillingProfile:
    """What is left of a profile once the customer's data key is shredded."""
    return BillingProfile(account_id, version, ERASED, "", Address((), "", "", ""), "", (), "")
