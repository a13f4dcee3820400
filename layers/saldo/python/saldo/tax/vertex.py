"""The tax service port spoken to Vertex O Series, REST v2 (`/supplies`: QUOTATION and INVOICE messages).

A question is a QUOTATION, which Vertex forgets; an invoice is an INVOICE message, which its tax journal keeps under
transaction id and document number: the same transaction id again replaces it. Of the buyer it learns country, region,
postcode and the account's id.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any  # parsed JSON is of any shape until it is read

from saldo.kernel.errors import Refusal, Unavailable
from saldo.kernel.exact import ZERO
from saldo.kernel.money import Money
from saldo.storage.web import Told, WebService
from saldo.tax.model import CERTIFICATE, TaxableLine, TaxTreatment
from saldo.tax.model_services import Rated, RatedLine, RatedTax, TaxDocument, decimal_of, place_of

SUPPLIES = "/vertex-ws/v2/supplies"
# Tokens are had elsewhere: for O Series Cloud from Vertex's cache, because the authority behind it gives ten in eight
# hours and no more, and there are many of us.
CLOUD_TOKENS = "https://tokenguard.vertexcloud.com/cached/oauth/token"
CLOUD_AUDIENCE = "verx://migration-api"
_UPPER = ("COUNTRY", "STATE", "PROVINCE")  # their taxes need no further code
_EARLY_S = 60


@dataclass(frozen=True, slots=True)
class VertexKey:
    """Client of the OAuth server, the code of the company there that sells, and which OAuth server it is.

    `token_url`, `audience`: O Series Cloud's; On-Demand and On-Premise have `https://<host>/oseries-auth/oauth/token`
    and no audience ("").
    """

    client_id: str
    client_secret: str
    company: str
    token_url: str = CLOUD_TOKENS
    audience: str = CLOUD_AUDIENCE


@dataclass
class Vertex:
    """`key` is asked at each use; its token is kept until shortly before it ends. `clock`: seconds that never
    go back. `classes`: tax category → Vertex product class; other categories are sent as they are."""

    web: WebService
    key: Callable[[], VertexKey]
    classes: Mapping[str, str] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic
    name: str = "vertex"
    _token: tuple[str, float] = ("", 0.0)

    def rate(self, document: TaxDocument) -> Rated:
        return self._ask(document, "QUOTATION")

    def record(self, document: TaxDocument) -> Rated:
        return self._ask(document, "INVOICE")

    def _ask(self, document: TaxDocument, message: str) -> Rated:
        body = self._body(document, message)
        told = self.web.post(SUPPLIES, body, {"Authorization": f"Bearer {self._bearer()}"})
        if told.status == 401:  # ended before its time
            self._token = ("", 0.0)
            told = self.web.post(SUPPLIES, body, {"Authorization": f"Bearer {self._bearer()}"})
        if told.status in (401, 403):
            raise Unavailable(f"Vertex does not know us ({told.status})")
        if told.status >= 300 and not told.field("errors"):
            raise Unavailable(f"somebody else answers for Vertex ({told.status})")
        if told.status >= 400:
            raise Refusal("tax_undecidable", f"Vertex refused the document: {_why(told)}")
        return rated_from(told.field("data"), place_of(document))

    def _bearer(self) -> str:
        token, until = self._token
        if token and self.clock() < until:
            return token
        key = self.key()
        asked = {"grant_type": "client_credentials", "client_id": key.client_id, "client_secret": key.client_secret}
        tokens = replace(self.web, url=key.token_url, called="Vertex's token service")
        told = tokens.post_form("", asked | ({"audience": key.audience} if key.audience else {}))
        token, life = told.field("access_token"), told.field("expires_in")
        if not isinstance(token, str) or not isinstance(life, int):
            raise Unavailable(f"Vertex gives no token ({told.status})")
        self._token = token, self.clock() + life - _EARLY_S
        return token

    def _body(self, document: TaxDocument, message: str) -> dict[str, Any]:
        facts = document.facts
        body: dict[str, Any] = {
            "saleMessageType": message,
            "transactionType": "SALE",
            "documentDate": document.on.isoformat(),
            "currency": {"isoCurrencyCodeAlpha": document.currency},
            "roundAtLineLevel": True,
            "seller": {
                "company": self.key().company,
                "physicalOrigin": _place(facts.seller.country, facts.seller.region, facts.seller.postcode),
            },
            "customer": {
                "customerCode": {"value": facts.buyer.code or "unknown"},
                "destination": _place(facts.buyer.country, facts.buyer.region, facts.buyer.postcode),
            },
            "lineItems": [self._line(n, line, document) for n, line in enumerate(document.asked, 1)],
        }
        return body | ({"documentNumber": document.code, "transactionId": document.code} if document.code else {})

    def _line(self, n: int, line: TaxableLine, document: TaxDocument) -> dict[str, Any]:
        found: dict[str, Any] = {
            "lineItemNumber": n,
            "lineItemId": line.id,
            "taxDate": line.supplied_on.isoformat(),
            "product": {"value": line.category, "productClass": self.classes.get(line.category, line.category)},
            "quantity": {"value": abs(line.quantity)},
            "extendedPrice": Money(line.net_minor, document.currency).as_decimal(),
            "taxIncludedIndicator": line.inclusive,
        }
        reason = document.decided.get(line.id)
        certificate = _certificate(line, document)
        if reason or certificate:
            found["customer"] = {"isTaxExempt": True}
        if certificate:
            found["customer"]["exemptionCertificate"] = {"exemptionCertificateNumber": certificate}
        return found


def _place(country: str, region: str, postcode: str) -> dict[str, str]:
    fields = {"country": country, "mainDivision": region, "postalCode": postcode}
    return {name: value for name, value in fields.items() if value}


def _certificate(line: TaxableLine, document: TaxDocument) -> str:
    """The id of a certificate of the buyer's whole country or region that covers the line; its number stays here."""
    buyer, place = document.facts.buyer, place_of(document)
    covering = (e for e in buyer.exemptions if e.is_whole and e.covers(place, line.category, line.supplied_on))
    return next((e.id for e in covering), "")


