"""Which taxes a supply bears, and how they are summed and rounded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

from saldo.accounts.model import TaxStatus
from saldo.kernel.errors import Refusal
from saldo.kernel.exact import ZERO, minus, shifted, times, total
from saldo.tax.model import (
    CERTIFICATE,
    NET,
    OUTSIDE,
    BuyerFacts,
    Collection,
    SellerFacts,
    TaxableLine,
    TaxBasis,
    TaxRate,
    TaxShare,
    TaxTable,
    TaxTreatment,
)
from saldo.tax.rules_totals import line_taxes, percent_of, tax_totals

__all__ = [
    "OUTSIDE",
    "decided_by_facts",
    "line_taxes",
    "percent_of",
    "problems_of_rates",
    "shares_for",
    "tax_totals",
]

_ALL = Decimal(100)


def shares_for(line: TaxableLine, buyer: BuyerFacts, seller: SellerFacts, table: TaxTable) -> tuple[TaxShare, ...]:
    """Every tax on a line, side by side; one of 0 % with its reason where none is charged.

    In this order: what is no supply at all (category OUTSIDE); what facts alone decide; where the seller may charge
    tax on that day, the dated rates of that place, less those that a certificate valid on the day exempts from; else
    outside the scope. Refusal `tax_undecidable` when a fact or a rate is missing.
    """
    if line.category == OUTSIDE:
        return (no_supply(seller),)
    decided = decided_by_facts(buyer, seller, table)
    if decided is not None:
        return (decided,)
    seller = seller.on(line.supplied_on)
    union = _shared_union(buyer, seller, table)
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
    found: list[TaxShare] = []
    for rate in rates:
        found += _shares_of(rate, _exempt_percent(rate, line, buyer), found)
    return tuple(found)


def no_supply(seller: SellerFacts) -> TaxShare:
    """Of what is no supply: interest and compensation for late payment (CJEU C-222/81, BAZ Bausystem)."""
    return TaxShare(seller.country, "", TaxTreatment.OUTSIDE, ZERO, "no_supply")


def decided_by_facts(buyer: BuyerFacts, seller: SellerFacts, table: TaxTable) -> TaxShare | None:
    """What needs neither rates nor a service: an exempt buyer; a business with a valid tax id in another country of
    the seller's union, which accounts for the tax itself (Directive 2006/112/EC, articles 44 and 196)."""
    if buyer.status is TaxStatus.EXEMPT:
        return _untaxed(_name_of_place(buyer), TaxTreatment.EXEMPT, "buyer_exempt")
    if _shared_union(buyer, seller, table) and buyer.status is TaxStatus.BUSINESS and buyer.has_tax_id:
        return _untaxed(buyer.country, TaxTreatment.REVERSE_CHARGE, "buyer_accounts_for_tax")
    return None


def _exempt_percent(rate: TaxRate, line: TaxableLine, buyer: BuyerFacts) -> Decimal:
    """The part of the line that certificates exempt from a tax; of several the largest, for they may cover the same."""
    if not buyer.exemptions:
        return ZERO
    of_tax = (e for e in buyer.exemptions if not e.taxes or rate.name in e.taxes)
    covering = (e for e in of_tax if e.covers(rate.jurisdiction, line.category, line.supplied_on))
    return max((e.percent for e in covering), default=ZERO)


def _shares_of(rate: TaxRate, percent: Decimal, before: Sequence[TaxShare]) -> list[TaxShare]:
    """A tax on a line that is exempt from it for a part: the tax, the exempt rest behind it, or both. A certificate's
    reason only where there was a tax to be exempt from."""
    if not percent or not rate.treatment.is_taxed:
        return [_share(rate)]
    exempt = TaxShare(rate.jurisdiction, rate.name, TaxTreatment.EXEMPT, ZERO, CERTIFICATE)
    if percent == _ALL:
        return [exempt]
    basis = rate.basis or TaxBasis()
    if basis.within:
        why = f"{rate.name} is within the amount, of which no part can be exempt from it"
        raise Refusal("tax_undecidable", why)
    if rate.compound:  # what it is due on besides is said by name, where it is not due on all of it
        basis = replace(basis, of=(NET, *dict.fromkeys(share.name for share in before)))
    left = minus(_ALL, percent)
    levy, once = _part(rate.levy_minor, left), _part(basis.once_minor, left)
    taxed = replace(basis, part=_part(basis.part, left), once_minor=once)
    rest = replace(basis, part=_part(basis.part, percent), once_minor=ZERO, most_tax_minor=None)
    share = _share(rate)._replace(compound=False, levy_minor=levy, basis=taxed)
    return [share, exempt._replace(basis=rest)]


def _part(value: Decimal, percent: Decimal) -> Decimal:
    return shifted(times(value, percent), -2)


