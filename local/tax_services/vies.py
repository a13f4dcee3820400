"""VIES as its callers see it: knows some ids, and member states that are often away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any  # parsed JSON is of any shape until it is read

from local.tax_services.avatax import Answer
from saldo.accounts.vies import CHECK


@dataclass(slots=True)
class ViesBook:
    """`known`: ids in force, with their prefix. `away`: member states that do not answer now."""

    known: set[str] = field(default_factory=set)
    away: set[str] = field(default_factory=set)

    def answer(self, verb: str, path: str, _headers: Mapping[str, str], document: Any) -> Answer:
        if (verb, path) != ("POST", CHECK) or not isinstance(document, Mapping):
            return 404, {}
        country, number = str(document.get("countryCode", "")), str(document.get("vatNumber", ""))
        if country in self.away:
            return 200, {"actionSucceed": False, "errorWrappers": [{"error": "MS_UNAVAILABLE"}]}
        if not country.isalpha() or not number.isalnum():
            return 400, {"actionSucceed": False, "errorWrappers": [{"error": "INVALID_INPUT"}]}
        return 200, {"countryCode": country, "vatNumber": number, "valid": country + number in self.known}
