"""AvaTax as its callers see it: CreateTransaction and the look-up of a committed transaction (REST v2)."""

from __future__ import annotations

import base64
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any  # parsed JSON is of any shape until it is read
from urllib.parse import unquote

from local.tax_services.rating import Asked, Rater, Tax
from saldo.kernel.errors import Refusal
from saldo.kernel.money import minor_digits
from saldo.tax.avalara import CREATE, TAX_CODES
from saldo.tax.model import TaxTreatment

Answer = tuple[int, Any]
_CATEGORIES = {code: category for category, code in TAX_CODES.items()}
_UNTAXED = (TaxTreatment.EXEMPT, TaxTreatment.OUTSIDE)


@dataclass(slots=True)
class AvaTaxBook:
    """One account of AvaTax with one company. `committed`: transactions by code, which never change."""

    rater: Rater
    account: str
    licence_key: str
    company: str
    committed: dict[str, Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, verb: str, path: str, headers: Mapping[str, str], document: Any) -> Answer:
        if headers.get("authorization") != self._basic():
            return 401, _error("AuthenticationException", "The user or account could not be authenticated.")
        route, _, query = path.partition("?")
        if verb == "POST" and route == CREATE:
            status, made = self._create(document)
            return status, _included(made, query) if status == 201 else made
        prefix = f"/api/v2/companies/{self.company}/transactions/"
        if verb == "GET" and route.startswith(prefix):
            found = self.committed.get(route.removeprefix(prefix))
            if found:
                return 200, _included(found, query)
        return 404, _error("EntityNotFoundError", f"No resource at {route}")

    def _basic(self) -> str:
        return "Basic " + base64.b64encode(f"{self.account}:{self.licence_key}".encode()).decode()

    def _create(self, document: Any) -> Answer:
        try:
            made = self._transaction(document)
        except Refusal as refusal:
            return 400, _error("TaxAddressError", refusal.message)
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            return 400, _error("ValueRequiredError", f"{type(error).__name__}: {error}")
        if document["type"] != "SalesInvoice" or not document.get("commit"):
            return 201, made
        with self._lock:
            if made["code"] in self.committed:
                return 400, _error("DocStatusError", "Expected Saved|Posted")
            self.committed[made["code"]] = made
        return 201, made

    def _transaction(self, document: Mapping[str, Any]) -> dict[str, Any]:
        if document["companyCode"] != self.company:
            raise Refusal("bad_request", "unknown company")
        digits = minor_digits(document["currencyCode"])
        to = document["addresses"]["shipTo"]
        day = date.fromisoformat(document["date"])
        lines = [self._line(line, to, day, digits) for line in document["lines"]]
        return {
            "id": 1 + len(self.committed),
            "code": document.get("code", "temporary"),
            "companyId": 1,
            "date": document["date"],
            "status": "Committed" if document.get("commit") else "Temporary",
            "type": document["type"],
            "currencyCode": document["currencyCode"],
            "customerCode": document["customerCode"],
            "totalAmount": sum((line["lineAmount"] for line in lines), Decimal(0)),
            "totalTax": sum((line["tax"] for line in lines), Decimal(0)),
            "totalTaxable": sum((line["taxableAmount"] for line in lines), Decimal(0)),
            "totalExempt": sum((line["exemptAmount"] for line in lines), Decimal(0)),
            "lines": lines,
        }

    def _line(self, line: Mapping[str, Any], to: Mapping[str, str], day: date, digits: int) -> dict[str, Any]:
        supplied = date.fromisoformat(line["taxOverride"]["taxDate"]) if "taxOverride" in line else day
        category = _CATEGORIES.get(line["taxCode"], line["taxCode"])
        exempt = bool(line.get("exemptionCode"))
        amount = Decimal(line["amount"])
        asked = Asked(line["number"], amount, category, supplied, line["taxIncluded"], exempt)
        place = to["country"], to.get("region", ""), to.get("postalCode", "")
        taxes = self.rater.taxes(asked, *place, digits)
        charged = [tax for tax in taxes if tax.share.treatment not in _UNTAXED]
        return {
            "lineNumber": line["number"],
            "lineAmount": taxes[0].taxable if charged else amount,
            "taxCode": line["taxCode"],
            "isItemTaxable": bool(charged),
            "taxIncluded": line["taxIncluded"],
            "taxableAmount": taxes[0].taxable if charged else Decimal(0),
            "exemptAmount": amount if exempt else Decimal(0),
            "tax": sum((tax.tax for tax in charged), Decimal(0)),
            "taxCalculated": sum((tax.tax for tax in charged), Decimal(0)),
            "details": [_detail(tax, *place[:2]) for tax in charged],
        }


def _included(made: dict[str, Any], query: str) -> dict[str, Any]:
    """What is nested in a transaction comes to who asks for it: `Details` implies lines, `Summary` details."""
    wanted = set(unquote(query).removeprefix("$include=").split(",")) if query else {"Summary"}
    if wanted & {"Details", "Summary"}:
        return made
    lines = [{name: value for name, value in line.items() if name != "details"} for line in made["lines"]]
    return {**made, "lines": lines} if "Lines" in wanted else {n: v for n, v in made.items() if n != "lines"}


def _detail(tax: Tax, country: str, region: str) -> dict[str, Any]:
    zero = not tax.rate
    return {
        "country": country,
        "region": region or country,
        "jurisType": tax.level,
        "jurisCode": tax.code,
        "jurisName": tax.share.name,
        "taxName": tax.share.name,
        "taxType": "Sales" if region else "Output",
        "rate": tax.rate,
        "rateTypeCode": "R" if tax.share.treatment is TaxTreatment.REDUCED else "G",
        "taxableAmount": Decimal(0) if zero else tax.taxable,
        "nonTaxableAmount": tax.taxable if zero else Decimal(0),
        "exemptAmount": Decimal(0),
        "tax": tax.tax,
        "taxCalculated": tax.tax,
        "liabilityType": "Seller",
    }


def _error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "target": "Unknown", "details": []}}
