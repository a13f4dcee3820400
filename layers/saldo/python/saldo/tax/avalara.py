"""The tax service port spoken to Avalara AvaTax, REST v2 (developer.avalara.com, Transactions: CreateTransaction).

A question is a SalesOrder, which AvaTax forgets; an invoice is a committed SalesInvoice under its document code. Of
the buyer it learns country, region, postcode and the account's id: no name, no street, no tax id.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any  # parsed JSON is of any shape until it is read

from saldo.kernel.errors import Refusal, Unavailable
from saldo.kernel.exact import ZERO
from saldo.kernel.money import Money
from saldo.storage.web import Told, WebService
from saldo.tax.model import CERTIFICATE, TaxableLine, TaxTreatment
from saldo.tax.model_services import Rated, RatedLine, RatedTax, TaxDocument, decimal_of, place_of

CREATE = "/api/v2/transactions/create"
# What a line's tax consists of is told to who asks for it alone: "Details (implies lines)".
_WITH_DETAILS = "?$include=Details"
# AvaTax's own tax codes (Avalara tax code search): software as a service for businesses, and what is taxed in full.
TAX_CODES = {"digital_service": "SW054000", "standard": "P0000000"}
_LEVELS = {"CNT": "", "STA": ""}  # the country's and the state's own taxes need no further code
_RATES = {"R": TaxTreatment.REDUCED, "Z": TaxTreatment.ZERO}


@dataclass(frozen=True, slots=True)
class AvaTaxKey:
    """Account number and licence key of AvaTax, and the code of the company there that sells."""

    account: str
    licence_key: str
    company: str


@dataclass(frozen=True)
class AvaTax:
    """`key` is asked at each use. `tax_codes`: tax category → AvaTax tax code; other categories are sent as
    they are."""

    web: WebService
    key: Callable[[], AvaTaxKey]
    tax_codes: Mapping[str, str] = field(default_factory=lambda: TAX_CODES)
    name: str = "avalara"

    def rate(self, document: TaxDocument) -> Rated:
        told = self._post(self._body(document, "SalesOrder", commit=False))
        return rated_from(self._accepted(told), place_of(document))

    def record(self, document: TaxDocument) -> Rated:
        """A code that is committed already is looked up and read: the answer to an earlier call was lost."""
        told = self._post(self._body(document, "SalesInvoice", commit=True))
        if told.status == 400 and told.field("error", "code") in ("DocStatusError", "DuplicateEntry"):
            told = self._look_up(document.code)
        return rated_from(self._accepted(told), place_of(document))

    def _post(self, body: dict[str, Any]) -> Told:
        return self.web.post(f"{CREATE}{_WITH_DETAILS}", body, self._headers())

    def _look_up(self, code: str) -> Told:
        company = self.key().company
        return self.web.get(f"/api/v2/companies/{company}/transactions/{code}{_WITH_DETAILS}", self._headers())

    def _headers(self) -> dict[str, str]:
        key = self.key()
        basic = base64.b64encode(f"{key.account}:{key.licence_key}".encode()).decode()
        return {"Authorization": f"Basic {basic}", "X-Avalara-Client": "Saldo; 1; REST; v2"}

    def _accepted(self, told: Told) -> Any:
        if told.status in (401, 403):
            raise Unavailable(f"AvaTax does not know us ({told.status})")
        if told.status >= 300 and not told.field("error", "code"):
            raise Unavailable(f"somebody else answers for AvaTax ({told.status})")
        if told.status >= 400:
            raise Refusal("tax_undecidable", f"AvaTax refused the document: {told.field('error', 'code')}")
        return told.document

    def _body(self, document: TaxDocument, kind: str, *, commit: bool) -> dict[str, Any]:
        buyer, seller = document.facts.buyer, document.facts.seller
        body: dict[str, Any] = {
            "type": kind,
            "companyCode": self.key().company,
            "date": document.on.isoformat(),
            "customerCode": buyer.code or "unknown",
            "currencyCode": document.currency,
            "commit": commit,
            "addresses": {
                "shipFrom": _address(seller.country, seller.region, seller.postcode),
                "shipTo": _address(buyer.country, buyer.region, buyer.postcode),
            },
            "lines": [self._line(line, document) for line in document.asked],
        }
        return body | ({"code": document.code} if document.code else {})

    def _line(self, line: TaxableLine, document: TaxDocument) -> dict[str, Any]:
        found: dict[str, Any] = {
            "number": line.id,
            "quantity": abs(line.quantity),
            "amount": Money(line.net_minor, document.currency).as_decimal(),
            "taxCode": self.tax_codes.get(line.category, line.category),
            "taxIncluded": line.inclusive,
        }
        exempt = document.decided.get(line.id) or _certificate(line, document)
        if exempt:
            found["exemptionCode"] = exempt
        if line.supplied_on != document.on:
            found["taxOverride"] = {
                "type": "TaxDate",
                "taxDate": line.supplied_on.isoformat(),
                "reason": "Supplied on another day",
            }
        return found


def _address(country: str, region: str, postcode: str) -> dict[str, str]:
    fields = {"country": country, "region": region, "postalCode": postcode}
    return {name: value for name, value in fields.items() if value}


def _certificate(line: TaxableLine, document: TaxDocument) -> str:
    """The id of a certificate of the buyer's whole country or region that covers the line; its number stays here."""
    buyer = document.facts.buyer
    places = {buyer.country, f"{buyer.country}-{buyer.region}"}
    for exemption in buyer.exemptions:
        if exemption.is_whole and any(exemption.covers(place, line.category, line.supplied_on) for place in places):
            return exemption.id
    return ""


