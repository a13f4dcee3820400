"""How the services on this machine rate: Saldo's own table, and local taxes that the table does not know.

The table has the taxes of states; a real service knows counties, cities and districts too. So an invoice that the
table estimated is off here as it would be there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from saldo.accounts.model import TaxStatus
from saldo.tax.model import BuyerFacts, SellerFacts, TaxableLine, TaxShare, TaxTreatment
from saldo.tax.rules import shares_for
from saldo.tax.table import shipped_table


@dataclass(frozen=True, slots=True)
class LocalTax:
    """A tax of a county, city or district on everything that its state taxes. `level` and `code` as AvaTax has them."""

    region: str
    postcodes: tuple[str, ...]
    level: str
    code: str
    name: str
    percent: Decimal


# New York City: NYS Publication 718, sales tax rates by jurisdiction.
NEW_YORK_CITY = (
    LocalTax("NY", ("100", "101", "102", "103", "104", "112"), "CIT", "51000", "NY CITY TAX", Decimal("4.5")),
    LocalTax("NY", ("100", "101", "102", "103", "104", "112"), "STJ", "359071", "NY SPECIAL TAX", Decimal("0.375")),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One line as a service reads it from a request. `amount` in major units; `day` decides the rate."""

    id: str
    amount: Decimal
    category: str
    day: date
    inclusive: bool = False
    exempt: bool = False


@dataclass(frozen=True, slots=True)
class Tax:
    """One tax as a service reckons it; amounts in major units, rounded to the cent."""

    share: TaxShare
    level: str
    code: str
    rate: Decimal
    taxable: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True)
class Rater:
    """`registrations`: where the company that sells is registered with the service."""

    seller: SellerFacts
    locals: tuple[LocalTax, ...] = NEW_YORK_CITY

    def taxes(self, line: Asked, country: str, region: str, postcode: str, digits: int) -> list[Tax]:
        """Raises Refusal `tax_undecidable` for a place that the table knows nothing of."""
        buyer = BuyerFacts(country, region, TaxStatus.EXEMPT if line.exempt else TaxStatus.CONSUMER, False)
        shares = shares_for(TaxableLine(line.id, 0, line.category, line.day), buyer, self.seller, shipped_table())
        found = [(share, "STA" if region else "CNT", "0") for share in shares]
        if region and any(share.percent for share in shares):
            found += [(_share(tax, country), tax.level, tax.code) for tax in self._of(region, postcode)]
        return _taxed(line, found, digits)

    def _of(self, region: str, postcode: str) -> list[LocalTax]:
        return [tax for tax in self.locals if tax.region == region and postcode.startswith(tax.postcodes)]


def _share(tax: LocalTax, country: str) -> TaxShare:
    return TaxShare(f"{country}-{tax.region}", tax.name, TaxTreatment.STANDARD, tax.percent)


def _taxed(line: Asked, found: list[tuple[TaxShare, str, str]], digits: int) -> list[Tax]:
    """Taxes on top of the amount, or within it: then what is left of the amount is what they are on."""
    percent = sum((share.percent for share, _, _ in found), Decimal(0))
    base = line.amount * 100 / (100 + percent) if line.inclusive else line.amount
    taxes = [_rounded(base * share.percent / 100, digits) for share, _, _ in found]
    net = line.amount - sum(taxes, Decimal(0)) if line.inclusive else line.amount
    rows = zip(found, taxes, strict=True)
    return [Tax(share, level, code, share.percent / 100, net, tax) for (share, level, code), tax in rows]


def _rounded(amount: Decimal, digits: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
