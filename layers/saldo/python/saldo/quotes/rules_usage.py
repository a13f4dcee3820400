"""What meters counted in a period, as totals tell it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from saldo.invoicing.model import DueSubscription
from saldo.kernel.errors import Problem, Refusal
from saldo.kernel.exact import plus, total
from saldo.kernel.periods import Period
from saldo.quotes.model import Usage, UsageTotal
from saldo.usage.model import Counted, Needs, UsageDetail, UsageKey

_Whole = tuple[str, str, Period]  # a subscription, its meter, and the full period


def told_of(usage: Usage, key: UsageKey, needs: Needs) -> Counted | None:
    """The total of a meter for a subscription in a period as it is told; None where nothing is.

    Without a meter, totals that name their subscription are counted by subscription. Refusal `usage_straddles_period`
    for a total over days inside and outside of the period.
    """
    told = [t for n, t in enumerate(usage.totals) if concerns(t, key, n)]
    if not told:
        return None
    found, meter = _of_totals(told, needs.dimensions), usage.meters.get(key.meter_id)
    apart = meter.by_subscription if meter is not None else all(t.subscription_id for t in told)
    return Counted(found.quantity, replace(found.detail, by_subscription=True)) if apart else found


def _of_totals(told: Sequence[UsageTotal], dimensions: tuple[str, ...]) -> Counted:
    amounts: list[Decimal] = []
    by_value: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    for one in told:
        amounts += one.amounts or ()
        values = tuple(one.properties.get(name, "") for name in dimensions)
        by_value[values] = plus(by_value[values], one.quantity)
    known = all(one.amounts is not None for one in told)
    before = total(one.before for one in told)
    detail = UsageDetail(before, tuple(amounts) if known else None, dict(by_value) if dimensions else None)
    return Counted(total(one.quantity for one in told), detail)


def check_parts(totals: Sequence[UsageTotal], due: Iterable[DueSubscription], spans: dict[_Whole, Period]) -> None:
    """Refusal `usage_straddles_period` where a period is billed in parts by a total that does not say of which days it
    is: it would count in each. spans: the first part of each period that was billed, which is moved on."""
    undated = {(t.subscription_id, t.meter_id): n for n, t in enumerate(totals) if t.from_on is None}
    for charged in (c for item in due for c in item.metered if undated):
        key = charged.usage_key
        first = spans.setdefault((key.subscription_id, key.meter_id, charged.period.full), key.period)
        n = undated.get((key.subscription_id, key.meter_id), undated.get(("", key.meter_id)))
        if n is not None and first != key.period:
            whole = charged.period.full.as_text()
            why = f"{whole} is billed in parts; say of which days the total of {key.meter_id} is"
            raise Refusal("usage_straddles_period", why, [Problem(f"usage.totals[{n}].from", "missing", why)])


def concerns(told: UsageTotal, key: UsageKey, n: int = 0) -> bool:
    """Whether a total, the n-th of the document, is of this meter, subscription and period; Refusal
    `usage_straddles_period` if in part."""
    if told.meter_id != key.meter_id or told.subscription_id not in ("", key.subscription_id):
        return False
    if told.from_on is None or told.until_on is None:
        return True
    days = Period(told.from_on, told.until_on)
    common = days.overlap(key.period)
    if common is not None and common != days:
        why = f"the total of {told.meter_id} for {days.as_text()} is not within one period ({key.period.as_text()})"
        raise Refusal("usage_straddles_period", why, [Problem(f"usage.totals[{n}].until", "straddles_period", why)])
    return common is not None
