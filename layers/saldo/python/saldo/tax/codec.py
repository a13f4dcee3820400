"""What a tax service was asked about, and what taxes are reckoned on, as plain JSON values."""

from __future__ import annotations

from decimal import Decimal
from typing import Any  # parsed JSON is of any shape until it is read

from saldo.accounts.codec import exemption_from, exemption_to
from saldo.accounts.model import TaxStatus
from saldo.kernel.exact import plain
from saldo.kernel.periods import Period
from saldo.tax.model import NET, BuyerFacts, Piece, SellerFacts, TaxBasis, TaxFacts


def facts_to(facts: TaxFacts) -> dict[str, Any]:
    buyer, seller = facts.buyer, facts.seller
    dated = [[[place, days.as_text()] for place, days in seller.dated]] if seller.dated else []
    return {
        "buyer": [buyer.country, buyer.region, buyer.status.value, buyer.has_tax_id, buyer.postcode, buyer.code],
        "exemptions": [exemption_to(exemption) for exemption in buyer.exemptions],
        "seller": [seller.country, seller.region, sorted(seller.registrations), seller.postcode, *dated],
    }


def facts_from(document: dict[str, Any]) -> TaxFacts:
    country, region, status, has_tax_id, postcode, code = document["buyer"]
    exemptions = tuple(exemption_from(row) for row in document["exemptions"])
    buyer = BuyerFacts(country, region, TaxStatus(status), has_tax_id, exemptions, postcode, code)
    country, region, registrations, postcode, *rows = document["seller"]
    dated = tuple((place, Period.from_text(days)) for place, days in (rows[0] if rows else ()))
    return TaxFacts(buyer, SellerFacts(country, region, frozenset(registrations), postcode, dated=dated))


_BOUNDS = ("least_minor", "below_minor", "above_minor", "up_to_minor", "most_tax_minor")


def basis_to(basis: TaxBasis) -> dict[str, Any]:
    """Only what differs from the net amount."""
    found: dict[str, Any] = {"of": list(basis.of)} if basis.of != (NET,) else {}
    if basis.part != 100:
        found["part"] = plain(basis.part)
    if basis.within:
        found["within"] = True
    if basis.piece is not Piece.UNIT:
        found["piece"] = basis.piece.value
    if basis.once_minor:
        found["once_minor"] = plain(basis.once_minor)
    return found | {name: plain(bound) for name in _BOUNDS if (bound := getattr(basis, name)) is not None}


def basis_from(document: dict[str, Any]) -> TaxBasis:
    bounds = {name: Decimal(document[name]) for name in (*_BOUNDS, "once_minor") if name in document}
    of, part = tuple(document.get("of", (NET,))), Decimal(document.get("part", 100))
    return TaxBasis(of, part, document.get("within", False), Piece(document.get("piece", Piece.UNIT)), **bounds)
