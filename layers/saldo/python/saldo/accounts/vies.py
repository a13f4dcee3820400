"""The register of tax ids spoken to VIES, the European Commission's VAT information exchange, by its REST service.

Member states answer for themselves and are often away; then VIES answers with an error, or late.
"""

from __future__ import annotations

from dataclasses import dataclass

from saldo.kernel.errors import Unavailable
from saldo.storage.web import WebService

CHECK = "/taxation_customs/vies/rest-api/check-vat-number"


@dataclass(frozen=True)
class Vies:
    web: WebService

    def knows(self, country: str, number: str) -> bool:
        """By a POST, so that the number is in nobody's log of addresses. An answer that is none is Unavailable."""
        told = self.web.post(CHECK, {"countryCode": country, "vatNumber": number})
        valid = told.field("valid")
        if told.status == 200 and isinstance(valid, bool):
            return valid
        errors = told.field("errorWrappers")
        code = errors[0].get("error", "") if isinstance(errors, list) and errors else told.status
        if code == "INVALID_INPUT":
            return False
        raise Unavailable(f"VIES does not say ({code})")
