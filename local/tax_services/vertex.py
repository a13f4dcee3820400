"""Vertex O Series as its callers see it: a token from its cloud's cache, and `/supplies` messages (REST v2)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any  # parsed JSON is of any shape until it is read
from urllib.parse import parse_qs

from local.tax_services.avatax import Answer
from local.tax_services.rating import Asked, Rater, Tax
from saldo.kernel.errors import Refusal
from saldo.kernel.ids import fingerprint
from saldo.kernel.money import minor_digits
from saldo.tax.model import TaxTreatment
from saldo.tax.vertex import CLOUD_AUDIENCE, SUPPLIES

TOKENS = "/cached/oauth/token"
_RESULT = {TaxTreatment.EXEMPT: "EXEMPT", TaxTreatment.OUTSIDE: "NO_TAX", TaxTreatment.ZERO: "NONTAXABLE"}
_LEVEL = {"CNT": "COUNTRY", "STA": "STATE", "CTY": "COUNTY", "CIT": "CITY", "STJ": "DISTRICT"}


@dataclass(slots=True)
class VertexBook:
    """One company. `journal`: invoices by transaction id; the same id again replaces what was there. `tokens`: all that
    were given out; the last of them is given to who asks until it is taken away."""

    rater: Rater
    client_id: str
    client_secret: str
    company: str
    life_s: int = 3600
    journal: dict[str, Any] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, verb: str, path: str, headers: Mapping[str, str], document: Any) -> Answer:
        if (verb, path) == ("POST", TOKENS):
            return self._token(str(document))
        if headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return 401, {"errors": [{"code": "UNAUTHORIZED", "status": "401"}]}
        if (verb, path) == ("POST", SUPPLIES):
            return self._supplies(document)
        return 404, {"errors": [{"code": "NOT_FOUND", "status": "404"}]}

    def _token(self, form: str) -> Answer:
        fields = {name: values[-1] for name, values in parse_qs(form).items()}
        if (fields.get("client_id"), fields.get("client_secret")) != (self.client_id, self.client_secret):
            return 400, {"error": "invalid_client"}
        if (fields.get("grant_type"), fields.get("audience")) != ("client_credentials", CLOUD_AUDIENCE):
            return 403, {"error": "access_denied"}
        with self._lock:
            self.tokens = self.tokens or [fingerprint("token", "0")]
            return 200, {"access_token": self.tokens[-1], "token_type": "Bearer", "expires_in": self.life_s}

    def _supplies(self, document: Any) -> Answer:
        try:
            made = self._message(document)
        except Refusal as refusal:
            return 400, {"errors": [{"code": "TAX_AREA_LOOKUP_ERROR", "detail": refusal.message}]}
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            return 400, {"errors": [{"code": "VALIDATION_ERROR", "detail": f"{type(error).__name__}: {error}"}]}
        if document["saleMessageType"] == "INVOICE":
            with self._lock:
                self.journal[document["transactionId"]] = made
        return 200, {"data": made, "meta": {"app": "vertex-ws"}}

    def _message(self, document: Mapping[str, Any]) -> dict[str, Any]:
        if document["seller"]["company"] != self.company:
            raise Refusal("bad_request", "unknown company")
        digits = minor_digits(document["currency"]["isoCurrencyCodeAlpha"])
        to = document["customer"]["destination"]
        lines = [self._line(line, to, digits) for line in document["lineItems"]]
        net = sum((line["extendedPrice"] for line in lines), Decimal(0))
        tax = sum((line["totalTax"] for line in lines), Decimal(0))
        kept = ("documentNumber", "transactionId", "documentDate", "currency", "saleMessageType", "transactionType")
        told = {name: document[name] for name in kept if name in document}
        return {**told, "subTotal": net, "total": net + tax, "totalTax": tax, "lineItems": lines}

    def _line(self, line: Mapping[str, Any], to: Mapping[str, str], digits: int) -> dict[str, Any]:
        exempt = bool(line.get("customer", {}).get("isTaxExempt"))
        amount, day = Decimal(line["extendedPrice"]), date.fromisoformat(line["taxDate"])
        asked = Asked(line["lineItemId"], amount, line["product"]["value"], day, line["taxIncludedIndicator"], exempt)
        place = to["country"], to.get("mainDivision", ""), to.get("postalCode", "")
        taxes = self.rater.taxes(asked, *place, digits)
        return {
            "lineItemNumber": line["lineItemNumber"],
            "lineItemId": line["lineItemId"],
            "extendedPrice": taxes[0].taxable,
            "totalTax": sum((tax.tax for tax in taxes), Decimal(0)),
            "taxes": [_tax(tax) for tax in taxes],
        }


def _tax(tax: Tax) -> dict[str, Any]:
    result = _RESULT.get(tax.share.treatment, "TAXABLE")
    taxable, other = (tax.taxable, Decimal(0)) if result == "TAXABLE" else (Decimal(0), tax.taxable)
    return {
        "taxResult": result,
        "taxType": "SALES",
        "taxCollectedFromParty": "BUYER",
        "jurisdiction": {"jurisdictionType": _LEVEL[tax.level], "jurisdictionId": tax.code, "value": tax.share.name},
        "calculatedTax": tax.tax,
        "effectiveRate": tax.rate,
        "taxable": taxable,
        "exempt": other if result == "EXEMPT" else Decimal(0),
        "nonTaxable": other if result != "EXEMPT" else Decimal(0),
        "imposition": {"value": tax.share.name},
    }
