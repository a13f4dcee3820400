"""What came to the form of a frozen invoice later: written only where it says something, so that old bytes stay."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any  # parsed JSON is of any shape until it is read

from saldo.accounts.codec import discounts_from, discounts_to
from saldo.accounts.reading_payment_terms import payment_terms_json, payment_terms_stored
from saldo.invoicing.model import (
    AppliedCredit,
    CouponUse,
    CreditSource,
    DocumentKind,
    InvoiceBody,
    Line,
    LineKind,
    PayableRounding,
    PricedIn,
)
from saldo.kernel.exact import plain
from saldo.kernel.exchange import rate_from_row, rate_row
from saldo.kernel.rounding import Rounding
from saldo.tax.codec import facts_from, facts_to


def later_to(body: InvoiceBody) -> dict[str, Any]:
    """Kind, rounding of tax, coupons and credits of a body."""
    found: dict[str, Any] = {}
    if body.kind is not DocumentKind.INVOICE:
        found["kind"] = body.kind.value
    if body.tax_mode is not Rounding.HALF_UP:
        found["tax_mode"] = body.tax_mode.value
    if body.coupons:
        found["coupons"] = [_use_to(use) for use in body.coupons]
    if body.credits:
        found["credits"] = [_credit_to(credit) for credit in body.credits]
    if body.of_invoice:
        found["of_invoice"] = body.of_invoice
    if body.replaces:
        found["replaces"] = body.replaces
    if body.early_discounts:
        found |= discounts_to(body.early_discounts, "early_discount", plain)
    if body.early_in_part:
        found["early_in_part"] = True
    if body.note:
        found["note"] = body.note
    for name in ("purchase_order", "cost_centre", "seller_facts", "template"):
        if getattr(body, name):
            found[name] = getattr(body, name)
    if not body.by_mail:
        found["by_mail"] = False
    if body.rounding:
        found["rounding"] = [
            body.rounding.currency,
            body.rounding.to_minor,
            body.rounding.mode.value,
            body.rounding.minor,
        ]
    if body.exchange:
        found["exchange"] = rate_row(body.exchange)
    if body.payment_terms:
        found["payment_terms"] = payment_terms_json(body.payment_terms)
    if body.tax_facts:
        found["tax_facts"] = facts_to(body.tax_facts)
    return found


def later_from(document: dict[str, Any]) -> dict[str, Any]:
    """The same as fields of the body."""
    return {
        "kind": DocumentKind(document.get("kind", DocumentKind.INVOICE)),
        "tax_mode": Rounding(document.get("tax_mode", Rounding.HALF_UP)),
        "coupons": tuple(_use_from(row) for row in document.get("coupons", [])),
        "credits": tuple(_credit_from(row) for row in document.get("credits", [])),
        "of_invoice": document.get("of_invoice", ""),
        "replaces": document.get("replaces", ""),
        "note": document.get("note", ""),
        "early_in_part": document.get("early_in_part", False),
        "early_discounts": discounts_from(document, "early_discount"),
        "purchase_order": document.get("purchase_order", ""),
        "cost_centre": document.get("cost_centre", ""),
        "seller_facts": document.get("seller_facts", ""),
        "template": document.get("template", ""),
        "by_mail": document.get("by_mail", True),
        "rounding": _rounding_from(document["rounding"]) if "rounding" in document else None,
        "exchange": rate_from_row(document["exchange"]) if "exchange" in document else None,
        "payment_terms": payment_terms_stored(document["payment_terms"]) if "payment_terms" in document else None,
        "tax_facts": facts_from(document["tax_facts"]) if "tax_facts" in document else None,
    }


def _rounding_from(row: list[Any]) -> PayableRounding:
    return PayableRounding(row[0], row[1], Rounding(row[2]), row[3])


def _use_to(use: CouponUse) -> list[Any]:
    converted = [use.coupon_minor, rate_row(use.rate)] if use.rate else []
    return [use.coupon_id, use.minor, use.unused_minor, *converted]


def _use_from(row: list[Any]) -> CouponUse:
    use = CouponUse(row[0], row[1], row[2])
    return replace(use, coupon_minor=row[3], rate=rate_from_row(row[4])) if len(row) > 3 else use


def _credit_to(credit: AppliedCredit) -> list[Any]:
    drawn = [] if credit.drawn_on is None else [credit.drawn_on.isoformat()]
    return [credit.source.value, credit.credit_id, credit.minor, credit.before_tax, *drawn]


def _credit_from(row: list[Any]) -> AppliedCredit:
    drawn_on = date.fromisoformat(row[4]) if len(row) > 4 else None
    return AppliedCredit(CreditSource(row[0]), row[1], row[2], row[3], drawn_on)


def line_later_to(line: Line) -> dict[str, Any]:
    """Kind of a line, the lines it is off and gives back, and what inclusive prices and rounding together need."""
    found: dict[str, Any] = {}
    if line.kind is not LineKind.CHARGE:
        found["kind"] = line.kind.value
    if line.of:
        found["of"] = line.of
    if line.residual_minor:
        found["residual_minor"] = line.residual_minor
    if line.account_id:
        found["account_id"] = line.account_id
    if line.gives_back:
        found["gives_back"] = line.gives_back
    if line.supplied_on:
        found["supplied_on"] = line.supplied_on.isoformat()
    if line.priced_in:
        found["priced_in"] = [line.priced_in.currency, line.priced_in.minor, rate_row(line.priced_in.rate)]
    if line.bounds:
        found["bounds"] = list(line.bounds)
    if line.base_off_minor:
        found["base_off_minor"] = line.base_off_minor
    if line.inclusive:
        found["included_tax_minor"] = line.included_tax_minor
    return found


def _priced_from(row: list[Any]) -> PricedIn:
    return PricedIn(row[0], row[1], rate_from_row(row[2]))


def line_later_from(line: dict[str, Any]) -> dict[str, Any]:
    """The same as fields of the line."""
    return {
        "kind": LineKind(line.get("kind", LineKind.CHARGE)),
        "of": line.get("of", ""),
        "residual_minor": line.get("residual_minor", 0),
        "inclusive": "included_tax_minor" in line,
        "account_id": line.get("account_id", ""),
        "gives_back": line.get("gives_back", ""),
        "supplied_on": date.fromisoformat(line["supplied_on"]) if "supplied_on" in line else None,
        "priced_in": _priced_from(line["priced_in"]) if "priced_in" in line else None,
        "bounds": tuple(line.get("bounds", ())),
        "base_off_minor": line.get("base_off_minor", 0),
        "included_tax_minor": line.get("included_tax_minor", 0),
    }
