"""What a meter counted in a period, from totals as told or from events."""

from __future__ import annotations

from decimal import Decimal

from saldo.kernel.errors import Refusal
from saldo.kernel.exact import total
from saldo.kernel.periods import Period
from saldo.quotes.model import Usage, UsageTotal
from saldo.usage.model import UsageKey
from saldo.usage.rules import metered


def quantity_of(usage: Usage, key: UsageKey, zone: str) -> Decimal:
    """The total of a meter for a subscription in a period: totals as told win over events; 0 where there is neither.

    zone: the account's, whose days the period counts. Refusal `usage_straddles_period` for a total over days inside
    and outside of the period.
    """
    told = [t for t in usage.totals if _concerns(t, key)]
    if told:
        return total(t.quantity for t in told)
    meter = usage.meters.get(key.meter_id)
    return Decimal(0) if meter is None else metered(usage.events, meter, key.period, zone)


def _concerns(told: UsageTotal, key: UsageKey) -> bool:
    if told.meter_id != key.meter_id or told.subscription_id not in ("", key.subscription_id):
        return False
    if told.from_on is None or told.until_on is None:
        return True
    days = Period(told.from_on, told.until_on)
    common = days.overlap(key.period)
    if common is not None and common != days:
        raise Refusal(
            "usage_straddles_period",
            f"the total of {told.meter_id} for {days.as_text()} is not within one period ({key.period.as_text()})",
        )
    return common is not None
