"""What tax is asked and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from saldo.accounts.model import TaxStatus


class TaxTreatment(StrEnum):
    """How a supply is treated. OUTSIDE is outside the scope of any tax the seller must charge."""

    STANDARD = "standard"
    REDUCED = "reduced"
    ZERO = "zero"
    REVERSE_CHARGE = "reverse_charge"
    EXEMPT = "exempt"
    OUTSIDE = "outside"

    @property
    def en16931_code(self) -> str:
        """The VAT category code of EN 16931 (UNTDID 5305)."""
        return _EN16931[self]


_EN16931 = {
    TaxTreatment.STANDARD: "S",
    TaxTreatment.REDUCED: "S",
    TaxTreatment.ZERO: "Z",
    TaxTreatment.REVERSE_CHARGE: "AE",
    TaxTreatment.EXEMPT: "E",
    TaxTreatment.OUTSIDE: "O",
}


class TaxRounding(StrEnum):
    """DOCUMENT rounds once per rate over the document (EN 16931); LINE rounds each tax of each line;
    LINE_RESIDUAL too, but a line's taxes add up to their rounded sum, the first taking the odd cent."""

    DOCUMENT = "document"
    LINE = "line"
    LINE_RESIDUAL = "line_residual"


@dataclass(frozen=True, slots=True)
class TaxRate:
    """A tax of a country (and region, "" for all of it) on categories of supply, valid on [from_on, until_on).

    percent: of the net amount, 19 for 19 %. treatment: STANDARD, REDUCED, ZERO or EXEMPT.
    """

    country: str
    region: str
    name: str
    categories: frozenset[str]
    treatment: TaxTreatment
    percent: Decimal
    from_on: date
    until_on: date | None = None

    @property
    def jurisdiction(self) -> str:
        """`DE`, or `US-NY`."""
        return f"{self.country}-{self.region}" if self.region else self.country


@dataclass(frozen=True, slots=True)
class TaxTable:
    """Dated rates, and the unions within which tax is owed by the business that buys. `version` names the data."""

    version: str
    rates: tuple[TaxRate, ...]
    unions: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class BuyerFacts:
    """What tax rules need to know of a buyer; nothing personal."""

    country: str
    region: str
    status: TaxStatus
    has_tax_id: bool


@dataclass(frozen=True, slots=True)
class SellerFacts:
    """`registrations`: where the seller may charge tax: `DE`, `US-NY`, or a union (`EU`) for its one-stop shop."""

    country: str
    region: str
    registrations: frozenset[str]


@dataclass(frozen=True, slots=True)
class TaxableLine:
    """One net amount to tax, in minor units. `supplied_on` decides which dated rate applies."""

    id: str
    net_minor: int
    category: str
    supplied_on: date


@dataclass(frozen=True, slots=True)
class TaxShare:
    """One tax on a line. `reason` is a stable code for people and documents where the percent is 0."""

    jurisdiction: str
    name: str
    treatment: TaxTreatment
    percent: Decimal
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LineTax:
    """All taxes of one line, side by side (none is charged on another)."""

    line_id: str
    shares: tuple[TaxShare, ...]


@dataclass(frozen=True, slots=True)
class TaxTotal:
    """One tax over a document: `tax_minor` is due on the lines whose net amounts make up `base_minor`."""

    jurisdiction: str
    name: str
    treatment: TaxTreatment
    percent: Decimal
    base_minor: int
    tax_minor: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TaxAnswer:
    """Frozen on the invoice. `source`: who answered, with the version of its rates. `estimated`: to be trued up."""

    source: str
    estimated: bool
    rounding: TaxRounding
    lines: tuple[LineTax, ...]
    totals: tuple[TaxTotal, ...]

    @property
    def tax_minor(self) -> int:
        return sum(total.tax_minor for total in self.totals)