def rated_from(document: Any, place: str) -> Rated:
    """AvaTax's TransactionModel in our words; Refusal `tax_service_wrong` for another form. place: the buyer's."""
    try:
        lines = tuple(_line_from(line, place) for line in document["lines"])
        customer = str(document.get("customerCode", ""))
        return Rated(str(document["currencyCode"]), decimal_of(document["totalTax"]), lines, customer)
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise Refusal("tax_service_wrong", f"AvaTax's answer has another form: {type(error).__name__}") from error


def _line_from(line: Mapping[str, Any], place: str) -> RatedLine:
    taxes = tuple(_tax_from(detail) for detail in line["details"])
    amount = decimal_of(line["lineAmount"]) if "lineAmount" in line else None
    return RatedLine(str(line["lineNumber"]), decimal_of(line["tax"]), taxes or _untaxed(line, place), amount)


def _tax_from(detail: Mapping[str, Any]) -> RatedTax:
    place = "-".join(part for part in (str(detail["country"]), _region(detail), *_locality(detail)) if part)
    rate, tax = decimal_of(detail["rate"]), decimal_of(detail["tax"])
    treatment, reason = _RATES.get(str(detail.get("rateTypeCode", "")), TaxTreatment.STANDARD), ""
    if detail.get("liabilityType") == "Buyer":
        treatment, reason, rate = TaxTreatment.REVERSE_CHARGE, "buyer_accounts_for_tax", ZERO
    elif not tax and decimal_of(detail.get("exemptAmount", 0)):
        treatment, reason, rate = TaxTreatment.EXEMPT, CERTIFICATE, ZERO
    elif not tax and decimal_of(detail.get("nonTaxableAmount", 0)):
        treatment, reason, rate = TaxTreatment.ZERO, "category_not_taxed", ZERO
    elif treatment is TaxTreatment.ZERO:
        reason = "category_not_taxed"
    return RatedTax(place, str(detail["taxName"]), treatment, rate, decimal_of(detail["taxableAmount"]), tax, reason)


def _region(detail: Mapping[str, Any]) -> str:
    """AvaTax repeats the country as the region of a country without regions."""
    region = str(detail.get("region", ""))
    return "" if region == detail["country"] else region


def _locality(detail: Mapping[str, Any]) -> tuple[str, ...]:
    level = str(detail["jurisType"])
    return () if level in _LEVELS else (level, str(detail["jurisCode"]))


def _untaxed(line: Mapping[str, Any], place: str) -> tuple[RatedTax, ...]:
    """A line without details: exempt, or sold where the seller has no nexus. Anything else says nothing."""
    if decimal_of(line["tax"]) or decimal_of(line.get("taxableAmount", 0)):
        return ()
    if decimal_of(line.get("exemptAmount", 0)):
        return (RatedTax(place, "", TaxTreatment.EXEMPT, ZERO, ZERO, ZERO, CERTIFICATE),)
    if line.get("isItemTaxable") is False:
        return (RatedTax(place, "", TaxTreatment.OUTSIDE, ZERO, ZERO, ZERO, "seller_not_registered"),)
    return ()
