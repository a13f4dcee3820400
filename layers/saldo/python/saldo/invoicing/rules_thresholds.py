"""Which thresholds an account has reached by what the next invoice says so far. No clock, no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from saldo.catalog.model import Capped, Commitment, Included, PriceModel, Ramp
from saldo.invoicing.model_forecast import NextInvoice, net_of
from saldo.kernel.exact import ZERO, plus, rounded_to
from saldo.kernel.money import Money
from saldo.rating.model import Ask
from saldo.rating.rules.registry import price_ask
from saldo.usage.model import Counted
from saldo.usage.model_thresholds import Alert, Measure, Threshold


def reached(ahead: NextInvoice, thresholds: Sequence[Threshold], at: datetime) -> list[Alert]:
    """An alert for each threshold that is reached, and each period of its meter in which it is."""
    found = []
    for threshold in thresholds:
        for period, measured in measured_by(ahead, threshold):
            if measured >= threshold.at:
                account = ahead.account
                found.append(Alert(account.id, account.entity_id, threshold, period, measured, account.currency, at))
    return found


def measured_by(ahead: NextInvoice, threshold: Threshold) -> Iterator[tuple[str, Decimal]]:
    """How far its measure has come: (period, measured), once for each period of its meter. Where that counts by
    subscription: how much all used together, and how much is used up of that which has least left."""
    if threshold.measure is Measure.COST:
        yield ahead.due_on.isoformat(), Money(net_of(ahead.so_far), ahead.account.currency).as_decimal()
        return
    found: dict[str, Decimal] = {}
    asked = [(key, price) for key, price in ahead.prices if key.meter_id == threshold.meter_id]
    if threshold.measure is Measure.QUANTITY:
        for key in dict.fromkeys(key for key, _ in asked):
            period = key.period.as_text()
            found[period] = plus(found.get(period, ZERO), ahead.counted[key].quantity)
    else:
        for key, price in asked:
            percent, period = percent_of(price, ahead.counted[key]), key.period.as_text()
            if percent is not None:
                found[period] = max(percent, found.get(period, percent))
    yield from found.items()


def percent_of(price: PriceModel, counted: Counted) -> Decimal | None:
    """How much of what a price includes, commits to or is capped at is used up, to two digits; None without that.

    The bound of a full period is meant, also in a short one.
    """
    if isinstance(price, Ramp):
        return percent_of(price.steps[0].price, counted)
    if isinstance(price, Included):
        return _percent(counted.quantity, price.units)
    if isinstance(price, Commitment | Capped):
        ask = Ask(counted.quantity, amounts=counted.detail.amounts, by_value=counted.detail.by_value)
        return _percent(price_ask(price.price, ask).amount, price.amount)
    return None


def _percent(part: Decimal, whole: Decimal) -> Decimal | None:
    if whole <= 0:
        return None
    return rounded_to(2, Fraction(part) * 100 / Fraction(whole))
