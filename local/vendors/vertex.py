"""Vertex O Series: tokens, and what a tax is asked and told, and what is recorded."""

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

_PLACE = sent("country", country=text(), mainDivision=text(), postalCode=text())
_CURRENCY = told("isoCurrencyCodeAlpha", isoCurrencyCodeAlpha=CURRENCY)
_REQUEST = sent(
    "saleMessageType transactionType documentDate currency seller customer lineItems",
    saleMessageType=one_of("QUOTATION", "INVOICE"),
    transactionType=one_of("SALE"),
    documentDate=DAY,
    documentNumber=text(40),
    transactionId=text(80),
    currency=_CURRENCY,
    roundAtLineLevel=FLAG,
    seller=sent("company", company=text(), physicalOrigin=_PLACE),
    customer=sent("destination", customerCode=sent("value", value=text(80, ".")), destination=_PLACE),
    lineItems=some(
        sent(
            "lineItemNumber extendedPrice",
            lineItemNumber=WHOLE | {"minimum": 1},
            lineItemId=text(40),
            taxDate=DAY,
            product=sent("value", value=text(), productClass=text()),
            quantity=sent("value", value=NUMBER),
            extendedPrice=NUMBER,
            taxIncludedIndicator=FLAG,
            customer=sent(
                isTaxExempt=FLAG, exemptionCertificate=sent(exemptionCertificateNumber=text())
            ),
        )
    ),
)  # fmt: skip
_LEVELS = (
    "COUNTRY STATE PROVINCE TERRITORY COUNTY PARISH BOROUGH TOWNSHIP CITY DISTRICT SPECIAL_PURPOSE_DISTRICT "
    "LOCAL_IMPROVEMENT_DISTRICT TRANSIT_DISTRICT APO FPO TRADE_BLOCK"
)
_TAX = told(
    "taxResult jurisdiction calculatedTax effectiveRate taxable imposition",
    taxResult=one_of("TAXABLE", "NONTAXABLE", "EXEMPT", "NO_TAX"),
    jurisdiction=told(
        "jurisdictionType jurisdictionId",
        jurisdictionType=one_of(*_LEVELS.split()),
        jurisdictionId={"type": ["string", "integer"]},
        value=text(),
    ),
    calculatedTax=NUMBER,
    effectiveRate=NUMBER,
    taxable=NUMBER,
    exempt=NUMBER,
    nonTaxable=NUMBER,
    imposition=told("value", value=text()),
)
_ANSWER = told(
    "data",
    data=told(
        "currency totalTax lineItems",
        currency=_CURRENCY,
        totalTax=NUMBER,
        lineItems=some(
            told(
                "lineItemId extendedPrice totalTax taxes",
                lineItemId=text(),
                extendedPrice=NUMBER,
                totalTax=NUMBER,
                taxes={"type": "array", "items": _TAX},
            )
        ),
    ),
)
_REFUSED = told("errors", errors=some(told("code", code=text())))
_TOKEN = told("access_token token_type expires_in", access_token=text(), token_type=text(), expires_in=WHOLE)
_NO_TOKEN = told("error", error=text())

VERTEX = Contract(
    vendor="Vertex O Series",
    version="REST v2",
    adapter="saldo.tax.vertex",
    sources=(
        "developer.vertexinc.com/oseries/docs/useful-links-os",
        "developer.vertexinc.com/oseries/docs/authentication-cloud",
        "developer.vertexinc.com/oseries/docs/v1-conversion-guide",
    ),
    announced_at="developer.vertexinc.com/oseries/docs, and Vertex Community",
    read_on=date(2026, 11, 27),
    look_again_by=date(2027, 5, 31),
    calls=(
        Call(
            "POST",
            "/cached/oauth/token",
            {
                200: told(
                    "access_token token_type expires_in", access_token=text(), token_type=text(), expires_in=WHOLE
                ),
                400: _NO_TOKEN,
                403: _NO_TOKEN,
            },
            form=sent(
                "grant_type client_id client_secret audience",
                grant_type=one_of("client_credentials"),
                client_id=text(),
                client_secret=text(),
                audience=one_of("verx://migration-api"),
            ),
        ),
        Call("POST", "/vertex-ws/v2/supplies", {200: _ANSWER, 400: _REFUSED, 401: _REFUSED}, request=_REQUEST),
    ),
    changes=(
        Change(
            date(2025, 9, 30),
            "the legacy identity provider (auth.vertexsmb.com) is shut down; VERX IDP gives tokens, ten in eight "
            "hours, with an audience; the cache before it gives them as often as they are asked for",
            "tokens come from that cache; On-Demand and On-Premise have their own (`VertexKey`)",
        ),
        Change(date(2025, 12, 31), "support of REST v1 ends", "v2 from the start"),
    ),
)
