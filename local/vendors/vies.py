"""VIES of the European Commission: whether a tax id is in force."""

from __future__ import annotations

from datetime import date

from local.vendors.model import FLAG, Call, Contract, one_of, sent, some, text, told

_AWAY = (
    "SERVICE_UNAVAILABLE MS_UNAVAILABLE TIMEOUT GLOBAL_MAX_CONCURRENT_REQ GLOBAL_MAX_CONCURRENT_REQ_TIME "
    "MS_MAX_CONCURRENT_REQ MS_MAX_CONCURRENT_REQ_TIME VAT_BLOCKED IP_BLOCKED INVALID_REQUESTER_INFO INVALID_INPUT"
)
_ERROR = told(
    "actionSucceed errorWrappers",
    actionSucceed=one_of(False),
    errorWrappers=some(told("error", error=one_of(*_AWAY.split()))),
)

VIES = Contract(
    vendor="VIES",
    version="REST, check-vat-number",
    adapter="saldo.accounts.vies",
    sources=("ec.europa.eu/taxation_customs/vies, technical information",),
    announced_at="ec.europa.eu/taxation_customs/vies, technical information",
    read_on=date(2026, 11, 27),
    look_again_by=date(2027, 5, 31),
    calls=(
        Call(
            "POST",
            "/taxation_customs/vies/rest-api/check-vat-number",
            {
                200: {"anyOf": [told("countryCode vatNumber valid", countryCode=text(2), valid=FLAG), _ERROR]},
                400: _ERROR,
            },
            request=sent("countryCode vatNumber", countryCode=text(2, "^[A-Z]{2}$"), vatNumber=text(12)),
        ),
    ),
)
