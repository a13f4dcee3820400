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
from saldo.tax.estimates import UNKNOWN
from saldo.usage.model import Counted, UsageKey
from saldo.usage.rules_forecast import LiveMeter


@dataclass(frozen=True, slots=True)
class NextInvoice:
    """What the next run on `on` would bill if nothing more were used (`so_far`), and by the forecast (`expected`).

    Its taxes are estimated by the table: the run may ask a tax service, at rates of its own day.
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
            "so_far": amounts_of(self.so_far, currency),
            "expected": amounts_of(self.expected, currency),
        }


def net_of(billed: BilledAccount) -> int:
    """What invoices come to before tax, in minor units."""
    return sum(body.net_minor for body in billed.bodies)


def tax_of(billed: BilledAccount) -> int | None:
    """The estimate of their tax, in minor units; None where the table cannot decide it."""
    if any(body.tax_source == UNKNOWN for body in billed.bodies):
        return None
    return sum(body.tax_minor for body in billed.bodies)


def amounts_of(billed: BilledAccount, currency: str) -> dict[str, Any]:
    """Net, and tax and total as estimated, in major and minor units; None of what is not known."""
    net, tax = net_of(billed), tax_of(billed)
    told = {"net": net, "tax": tax, "total": None if tax is None else net + tax}
    major = {n: None if v is None else str(Money(v, currency).as_decimal()) for n, v in told.items()}
    return major | {f"{name}_minor": minor for name, minor in told.items()}
