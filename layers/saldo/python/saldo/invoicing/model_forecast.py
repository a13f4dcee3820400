"""An account's next invoice, looked at before its day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from saldo.accounts.model import Account
from saldo.catalog.model import PriceModel
from saldo.invoicing.model import BilledAccount
from saldo.kernel.money import Money
from saldo.usage.model import Counted, UsageKey
from saldo.usage.rules_forecast import LiveMeter


@dataclass(frozen=True, slots=True)
class NextInvoice:
    """What the next run on `on` would bill if nothing more were used (`so_far`), and by the forecast (`expected`).

    `due_on`: the day on which it falls due, before `on` while a run is late.
    `counted`: what was used so far by each key that is asked for; `prices`: at which price.
    """

    account: Account
    on: date
    due_on: date
    meters: tuple[LiveMeter, ...]
    so_far: BilledAccount
    expected: BilledAccount
    counted: Mapping[UsageKey, Counted]
    prices: tuple[tuple[UsageKey, PriceModel], ...]

    def as_dict(self) -> dict[str, Any]:
        currency = self.account.currency
        return {
            "account_id": self.account.id,
            "on": self.on.isoformat(),
            "currency": currency,
            "meters": [m.as_dict() for m in self.meters],
            "so_far": {"net": _major(self.so_far, currency), "net_minor": net_of(self.so_far)},
            "expected": {"net": _major(self.expected, currency), "net_minor": net_of(self.expected)},
        }


def net_of(billed: BilledAccount) -> int:
    """What invoices come to before tax, in minor units."""
    return sum(body.net_minor for body in billed.bodies)


def _major(billed: BilledAccount, currency: str) -> str:
    return str(Money(net_of(billed), currency).as_decimal())
