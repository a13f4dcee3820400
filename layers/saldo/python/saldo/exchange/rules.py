"""From published rates to the one of a document. Values in, values out."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal

from saldo.exchange.model import DayRate, PriceDay, RatePolicy
from saldo.kernel.errors import Problems, Refusal
from saldo.kernel.exchange import ExchangeRate
from saldo.kernel.money import is_currency

_MOST_DAYS, _MOST_TOLERANCE = 60, 5
_CROSS = Context(prec=10, rounding=ROUND_HALF_UP)


def check_policy(policy: RatePolicy) -> None:
    """Refusal `invalid_rate_policy` naming every problem."""
    problems = Problems()
    if not policy.source.isalnum():
        problems.add("source", "invalid_source", "must be a short name of letters and digits, such as ECB")
    if not is_currency(policy.base):
        problems.add("base", "invalid_currency", "must be an ISO 4217 code, such as EUR")
    if not 0 <= policy.most_days <= _MOST_DAYS:
        problems.add("most_days", "out_of_range", f"must be from 0 to {_MOST_DAYS}")
    if not 0 <= policy.tolerance <= _MOST_TOLERANCE:
        problems.add("tolerance", "out_of_range", f"must be from 0 to {_MOST_TOLERANCE} per cent")
    problems.refuse_if_any("nothing can be booked by this policy", "invalid_rate_policy")


def rate_between(
    own: str, foreign: str, found: dict[str, DayRate | None], policy: RatePolicy, on: date
) -> ExchangeRate:
    """What one unit of a seller's own currency is worth in a foreign one, as of the older of the two published days.

    found: the last rate of each of the two on or before `on`; the source's base needs none. Refusal `no_exchange_rate`.
    """
    legs = [_leg(currency, found.get(currency), policy, on) for currency in (own, foreign)]
    rate = _CROSS.divide(legs[1].rate, legs[0].rate) if own != policy.base else legs[1].rate
    return ExchangeRate(own, foreign, rate, policy.source, min(leg.on for leg in legs))


def _leg(currency: str, found: DayRate | None, policy: RatePolicy, on: date) -> DayRate:
    if currency == policy.base:
        return DayRate(currency, on, Decimal(1))
    if found is None or (on - found.on).days > policy.most_days:
        last = f"; the last one is of {found.on}" if found else ""
        raise Refusal("no_exchange_rate", f"{policy.source} has no {currency} rate for {on}{last}")
    return found


def price_day(rule: PriceDay, issued_on: date, period_from: date) -> date:
    """Of which day the rate is that converts a price on an invoice. period_from: the first day of what is billed."""
    if rule is PriceDay.PERIOD:
        return period_from
    return issued_on if rule is PriceDay.INVOICE else issued_on.replace(day=1) - timedelta(days=1)


def quoted_first(policy: RatePolicy, one: str, other: str) -> tuple[str, str]:
    """Two currencies so that their rate is the published number: what the source quotes against comes first."""
    return (other, one) if other == policy.base else (one, other)