def _why(told: Told) -> str:
    errors = told.field("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    return str(first.get("code", told.status)) if isinstance(first, Mapping) else str(told.status)


def rated_from(document: Any, place: str) -> Rated:
    """Vertex's `data` in our words; Refusal `tax_service_wrong` for another form. place: the buyer's."""
    try:
        lines = tuple(_line_from(line, place) for line in document["lineItems"])
        currency = str((document.get("currency") or {}).get("isoCurrencyCodeAlpha", ""))
        code = ((document.get("customer") or {}).get("customerCode") or {}).get("value", "")
        return Rated(currency, decimal_of(document["totalTax"]), lines, str(code))
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise Refusal("tax_service_wrong", f"Vertex's answer has another form: {type(error).__name__}") from error


def _line_from(line: Mapping[str, Any], place: str) -> RatedLine:
    taxes = tuple(_tax_from(tax, place) for tax in line["taxes"])
    amount = decimal_of(line["extendedPrice"]) if "extendedPrice" in line else None
    return RatedLine(str(line["lineItemId"]), decimal_of(line["totalTax"]), taxes, amount)


def _tax_from(tax: Mapping[str, Any], place: str) -> RatedTax:
    jurisdiction = tax["jurisdiction"]
    level = str(jurisdiction["jurisdictionType"])
    where = place if level in _UPPER else f"{place}-{level}-{jurisdiction['jurisdictionId']}"
    name = str(tax["imposition"]["value"])
    rate, amount, taxable = (decimal_of(tax[field]) for field in ("effectiveRate", "calculatedTax", "taxable"))
    treatment, reason = _RESULTS[str(tax["taxResult"])]
    return RatedTax(where, name, treatment, ZERO if reason else rate, taxable, amount, reason)


_RESULTS = {
    "TAXABLE": (TaxTreatment.STANDARD, ""),
    "EXEMPT": (TaxTreatment.EXEMPT, CERTIFICATE),
    "NONTAXABLE": (TaxTreatment.ZERO, "category_not_taxed"),
    "NO_TAX": (TaxTreatment.OUTSIDE, "seller_not_registered"),
}
