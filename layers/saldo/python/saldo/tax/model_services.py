"""What a tax service is asked and what it says, in this room's words; amounts in major units, as services have them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any  # parsed JSON is of any shape until it is read

from saldo.kernel.numbers import fits
from saldo.tax.model import OUTSIDE, TaxableLine, TaxFacts, TaxTreatment


@dataclass(frozen=True, slots=True)
class TaxDocument:
    """One document to rate. `code`: the invoice's id, by which a service keeps it once; "" for a mere question.

    `decided`: lines whose tax follows from facts alone, by id, with the reason (`buyer_exempt`); the service is told
    not to tax them.
    """

    facts: TaxFacts
    currency: str
    lines: tuple[TaxableLine, ...]
    code: str = ""
    issued_on: date | None = None
    decided: Mapping[str, str] = field(default_factory=dict)

    @property
    def asked(self) -> tuple[TaxableLine, ...]:
        """The lines that a service is asked about: all that are supplies and not decided before."""
        return tuple(line for line in self.lines if line.category != OUTSIDE and not line.taxes)

    @property
    def on(self) -> date:
        """The document's day: when it was issued, else the last day on which anything was supplied."""
        return self.issued_on or max(line.supplied_on for line in self.lines)


@dataclass(frozen=True, slots=True)
class RatedTax:
    """One tax on one line: `rate` (0.19) of `taxable` is `tax`. `reason`: why, where it is 0."""

    jurisdiction: str
    name: str
    treatment: TaxTreatment
    rate: Decimal
    taxable: Decimal
    tax: Decimal
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RatedLine:
    """What a service said of a line. `tax`: of all its taxes. `amount`: what it takes the line to cost, None where it
    does not tell."""

    line_id: str
    tax: Decimal
    taxes: tuple[RatedTax, ...]
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Rated:
    """What a service said of a document. `currency` and `customer` (the buyer's code) are "" where it does not tell."""

    currency: str
    tax: Decimal
    lines: tuple[RatedLine, ...]
    customer: str = ""


def place_of(document: TaxDocument) -> str:
    """The buyer's jurisdiction, `DE` or `US-NY`, for lines of which a service names none."""
    buyer = document.facts.buyer
    return f"{buyer.country}-{buyer.region}" if buyer.region else buyer.country


def decimal_of(value: Any) -> Decimal:
    """A JSON number, read exactly; ValueError for anything else, and for one that is no amount, so long is it."""
    if (type(value) is int or isinstance(value, Decimal)) and fits(Decimal(value)):
        return Decimal(value)
    raise ValueError("not a number")