def _share(r: TaxRate) -> TaxShare:
    bounds = r.compound, r.levy_minor, r.collection, r.basis
    return TaxShare(r.jurisdiction, r.name, r.treatment, r.percent, _reason(r), *bounds)


def _untaxed(jurisdiction: str, treatment: TaxTreatment, reason: str) -> TaxShare:
    return TaxShare(jurisdiction, "", treatment, ZERO, reason)


_REASONS = {
    TaxTreatment.REVERSE_CHARGE: "buyer_accounts_for_tax",
    TaxTreatment.INTRA_COMMUNITY: "buyer_accounts_for_tax",
    TaxTreatment.EXPORT: "export",
    TaxTreatment.OUTSIDE: "no_supply",
}


def _reason(rate: TaxRate) -> str:
    return "" if rate.treatment.is_taxed else _REASONS.get(rate.treatment, "category_not_taxed")


def _name_of_place(buyer: BuyerFacts) -> str:
    return f"{buyer.country}-{buyer.region}" if buyer.region else buyer.country


def _covers(rate: TaxRate, line: TaxableLine) -> bool:
    return rate.holds_on(line.supplied_on) and line.category in rate.categories


def _shared_union(buyer: BuyerFacts, seller: SellerFacts, table: TaxTable) -> str:
    """The union that buyer and seller are in, in different countries; "" otherwise."""
    if buyer.country == seller.country:
        return ""
    return next((n for n, m in table.unions.items() if buyer.country in m and seller.country in m), "")


def _places(buyer: BuyerFacts, seller: SellerFacts, table: TaxTable) -> frozenset[str]:
    """Jurisdictions over the buyer in which this seller may charge tax.

    A country whose rates are all its regions' is no jurisdiction itself, and needs the buyer's region; so does one with
    a region where the seller is registered, for what that charges besides would be left out. A seller that has nothing
    to do with the country asks for no region. A seller is registered where it sits in a country of regions alone. The
    one-stop shop of a union serves buyers without a tax id.
    """
    regional = {r.region for r in table.rates if r.country == buyer.country}
    only_regions = bool(regional) and "" not in regional
    besides = any(f"{buyer.country}-{region}" in seller.registrations for region in regional if region)
    there = buyer.country in {seller.country, *(place.split("-")[0] for place in seller.registrations)}
    if ((only_regions and there) or besides) and not buyer.region:
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


def problems_of_rates(rates: Iterable[TaxRate]) -> list[str]:
    """What is wrong with a table: rates below zero, empty spans, two rates of one tax, place and category at once, no
    tax for a reason that is charged all the same, bases that cannot be reckoned."""
    found: list[str] = []
    rates = list(rates)
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
    return [*found, *(f"{rate.jurisdiction} {rate.name}: {why}" for rate in rates for why in _wrong_with(rate, rates))]


def _wrong_with(rate: TaxRate, rates: Sequence[TaxRate]) -> Iterator[str]:
    basis = rate.basis
    if not rate.treatment.is_taxed and (rate.percent or rate.levy_minor or (basis and basis.once_minor)):
        yield f"{rate.treatment.value} is not taxed, and bears a tax"
    if basis is None:
        return
    if rate.compound and basis.of != (NET,):
        yield "is compound, and names what it is due on"
    besides = rate.compound or basis.of != (NET,) or rate.levy_minor
    if basis.within and (basis.is_bounded or besides):
        yield "is within the amount, and is due on something else besides"
    if basis.within and rate.collection is Collection.WITHHELD:
        yield "is within the amount, which the buyer withholds nothing of"
    if basis.is_bounded and besides:
        yield "has bounds, and is due on something else than the net amount"
    before = rates[: rates.index(rate)]
    for name in basis.of:
        if name != NET and all(other.name != name for other in before):
            yield f"is due on {name}, which is not before it"
    if basis.within and _within_at_once(rate, rates) >= _ALL:
        yield "is within the amount, and leaves nothing of it"


def _within_at_once(rate: TaxRate, rates: Iterable[TaxRate]) -> Decimal:
    """The most that taxes within one amount come to where a rate holds, when it begins: in percent, its region's and
    those of the whole country."""
    here = (r for r in rates if r.country == rate.country and r.region in ("", rate.region))
    within = [r for r in here if r.basis and r.basis.within and r.holds_on(rate.from_on)]
    return max((total(r.percent for r in within if c in r.categories) for c in rate.categories), default=ZERO)


def _by_tax(rates: Iterable[TaxRate]) -> dict[tuple[str, str, str], list[TaxRate]]:
    spans: dict[tuple[str, str, str], list[TaxRate]] = {}
    for rate in rates:
        for category in rate.categories:
            spans.setdefault((rate.jurisdiction, rate.name, category), []).append(rate)
    return spans
