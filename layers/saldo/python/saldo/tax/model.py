"""What tax is asked and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from saldo.accounts.model import Exemption, TaxStatus
from saldo.kernel.periods import Period
from saldo.kernel.rounding import Rounding

# The category of what is no supply.
OUTSIDE = "outside"
# Why what a certificate covers bears no tax.
CERTIFICATE = "exemption_certificate"


class TaxTreatment(StrEnum):
    """How a supply is treated. OUTSIDE is outside the scope of any tax the seller must charge; EXPORT: exempt because
    it leaves the union; INTRA_COMMUNITY: goods that go to a business in another state of it."""

    STANDARD = "standard"
    REDUCED = "reduced"
    ZERO = "zero"
    REVERSE_CHARGE = "reverse_charge"
    INTRA_COMMUNITY = "intra_community"
    EXPORT = "export"
    EXEMPT = "exempt"
    OUTSIDE = "outside"

    @property
    def is_taxed(self) -> bool:
        """Whether tax is charged; else it is 0 % for a reason."""
        return self in (TaxTreatment.STANDARD, TaxTreatment.REDUCED)

    @property
    def en16931_code(self) -> str:
        """The VAT category code of EN 16931 (UNTDID 5305)."""
        return _EN16931[self]


_EN16931 = {
    TaxTreatment.STANDARD: "S",
    TaxTreatment.REDUCED: "S",
    TaxTreatment.ZERO: "Z",
    TaxTreatment.REVERSE_CHARGE: "AE",
    TaxTreatment.INTRA_COMMUNITY: "K",
    TaxTreatment.EXPORT: "G",
    TaxTreatment.EXEMPT: "E",
    TaxTreatment.OUTSIDE: "O",
}


class TaxRounding(StrEnum):
    """DOCUMENT rounds once per rate over the document (EN 16931); LINE rounds each tax of each line;
    LINE_RESIDUAL too, but a line's taxes add up to their rounded sum, the first taking the odd cent. UNIT rounds each
    tax of one unit of a line with its discounts where that is a whole amount, and of the line where it is none (usage
    at a part of a cent). TOTAL rounds the sum of all taxes once; UNROUNDED is DOCUMENT over the amounts of the lines as
    they were before rounding."""

    DOCUMENT = "document"
    LINE = "line"
    LINE_RESIDUAL = "line_residual"
    UNIT = "unit"
    TOTAL = "total"
    UNROUNDED = "unrounded"


class Collection(StrEnum):
    """Who hands a tax to the state. CHARGED: the seller, having charged it on top. WITHHELD: the buyer, out of the
    net amount. SPLIT: the buyer, who is shown it on the invoice and pays the seller the net amount."""

    CHARGED = "charged"
    WITHHELD = "withheld"
    SPLIT = "split"


# What a base is made of besides the taxes that it names.
NET = "net"


class Piece(StrEnum):
    """Of what a tax's bounds are: of each UNIT, of each LINE with its discounts, or of the whole DOCUMENT."""

    UNIT = "unit"
    LINE = "line"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class TaxBasis:
    """What a tax is reckoned on, where that is not simply the net amount. Amounts in minor units, None for no bound.

    of: NET and names of taxes before it on the line, whose sum is its base. part: the percent of it that is taxed.
    within: its percent is of the amount with it in it, as of a Brazilian price; several of a line share one such
    amount. Of each `piece`: all is taxed only where it comes to `least_minor` or more and to less than `below_minor`;
    of that what is above `above_minor` and up to `up_to_minor`; at most `most_tax_minor` is charged. once_minor: an
    amount due once for each such piece that is taxed (Italy's bollo is one a document).
    """

    of: tuple[str, ...] = (NET,)
    part: Decimal = Decimal(100)
    within: bool = False
    piece: Piece = Piece.UNIT
    least_minor: Decimal | None = None
    below_minor: Decimal | None = None
    above_minor: Decimal | None = None
    up_to_minor: Decimal | None = None
    most_tax_minor: Decimal | None = None
    once_minor: Decimal = Decimal(0)

    @property
    def is_bounded(self) -> bool:
        """Whether it is not in proportion to what it is on."""
        bounds = self.least_minor, self.below_minor, self.above_minor, self.up_to_minor, self.most_tax_minor
        return self.once_minor != 0 or any(bound is not None for bound in bounds)

    @property
    def of_document(self) -> bool:
        return self.is_bounded and self.piece is Piece.DOCUMENT


