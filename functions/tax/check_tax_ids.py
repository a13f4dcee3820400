"""Daily, for each seller: ask the register about tax ids that it was silent about."""

from __future__ import annotations

from typing import Any

from functions.daily import part_of
from functions.observed import count, observed
from functions.services import settings, tax_standing

# Each is a question to the register, which may take seconds.
AT_ONCE = 50


@observed("CheckTaxIds")
def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    """{entity_id, as_of}, or a part of it → {parts, status: how many}; safe to repeat. Without a register there is
    nobody to ask."""
    if not settings().vat_register_url:
        return {}
    part = part_of(event, lambda entity_id, _: tax_standing().due(entity_id), AT_ONCE)
    counted = tax_standing().ask_again(part.entity_id, part.keys)
    count("TaxIdsFoundInvalid", counted["invalid"])
    return {"parts": part.sent, **counted}
