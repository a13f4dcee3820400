"""What the areas share: documents for a quote, and numbers as the cases write them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any  # cases and quotes are JSON of many shapes

from saldo.quotes.service import quote_document

Case = Mapping[str, Any]
Document = dict[str, Any]
Check = Callable[[Case, Case, Document], None]


class NotApplicable(Exception):  # noqa: N818 - an answer: why a case says nothing about this product
    """The case does not concern the product, or does not say enough; the text is the reason."""


@dataclass(frozen=True, slots=True)
class Area:
    """How the cases of an area are checked. `options`: what to ask for besides Saldo's defaults, by name. `chosen`: the
    option that the check itself asks for, where the cases are about one."""

    check: Check
    options: Mapping[str, Document] = field(default_factory=dict)
    chosen: str = ""


def number(value: object) -> Decimal:
    return Decimal(str(value))


def same(found: object, wanted: object) -> None:
    """Asserts that two numbers, or two lists of them, are equal."""
    if isinstance(wanted, list | tuple):
        assert isinstance(found, Sequence) and len(found) == len(wanted), f"{found} is not {wanted}"
        for one, other in zip(found, wanted, strict=True):
            same(one, other)
    else:
        assert number(found) == number(wanted), f"{found} is not {wanted}"


def quoted(document: Document) -> list[Document]:
    """The invoices of a quote."""
    invoices: list[Document] = quote_document(document)["invoices"]
    return invoices


def flat(amount: object) -> Document:
    return {"kind": "flat", "amount": str(amount)}


def fee(price: object, component_id: str = "fee", **more: Any) -> Document:
    """A component; price: a price model, or the amount of a flat one."""
    model = price if isinstance(price, dict) else flat(price)
    return {"id": component_id, "price": model, **more}


def plan(plan_id: str, *components: Document, **more: Any) -> Document:
    return {"id": plan_id, "components": list(components), **more}


def tiers(rows: Any, kind: str = "graduated", **more: Any) -> Document:
    """A tiered price from rows of [up to, unit price, flat]."""
    listed = [
        {"up_to": None if up is None else str(up), "unit_price": str(unit), "flat": str(once)}
        for up, unit, once in rows
    ]
    return {"kind": kind, "tiers": listed, **more}


def used(price: Document, quantity: object, before: object = 0, **more: Any) -> Document | None:
    """The invoice for a month of usage, None where it comes to nothing."""
    invoices = quoted(
        {
            "billing": {"on": "2025-02-01"},
            "plans": [plan("usage", {"id": "used", "meter_id": "units", "price": price})],
            "subscriptions": [{"plan": "usage", "started_on": "2025-01-01"}],
            "usage": {"totals": [{"meter_id": "units", "quantity": str(quantity), "before": str(before)}]},
            **more,
        }
    )
    return invoices[0] if invoices else None


def usage_amount(price: Document, quantity: object, before: object = 0) -> Decimal:
    invoice = used(price, quantity, before)
    return number(invoice["net"]) if invoice else Decimal(0)


def sold(*items: Document, taxes: Any = None, **more: Any) -> Document:
    """The one invoice of items sold once."""
    (invoice,) = quoted(
        {"billing": {"on": "2025-01-31"}, "items": list(items), **({"taxes": taxes} if taxes else {}), **more}
    )
    return invoice


def rate(percent: object, category: str = "standard", name: str = "VAT", **more: Any) -> Document:
    return {"percent": str(percent), "categories": [category], "name": name, **more}


def percent_of(fraction: object) -> str:
    """0.21 as 21."""
    return str(number(fraction) * 100)


def amounts_of(invoice: Document) -> list[str]:
    return [line["amount"] for line in invoice["lines"]]
