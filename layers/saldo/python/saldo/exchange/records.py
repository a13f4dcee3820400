"""How rates lie in the table.

`rates_<source>` / `rate#<currency>#<date>`: one published rate.
`<entity>` / `rate_policy`: whose rates a seller books at.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from saldo.exchange.model import DayRate, PriceDay, RatePolicy
from saldo.kernel.exact import plain
from saldo.storage.items import Item, Key


def rates_owner(source: str) -> str:
    return f"rates_{source.lower()}"


def rate_key(source: str, currency: str, on: date) -> Key:
    return rates_owner(source), f"rate#{currency}#{on.isoformat()}"


def rate_item(source: str, rate: DayRate) -> Item:
    pk, sk = rate_key(source, rate.currency, rate.on)
    return {"pk": pk, "sk": sk, "kind": "rate", "rate": str(rate.rate)}


def rate_from(item: Item) -> DayRate:
    _, currency, on = item["sk"].split("#")
    return DayRate(currency, date.fromisoformat(on), Decimal(item["rate"]))


def bounds(currency: str, on: date, days: int) -> tuple[str, str]:
    """Sort keys of a currency's rates of so many days up to `on`."""
    return f"rate#{currency}#{(on - timedelta(days=days)).isoformat()}", f"rate#{currency}#{on.isoformat()}"


def policy_key(entity_id: str) -> Key:
    return entity_id, "rate_policy"


def policy_item(entity_id: str, policy: RatePolicy) -> Item:
    pk, sk = policy_key(entity_id)
    fields: Item = {"source": policy.source, "base": policy.base, "most_days": policy.most_days}
    if policy.prices_on:
        fields["prices_on"] = policy.prices_on.value
    if policy.tolerance:
        fields["tolerance"] = plain(policy.tolerance)
    return {"pk": pk, "sk": sk, "kind": "rate_policy", **fields}


def policy_from(item: Item | None) -> RatePolicy | None:
    if item is None:
        return None
    day = item.get("prices_on")
    most, tolerance = item["most_days"], Decimal(item.get("tolerance", "0"))
    return RatePolicy(item["source"], item["base"], most, PriceDay(day) if day else None, tolerance)
