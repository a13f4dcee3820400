"""Which taxes a line bears and what they come to. Sources: TAX-2, tax/README.md, docs/quote.md ("Taxes"), EN 16931."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from saldo.accounts.model import Account, LegalEntity, TaxStatus
from saldo.tax.model import Collection, TaxRate, TaxTable
from tests.decade.oracle_prices import whole


@dataclass(frozen=True)
class Tax:
    """One tax on a line; `percent` 0 with a treatment that says why."""

    jurisdiction: str
    name: str
    treatment: str
    percent: Fraction
    compound: bool = False
    collection: str = "charged"


@dataclass
class Taxed:
    """A net (or, where prices include tax, gross) amount with the taxes it bears."""

    amount: int
    taxes: tuple[Tax, ...]
    inclusive: bool


@dataclass(frozen=True)
class Row:
    """One row of an invoice's table of taxes."""

    tax: Tax
    inclusive: bool
    base: int
    amount: int


def taxes_on(category: str, supplied_on: date, buyer: Account, seller: LegalEntity, table: TaxTable) -> tuple[Tax, ...]:
    place = f"{buyer.country}-{buyer.tax_region}" if buyer.tax_region else buyer.country
    if buyer.tax_status is TaxStatus.EXEMPT:
        return (Tax(place, "", "exempt", Fraction(0)),)
    union = [m for m in table.unions.values() if buyer.country in m and seller.country in m]
    abroad = buyer.country != seller.country
    taxable_person = buyer.tax_status is TaxStatus.BUSINESS and buyer.has_tax_id
    if abroad and union and taxable_person:
        return (Tax(buyer.country, "", "reverse_charge", Fraction(0)),)
    places = charged_in(buyer, seller, table, abroad, taxable_person)
    if not places and abroad and union and seller.country in seller.tax_registrations:
        places = {seller.country}  # not registered at the buyer's: the seller's own tax, as below the threshold
    if not places:
        return (Tax(place, "", "outside", Fraction(0)),)
    found = [r for r in table.rates if r.jurisdiction in places and holds(r, category, supplied_on)]
    assert found, f"the world has no rate of {places} for {category} on {supplied_on}"
    return tuple(
        Tax(r.jurisdiction, r.name, r.treatment.value, Fraction(r.percent), r.compound, r.collection.value)
        for r in found
    )


def charged_in(buyer: Account, seller: LegalEntity, table: TaxTable, abroad: bool, taxable_person: bool) -> set[str]:
    """Places over the buyer where the seller is registered; a union's one-stop shop counts for private buyers."""
    own = {f"{buyer.country}-{buyer.tax_region}"} if buyer.tax_region else set()
    national = any(r.country == buyer.country and not r.region for r in table.rates)
    if national or not any(r.country == buyer.country for r in table.rates):
        own.add(buyer.country)
    registered = set(seller.tax_registrations)
    if not national and not abroad:
        registered.add(f"{seller.country}-{seller.region}")
    if abroad and not taxable_person and any(n in registered and buyer.country in m for n, m in table.unions.items()):
        registered.add(buyer.country)
    return own & registered


def holds(rate: TaxRate, category: str, day: date) -> bool:
    return category in rate.categories and rate.from_on <= day and (rate.until_on is None or day < rate.until_on)


def table_of_taxes(lines: Sequence[Taxed]) -> list[Row]:
    """Each tax over the document: the lines that bear it summed, its percentage taken once and rounded once.

    Of prices that include tax the sum stays: what the taxes come to is taken out of it. The base of a tax on taxes is
    rounded once, over the document.
    """
    rows: dict[tuple[Tax, bool], list[Fraction]] = {}
    for taxes, inclusive in dict.fromkeys((line.taxes, line.inclusive) for line in lines):
        amount = Fraction(sum(line.amount for line in lines if (line.taxes, line.inclusive) == (taxes, inclusive)))
        if inclusive:
            _within(rows, amount, taxes)
        else:
            for n, tax in enumerate(taxes):
                row = rows.setdefault((tax, False), [Fraction(0), Fraction(0)])
                row[0] += amount * (1 + (sum(factors(taxes[:n], on_price=True)) if tax.compound else 0))
    found = []
    for (tax, inclusive), (base, part) in rows.items():
        shown = whole(base)
        found.append(Row(tax, inclusive, shown, int(part) if inclusive else whole(shown * tax.percent / 100)))
    return found


def _within(rows: dict[tuple[Tax, bool], list[Fraction]], amount: Fraction, taxes: Sequence[Tax]) -> None:
    """Taxes that are in an amount: each rounded by itself, the net amount is what they leave."""
    exact = amount / sum(factors(taxes, on_price=True), Fraction(1))
    found = [whole(exact * factor) for factor in factors(taxes, on_price=False)]
    net = amount - sum(f for f, t in zip(found, taxes, strict=True) if t.collection != "withheld")
    for n, (tax, part) in enumerate(zip(taxes, found, strict=True)):
        row = rows.setdefault((tax, True), [Fraction(0), Fraction(0)])
        row[0] += net + (sum(found[:n]) if tax.compound else 0)
        row[1] += part


def factors(taxes: Sequence[Tax], on_price: bool) -> list[Fraction]:
    """Each tax as a part of the net amount; a compound one is charged on those before it too.

    on_price: 0 for one that the buyer withholds, which adds nothing to the price.
    """
    found: list[Fraction] = []
    added = Fraction(0)
    for tax in taxes:
        factor = tax.percent / 100 * (1 + added if tax.compound else 1)
        counts = tax.collection != Collection.WITHHELD.value
        added += factor if counts else 0
        found.append(factor if counts or not on_price else Fraction(0))
    return found
