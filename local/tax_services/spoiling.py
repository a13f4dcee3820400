"""Answers that are whole, well formed and wrong."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from typing import Any  # parsed JSON is of any shape until it is read

from local.tax_services.faults import Fault

_CENT = Decimal("0.01")


def spoilt(fault: Fault, document: Any) -> Any:
    """The document with one of WRONG in it; documents of both services are alike enough."""
    made = deepcopy(document)
    body = made.get("data", made)
    if "lines" in body or "lineItems" in body:
        WRONG[fault](body, _Names("lines" in body))
    return made


class _Names:
    """What the two services call the same things."""

    def __init__(self, avatax: bool) -> None:
        self.lines, self.taxes, self.line_tax = (
            ("lines", "details", "tax") if avatax else ("lineItems", "taxes", "totalTax")
        )
        self.tax, self.rate = ("tax", "rate") if avatax else ("calculatedTax", "effectiveRate")


def _sum(body: Any, _names: _Names) -> None:
    body["totalTax"] += _CENT


def _currency(body: Any, names: _Names) -> None:
    if names.lines == "lines":
        body["currencyCode"] = "XTS"
    else:
        body["currency"] = {"isoCurrencyCodeAlpha": "XTS"}


def _line(body: Any, names: _Names) -> None:
    gone = body[names.lines].pop()
    body["totalTax"] -= gone[names.line_tax]


def _negative(body: Any, names: _Names) -> None:
    _times(body, names, Decimal(-1), names.tax, names.rate)


def _rate(body: Any, names: _Names) -> None:
    _times(body, names, Decimal(2), names.rate)


def _zero(body: Any, names: _Names) -> None:
    _times(body, names, Decimal(0), names.tax, names.rate)


def _high(body: Any, names: _Names) -> None:
    _times(body, names, Decimal(100), names.tax, names.rate)


def _huge(body: Any, names: _Names) -> None:
    for line in body[names.lines]:
        for tax in line[names.taxes]:
            tax[names.tax] = Decimal("1e50")


def _amounts(body: Any, names: _Names) -> None:
    _times(body, names, Decimal("0.5"), names.tax, "taxable", "taxableAmount")
    for line in body[names.lines]:
        for name in ("lineAmount", "extendedPrice", "taxableAmount"):
            if name in line:
                line[name] /= 2


def _times(body: Any, names: _Names, factor: Decimal, *fields: str) -> None:
    """These fields of every tax made so many times as much, and sums that add up to them."""
    for line in body[names.lines]:
        for tax in line[names.taxes]:
            for name in fields:
                if name in tax:
                    made = tax[name] * factor
                    tax[name] = made if name == names.rate else made.quantize(_CENT)
        line[names.line_tax] = sum((tax[names.tax] for tax in line[names.taxes]), Decimal(0))
    body["totalTax"] = sum((line[names.line_tax] for line in body[names.lines]), Decimal(0))


def _place(body: Any, names: _Names) -> None:
    """Vertex names no place; there it is another document's number and customer."""
    for line in body[names.lines]:
        for tax in line[names.taxes]:
            if "region" in tax:
                tax["region"] = "CA"
    body["customer"] = {"customerCode": {"value": "acct_us_another"}}


WRONG: dict[Fault, Callable[[Any, _Names], None]] = {
    Fault.WRONG_SUM: _sum,
    Fault.WRONG_CURRENCY: _currency,
    Fault.MISSING_LINE: _line,
    Fault.NEGATIVE_TAX: _negative,
    Fault.WRONG_RATE: _rate,
    Fault.SILENT_ZERO: _zero,
    Fault.HIGH_RATE: _high,
    Fault.HUGE_NUMBER: _huge,
    Fault.OTHER_AMOUNTS: _amounts,
    Fault.OTHER_PLACE: _place,
}
