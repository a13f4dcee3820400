"""Avalara AvaTax: what a tax is asked and told, and what is recorded."""

from __future__ import annotations

from datetime import date

from local.vendors.model import (
    CURRENCY,
    DAY,
    FLAG,
    NUMBER,
    WHOLE,
    Call,
    Change,
    Contract,
    one_of,
    sent,
    some,
    text,
    told,
)

_ADDRESS = sent(country=text(2), region=text(3), postalCode=text(11))
_REQUEST = sent(
    "type companyCode date customerCode currencyCode commit addresses lines",
    type=one_of("SalesOrder", "SalesInvoice"),
    code=text(50, r"^[^/+?%# ]+$"),  # those must be written otherwise in the path of the look-up
    companyCode=text(25),
    date=DAY,
    customerCode=text(50, "."),
    currencyCode=CURRENCY,
    commit=FLAG,
    addresses=sent("shipFrom shipTo", shipFrom=_ADDRESS, shipTo=_ADDRESS),
    lines=some(
        sent(
            "number amount",
            number=text(50),
            quantity=NUMBER | {"minimum": 0},
            amount=NUMBER,
            taxCode=text(25),
            taxIncluded=FLAG,
            exemptionCode=text(25),
            taxOverride=sent("type reason", type=one_of("TaxDate"), taxDate=DAY, reason=text()),
        )
    ),
)
_DETAIL = told(
    "country region jurisType jurisCode taxName rate rateTypeCode taxableAmount nonTaxableAmount exemptAmount tax",
    country=text(2),
    region=text(3),
    jurisType=one_of("CNT", "STA", "CTY", "CIT", "STJ"),
    jurisdictionType=one_of("Country", "Composite", "State", "County", "City", "Special"),
    jurisCode=text(),
    taxName=text(),
    rate=NUMBER,
    rateTypeCode=text(),
    taxableAmount=NUMBER,
    nonTaxableAmount=NUMBER,
    exemptAmount=NUMBER,
    tax=NUMBER,
    liabilityType=one_of("Seller", "Buyer"),
)
_LINE = told(
    "lineNumber lineAmount isItemTaxable taxableAmount exemptAmount tax details",
    lineNumber=text(),
    lineAmount=NUMBER,
    isItemTaxable=FLAG,
    taxableAmount=NUMBER,
    exemptAmount=NUMBER,
    tax=NUMBER,
    details={"type": "array", "items": _DETAIL},
)
_TRANSACTION = told(
    "id code date status type currencyCode customerCode totalAmount totalTax lines",
    id=WHOLE,
    code=text(),
    date=DAY,
    status=one_of("Temporary", "Saved", "Posted", "Committed", "Cancelled", "Adjusted"),
    type=one_of("SalesOrder", "SalesInvoice"),
    currencyCode=CURRENCY,
    customerCode=text(),
    totalAmount=NUMBER,
    totalTax=NUMBER,
    lines=some(_LINE),
)
_REFUSED = told("error", error=told("code message", code=text(), message=text()))
_DETAILS = "$include=Details"  # implies lines; `Lines` alone leaves out what a tax consists of

AVATAX = Contract(
    vendor="Avalara AvaTax",
    version="REST v2",
    adapter="saldo.tax.avalara",
    sources=(
        "developer.avalara.com/api-reference/avatax/rest/v2/methods/Transactions/CreateTransaction",
        "github.com/avadev/AvaTax-REST-V2-DotNet-SDK, models of transactions",
    ),
    announced_at="developer.avalara.com/release-notes, and github.com/avadev: a release of the API is one of its SDKs",
    read_on=date(2026, 11, 27),
    look_again_by=date(2027, 5, 31),
    calls=(
        Call(
            "POST", "/api/v2/transactions/create", {201: _TRANSACTION, 400: _REFUSED, 401: _REFUSED},
            request=_REQUEST, query=_DETAILS,
        ),
        Call(
            "GET", "/api/v2/companies/SALDO/transactions/{code}",
            {200: _TRANSACTION, 401: _REFUSED, 404: _REFUSED}, query=_DETAILS,
        ),
    ),
    changes=(
        Change(
            date(2017, 12, 20),
            "`jurisType` and `rateType` are deprecated for `jurisdictionType` and `rateTypeCode`; all four are told",
            "`rateTypeCode` is read; `jurisType` too, because places on issued invoices are named by it",
        ),
    ),
)  # fmt: skip
