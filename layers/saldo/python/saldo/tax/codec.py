"""What a tax service was asked about, as plain JSON values."""

from __future__ import annotations

from typing import Any  # parsed JSON is of any shape until it is read

from saldo.accounts.codec import exemption_from, exemption_to
from saldo.accounts.model import TaxStatus
from saldo.tax.model import BuyerFacts, SellerFacts, TaxFacts


def facts_to(facts: TaxFacts) -> dict[str, Any]:
    buyer, seller = facts.buyer, facts.seller
    return {
        "buyer": [buyer.country, buyer.region, buyer.status.value, buyer.has_tax_id, buyer.postcode, buyer.code],
        "exemptions": [exemption_to(exemption) for exemption in buyer.exemptions],
        "seller": [seller.country, seller.region, sorted(seller.registrations), seller.postcode],
    }


def facts_from(document: dict[str, Any]) -> TaxFacts:
    country, region, status, has_tax_id, postcode, code = document["buyer"]
    exemptions = tuple(exemption_from(row) for row in document["exemptions"])
    buyer = BuyerFacts(country, region, TaxStatus(status), has_tax_id, exemptions, postcode, code)
    country, region, registrations, postcode = document["seller"]
    return TaxFacts(buyer, SellerFacts(country, region, frozenset(registrations), postcode))
