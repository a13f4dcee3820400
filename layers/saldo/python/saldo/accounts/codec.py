"""What tax needs to know of a buyer, as plain JSON values; apart from the records, whose library is slow to load."""

from __future__ import annotations

from datetime import date
from typing import Any

from saldo.accounts.model import Exemption, TaxIdCheck, TaxIdStatus


def exemption_to(exemption: Exemption) -> list[Any]:
    days = exemption.from_on.isoformat(), exemption.until_on.isoformat()
    return [exemption.id, sorted(exemption.jurisdictions), sorted(exemption.categories), *days]


def exemption_from(row: list[Any]) -> Exemption:
    from_on, until_on = map(date.fromisoformat, row[3:5])
    return Exemption(row[0], frozenset(row[1]), frozenset(row[2]), from_on, until_on)


def check_to(check: TaxIdCheck) -> list[str]:
    return [check.status.value, check.country, check.checked_on.isoformat()]


def check_from(row: list[str]) -> TaxIdCheck:
    return TaxIdCheck(TaxIdStatus(row[0]), row[1], date.fromisoformat(row[2]))