@dataclass(frozen=True, slots=True)
class TaxRate:
    """A tax of a country (and region, "" for all of it) on categories of supply, valid on [from_on, until_on).

    percent: of the net amount, 19 for 19 %. treatment: with a tax STANDARD or REDUCED, else the reason of none.
    compound: the taxes named before it on the line are part of its base. levy_minor: an amount per unit besides, in
    minor units. basis: what else it is reckoned on than the net amount.
    """

    country: str
    region: str
    name: str
    categories: frozenset[str]
    treatment: TaxTreatment
    percent: Decimal
    from_on: date
    until_on: date | None = None
    compound: bool = False
    levy_minor: Decimal = Decimal(0)
    collection: Collection = Collection.CHARGED
    basis: TaxBasis | None = None

    @property
    def jurisdiction(self) -> str:
        """`DE`, or `US-NY`."""
        return f"{self.country}-{self.region}" if self.region else self.country

    @property
    def has_amounts(self) -> bool:
        return _has_amounts(self.levy_minor, self.basis)

    def holds_on(self, day: date) -> bool:
        return self.from_on <= day and (self.until_on is None or day < self.until_on)


def _has_amounts(levy_minor: Decimal, basis: TaxBasis | None) -> bool:
    """Whether a tax is told in amounts of a currency: by the unit, once, or in its bounds."""
    return levy_minor != 0 or (basis is not None and basis.is_bounded)


@dataclass(frozen=True, slots=True, eq=False)
class OwnRates:
    """A seller's own rates, which hold over those that come with Saldo. `version` counts from 1; `currency` is that of
    amounts among them. As a key it is itself: those of a version are read once and kept.
    """

    version: int
    currency: str
    rates: tuple[TaxRate, ...]


@dataclass(frozen=True, slots=True)
class OwnRatesVersion:
    """What there is to tell of a version of a seller's own rates: since when it holds, who put it on record, why."""

    version: int
    currency: str
    number_of_rates: int
    since: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class TaxTable:
    """Dated rates, and the unions within which tax is owed by the business that buys. `version` names the data."""

    version: str
    rates: tuple[TaxRate, ...]
    unions: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class BuyerFacts:
    """What tax rules need to know of a buyer; nothing personal.

    `has_tax_id`: one that is valid for the buyer's country. `postcode` and `code` (the account) are for tax services.
    """

    country: str
    region: str
    status: TaxStatus
    has_tax_id: bool
    exemptions: tuple[Exemption, ...] = ()
    postcode: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class SellerFacts:
    """`registrations`: where the seller may charge tax: `DE`, `US-NY`, or a union (`EU`) for its one-stop shop.
    `dated`: the days of supply on which some of them hold; the others always do.

    rounding, mode: how the seller rounds the taxes of a document; a tax service rounds in its own way. own_rates: what
    the seller says of taxes itself, for where no service answers.
    """

    country: str
    region: str
    registrations: frozenset[str]
    postcode: str = ""
    rounding: TaxRounding = TaxRounding.DOCUMENT
    mode: Rounding = Rounding.HALF_UP
    own_rates: OwnRates | None = None
    dated: tuple[tuple[str, Period], ...] = ()

    def on(self, day: date) -> SellerFacts:
        """As the seller is registered for supplies of a day."""
        if not self.dated:
            return self
        gone = {place for place, days in self.dated if day not in days}
        return replace(self, registrations=self.registrations - gone, dated=())


