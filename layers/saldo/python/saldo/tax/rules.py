"""Which taxes a supply bears, and how they are summed and rounded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise

from saldo.accounts.model import TaxStatus
from saldo.kernel.errors import Refusal
from saldo.kernel.exact import ZERO
from saldo.kernel.rounding import rounded_ratio
from saldo.tax.model import (
    BuyerFacts,
    LineTax,
    SellerFacts,
    TaxableLine,
    TaxRate,
    TaxRounding,
    TaxShare,
    TaxTable,
    TaxTotal,
    TaxTreatment,
)


def shares_for(line: TaxableLine, buyer: BuyerFacts, seller: SellerFacts, table: TaxTable) -> tuple[TaxShare, ...]:
    """Every tax on a line, side by side; one of 0 % with its reason where none is charged.

    In this order: an exempt buyer; a business with a tax id in another country of the seller's union (reverse
    charge); where the seller may charge tax, the dated rates of that place; else outside the scope.
    Refusal `tax_undecidable` when a fact or a rate is missing.
    """
    if buyer.status is TaxStatus.EXEMPT:
        return (_untaxed(_name_of_place(buyer), TaxTreatment.EXEMPT, "buyer_exempt"),)
    union = _shared_union(buyer, seller, table)
    if union and buyer.status is TaxStatus.BUSINESS and buyer.has_tax_id:
        return (_untaxed(buyer.country, TaxTreatment.REVERSE_CHARGE, "buyer_accounts_for_tax"),)
    places = _places(buyer, seller, table)
    if not places and union and seller.country in seller.registrations:
        places = frozenset({seller.country})
    if not places:
        reason = "seller_not_registered" if buyer.country == seller.country else "export"
        return (_untaxed(_name_of_place(buyer), TaxTreatment.OUTSIDE, reason),)
    rates = [r for r in table.rates if r.jurisdiction in places and _covers(r, line)]
    if not rates:
        where = " and ".join(sorted(places))
        raise Refusal("tax_undecidable", f"no rate of {where} for {line.category!r} on {line.supplied_on}")
    return tuple(TaxShare(r.jurisdiction, r.name, r.treatment, r.percent, _reason(r)) for r in rates)


def _untaxed(jurisdiction: str, treatment: TaxTreatment, reason: str) -> TaxShare:
    return TaxShare(jurisdiction, "", treatment, ZERO, reason)


def _reason(rate: TaxRate) -> str:
    return "category_not_taxed" if rate.treatment in (TaxTreatment.EXEMPT, TaxTreatment.ZERO) else ""


def _name_of_place(buyer: BuyerFacts) -> str:
    return f"{buyer.country}-{buyer.region}" if buyer.region else buyer.country


def _covers(rate: TaxRate, line: TaxableLine) -> bool:
    begun = rate.from_on <= line.supplied_on
    return begun and (rate.until_on is None or line.supplied_on < rate.until_on) and line.category in rate.categories


def _shared_union(buyer: BuyerFacts, seller: SellerFacts, table: TaxTable) -> str:
    """The union that buyer and seller are in, in different countries; "" otherwise."""
    if buyer.country == seller.country:
        return ""
    return next((n for n, m in table.unions.items() if buyer.country in m and seller.country in m), "")


def _places(buyer: BuyerFacts, seller: SellerFacts, table: TaxTable) -> frozenset[str]:
    """Jurisdictions over the buyer in which this seller may charge tax.

    A country whose rates are all its regions' is no jurisdiction itself, and needs the buyer's region. A seller is
    registered where it sits in such a country. The one-stop shop of a union serves buyers without a tax id.
    """
    regional = {r.region for r in table.rates if r.country == buyer.country}
    only_regions = bool(regional) and "" not in regional
    if only_regions and not buyer.region:
        raise Refusal("tax_undecidable", f"the tax of {buyer.country} depends on the region, and the buyer has none")
    over = {f"{buyer.country}-{buyer.region}"} if buyer.region else set()
    over |= set() if only_regions else {buyer.country}
    allowed = set(seller.registrations)
    if only_regions and buyer.country == seller.country:
        allowed.add(f"{seller.country}-{seller.region}")
    if _one_stop_shop(buyer, seller, table):
        allowed.add(buyer.country)
    return frozenset(over & allowed)


def _one_stop_shop(buyer: BuyerFacts, seller: SellerFacts, table: TaxTable) -> bool:
    if buyer.country == seller.country or (buyer.status is TaxStatus.BUSINESS and buyer.has_tax_id):
        return False
    return any(n in seller.registrations and buyer.country in members for n, members in table.unions.items())


def tax_totals(
    lines: Sequence[TaxableLine], taxes: Sequence[LineTax], rounding: TaxRounding = TaxRounding.DOCUMENT
) -> tuple[TaxTotal, ...]:
    """Base and tax per kind of tax, in the order they first appear; amounts half up to the minor unit.

    DOCUMENT: percent of the summed base, rounded once (EN 16931 BR-CO-17). LINE and LINE_RESIDUAL: the sum of what
    the lines bear. `taxes` belong to `lines` one by one.
    """
    bases: dict[TaxShare, int] = {}
    amounts: dict[TaxShare, int] = {}
    for line, tax in zip(lines, taxes, strict=True):
        for share, minor in zip(tax.shares, line_amounts(line.net_minor, tax.shares, rounding), strict=True):
            bases[share] = bases.get(share, 0) + line.net_minor
            amounts[share] = amounts.get(share, 0) + minor
    if rounding is TaxRounding.DOCUMENT:
        amounts = {share: percent_of(base, share.percent) for share, base in bases.items()}
    return tuple(_total(share, bases[share], amounts[share]) for share in bases)


def _total(share: TaxShare, base: int, tax: int) -> TaxTotal:
    return TaxTotal(share.jurisdiction, share.name, share.treatment, share.percent, base, tax, share.reason)


def line_amounts(net_minor: int, shares: Sequence[TaxShare], rounding: TaxRounding) -> list[int]:
    """What each tax of one line comes to by itself, rounded; with LINE_RESIDUAL they add up to their rounded sum."""
    if rounding is TaxRounding.DOCUMENT:
        return [0] * len(shares)
    amounts = [percent_of(net_minor, share.percent) for share in shares]
    if rounding is TaxRounding.LINE_RESIDUAL and amounts:
        amounts[0] += percent_of(net_minor, sum((s.percent for s in shares), ZERO)) - sum(amounts)
    return amounts


def percent_of(net_minor: int, percent: Decimal) -> int:
    """A percentage of an amount in minor units, half up, away from zero."""
    numerator, denominator = percent.as_integer_ratio()
    return rounded_ratio(net_minor * numerator, denominator * 100)


def problems_of_rates(rates: Iterable[TaxRate]) -> list[str]:
    """What is wrong with a table: rates below zero, empty spans, two rates of one tax, place and category at once."""
    found: list[str] = []
    spans: Mapping[tuple[str, str, str], list[TaxRate]] = _by_tax(rates)
    for (place, name, category), rows in spans.items():
        where = f"{place} {name} {category}"
        for row in rows:
            if row.percent < 0 or (row.until_on is not None and row.until_on <= row.from_on):
                found.append(f"{where}: {row.percent} from {row.from_on} is not a rate")
        ordered = sorted(rows, key=lambda r: r.from_on)
        for earlier, later in pairwise(ordered):
            if earlier.until_on is None or earlier.until_on > later.from_on:
                found.append(f"{where}: two rates on {later.from_on}")
    return found


def _by_tax(rates: Iterable[TaxRate]) -> dict[tuple[str, str, str], list[TaxRate]]:
    spans: dict[tuple[str, str, str], list[TaxRate]] = {}
    for rate in rates:
        for category in rate.categories:
            spans.setdefault((rate.jurisdiction, rate.name, category), []).append(rate)
    return spans
