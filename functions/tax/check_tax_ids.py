"""Daily: ask the register about tax ids that it was silent about."""

from __future__ import annotations

from collections import Counter
from typing import Any

from functions.observed import count, observed
from functions.services import settings, tax_standing


@observed("CheckTaxIds")
def handler(_event: dict[str, Any], _context: object) -> dict[str, int]:
    """{} → {status: how many}; safe to repeat. Without a register there is nobody to ask."""
    counted: Counter[str] = Counter()
    for cycle in settings().entities if settings().vat_register_url else ():
        counted += tax_standing().ask_again(cycle.entity_id)
    count("TaxIdsFoundInvalid", counted["invalid"])
    return dict(counted)