@dataclass(frozen=True, slots=True)
class TaxFacts:
    """Who bought and who sold, as a tax service was asked or should have been."""

    buyer: BuyerFacts
    seller: SellerFacts


class TaxableLine(NamedTuple):
    """One net amount to tax, in minor units. `supplied_on` decides which dated rate applies.

    inclusive: the amount has its taxes in it. exact: the amount before rounding in minor units, as (a, b, c) for
    a × b / c. quantity: what a levy is counted by. of: the line that this one, a discount, is taken off. taxes: decided
    before, when what it gives back was charged; nobody is asked then.
    """

    id: str
    net_minor: int
    category: str
    supplied_on: date
    inclusive: bool = False
    exact: tuple[Decimal, int, int] | None = None
    quantity: Decimal = Decimal(1)
    of: str = ""
    taxes: tuple[TaxShare, ...] = ()


class TaxShare(NamedTuple):
    """One tax on a line. `reason` is a stable code for people and documents where the percent is 0.

    The other fields as on TaxRate.
    """

    jurisdiction: str
    name: str
    treatment: TaxTreatment
    percent: Decimal
    reason: str = ""
    compound: bool = False
    levy_minor: Decimal = Decimal(0)
    collection: Collection = Collection.CHARGED
    basis: TaxBasis | None = None

    @property
    def has_amounts(self) -> bool:
        return _has_amounts(self.levy_minor, self.basis)

    def is_rest_of(self, other: TaxShare) -> bool:
        """Whether it is the part of an amount that a certificate exempts from the other, which is charged on what is
        left: together they are on all of it."""
        exempt = self.treatment is TaxTreatment.EXEMPT and self.reason == CERTIFICATE and self.basis is not None
        same = (self.jurisdiction, self.name) == (other.jurisdiction, other.name)
        return exempt and same and other.treatment.is_taxed

    @property
    def is_percentage(self) -> bool:
        """Whether it is a percentage of the net amount and nothing else, as most taxes are."""
        return not (self.compound or self.levy_minor or self.basis)


class LineTax(NamedTuple):
    """All taxes of one line; only a compound one is charged on those before it. `included_minor`: the tax in the
    line's amount, where that has its taxes in it."""

    line_id: str
    shares: tuple[TaxShare, ...]
    included_minor: int = 0


@dataclass(frozen=True, slots=True)
class TaxTotal:
    """One tax over a document: `tax_minor` is due on the lines whose net amounts make up `base_minor`.

    `included`: it is within the amounts of its lines. The other fields as on TaxRate.
    """

    jurisdiction: str
    name: str
    treatment: TaxTreatment
    percent: Decimal
    base_minor: int
    tax_minor: int
    reason: str = ""
    compound: bool = False
    levy_minor: Decimal = Decimal(0)
    collection: Collection = Collection.CHARGED
    included: bool = False
    basis: TaxBasis | None = None

    @property
    def share(self) -> TaxShare:
        """Which tax it is, as its lines bear it: two of one name and percent may still differ in what they are due on,
        or in who pays them."""
        kind = self.jurisdiction, self.name, self.treatment, self.percent, self.reason
        return TaxShare(*kind, self.compound, self.levy_minor, self.collection, self.basis)


@dataclass(frozen=True, slots=True)
class TaxAnswer:
    """Frozen on the invoice. `source`: who answered, with the version of its rates. `estimated`: to be trued up.

    `facts`: kept where a tax service is to be told of the invoice, or asked again.
    """

    source: str
    estimated: bool
    rounding: TaxRounding
    lines: tuple[LineTax, ...]
    totals: tuple[TaxTotal, ...]
    mode: Rounding = Rounding.HALF_UP
    facts: TaxFacts | None = None

    @property
    def tax_minor(self) -> int:
        """What is on the invoice as tax: all but what the buyer withholds."""
        return sum(total.tax_minor for total in self.totals if total.collection is not Collection.WITHHELD)
