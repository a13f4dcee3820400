"""What is due on a subscription, and component by component."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from saldo.accounts.model import Account
from saldo.catalog.model import ChargeKind, Component, PlanVersion
from saldo.subscriptions.model import Charge, ChargePeriod, Subscription
from saldo.usage.model import UsageKey


class Charged(NamedTuple):
    """A component of a plan version that is due for a period; the charge of a change, where it is one."""

    period: ChargePeriod
    component: Component
    version: PlanVersion
    change: Charge | None = None

    @property
    def usage_key(self) -> UsageKey:
        """Of a usage charge: which total is charged."""
        return UsageKey(self.period.subscription_id, self.component.meter_id, self.period.period)

    @property
    def taken_back(self) -> bool:
        return self.change is not None and self.change.sign < 0

    @property
    def part(self) -> str:
        """From when the plan's minimum holds that it may count towards; "" without one."""
        if self.change is not None:
            return self.change.part
        return self.period.period.start.isoformat() if self.version.minimum else ""

    @property
    def since(self) -> str:
        """The same of the tallies that are for a cycle."""
        if self.change is not None:
            return self.change.since
        return self.period.period.start.isoformat() if self.version.by_cycle else ""


@dataclass(frozen=True, slots=True)
class DueSubscription:
    """A subscription, the plan version it was sold (None where it cannot be found) and what is due on it.

    `charged`: the same component by component, without tallies. `charges`: what its changes make due, where it has any;
    `versions`: the plan versions these name, by id. `member`: the account that uses it, where the invoice is addressed
    to another.
    """

    subscription: Subscription
    plan_version: PlanVersion | None
    due: tuple[ChargePeriod, ...]
    charged: tuple[Charged, ...] = ()
    charges: tuple[Charge, ...] | None = None
    versions: Mapping[str, PlanVersion] = field(default_factory=dict)
    member: Account | None = None

    @property
    def metered(self) -> Iterator[Charged]:
        """Of what is charged, what a meter counts."""
        return (one for one in self.charged if one.component.kind is ChargeKind.USAGE)
