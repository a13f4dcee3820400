"""What tax and terms need to know of a buyer, as plain JSON values; apart from the records, whose library is slow to
load."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from saldo.accounts.model import DiscountTax, EarlyDiscount, Exemption, TaxIdCheck, TaxIdStatus


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


def discounts_to(
    discounts: tuple[EarlyDiscount, ...], name: str, written: Callable[[Decimal], str] = str
) -> dict[str, Any]:
    """Discounts for paying early as fields of a record: the first as it was before there were steps, then the others.

    written: a percent as text.
    """
    rows = [[written(one.percent), one.days, one.tax.value] for one in discounts]
    return {name: rows[0]} | ({f"{name}_then": rows[1:]} if rows[1:] else {})


def discounts_from(record: Mapping[str, Any], name: str) -> tuple[EarlyDiscount, ...]:
    """The same back; none where the record has no such field."""
    rows = [record[name], *record.get(f"{name}_then", ())] if name in record else []
    return tuple(EarlyDiscount(Decimal(row[0]), row[1], DiscountTax(row[2])) for row in rows)
