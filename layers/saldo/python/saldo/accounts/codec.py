"""Addresses, and what tax and terms need to know of a buyer, as plain JSON values; apart from the records, whose
library is slow to load."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from saldo.accounts.model import (
    Address,
    DiscountTax,
    EarlyDiscount,
    Exemption,
    LateFee,
    LatePolicy,
    LateTerms,
    MonthCount,
    TaxIdCheck,
    TaxIdStatus,
)
from saldo.kernel.exact import plain
from saldo.kernel.periods import Unit

_COUNTING = ("late_year_days", "late_calendar_year", "late_thirty_days", "late_daily_rounding")


def exemption_to(exemption: Exemption) -> list[Any]:
    days = exemption.from_on.isoformat(), exemption.until_on.isoformat()
    part = [] if exemption.is_whole else [plain(exemption.percent), sorted(exemption.taxes)]
    return [exemption.id, sorted(exemption.jurisdictions), sorted(exemption.categories), *days, *part]


def exemption_from(row: list[Any]) -> Exemption:
    from_on, until_on = map(date.fromisoformat, row[3:5])
    part = (Decimal(row[5]), frozenset(row[6])) if len(row) > 5 else ()
    return Exemption(row[0], frozenset(row[1]), frozenset(row[2]), from_on, until_on, *part)


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


def late_to(late: LateTerms) -> dict[str, Any]:
    """Terms of late payment as fields of a record; what came later only where they say something of it."""
    if late.policy is LatePolicy.NONE:
        return {}
    per_month = [True] if late.per_month else []
    found: dict[str, Any] = {
        "late": [late.policy.value, str(late.percent), late.compensation, late.grace_days, *per_month]
    }
    if late.from_grace:
        found["late_from_grace"] = True
    if late.later:
        found["late_later"] = [[on.isoformat(), str(percent)] for on, percent in late.later]
    if late.compounds:
        found["late_compounds"] = late.compounds.value
    if late.most_percent is not None:
        found["late_most_percent"] = str(late.most_percent)
    if late.fees:
        found["late_fees"] = [_fee_to(fee) for fee in late.fees]
    return found | _counting_to(late)


def _counting_to(late: LateTerms) -> dict[str, Any]:
    """How days and months count, where that is not as usual."""
    said = (late.year_days, late.calendar_year, late.thirty_days, late.daily_rounding)
    found: dict[str, Any] = {name: value for name, value in zip(_COUNTING, said, strict=True) if value}
    return found | ({"late_months": late.months.value} if late.months is not MonthCount.EXACT else {})


def late_from(record: Mapping[str, Any]) -> LateTerms:
    """The same back."""
    if "late" not in record:
        return LateTerms()
    policy, percent, compensation, grace_days, *per_month = record["late"]
    most = record.get("late_most_percent")
    return LateTerms(
        LatePolicy(policy),
        Decimal(percent),
        compensation,
        grace_days,
        per_month=bool(per_month),
        from_grace=record.get("late_from_grace", False),
        later=tuple((date.fromisoformat(on), Decimal(rate)) for on, rate in record.get("late_later", ())),
        compounds=Unit(record["late_compounds"]) if "late_compounds" in record else None,
        most_percent=None if most is None else Decimal(most),
        fees=tuple(LateFee(row[0], row[1], Decimal(row[2]), *row[3:]) for row in record.get("late_fees", ())),
        months=MonthCount(record.get("late_months", MonthCount.EXACT)),
        **{name.removeprefix("late_"): record[name] for name in _COUNTING if name in record},
    )


def _fee_to(fee: LateFee) -> list[Any]:
    amounts = [fee.amount_minor, str(fee.percent), fee.least_minor, fee.most_minor]
    return [fee.after_days, *amounts, fee.every_days, fee.times]


def address_fields(address: Address) -> dict[str, Any]:
    return {name: getattr(address, name) for name in Address.__dataclass_fields__}


def address_from(fields: dict[str, Any]) -> Address:
    return Address(**{**fields, "lines": tuple(fields["lines"])})
