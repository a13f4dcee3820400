"""Saldo over one account, day after day: its own path from what is due to a frozen invoice, stored nowhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain

from saldo.catalog.model import PlanVersion
from saldo.invoicing.model import (
    BillingCase,
    Coupon,
    DueItem,
    InvoiceBody,
    PrepaidCredit,
    Wallet,
)
from saldo.invoicing.model_tally import Tally, TallyKey
from saldo.invoicing.rules import due_of
from saldo.invoicing.rules_accounts import bill_account
from saldo.invoicing.rules_history import usage_asked
from saldo.invoicing.rules_soundness import problems_of
from saldo.kernel.errors import Refusal
from saldo.orders.model import Item
from saldo.subscriptions.model import Subscription
from saldo.subscriptions.rules import cancel, subscribe
from saldo.subscriptions.rules_changes import with_change
from saldo.tax.table import TableTax
from saldo.usage.model import Counted, UsageEvent, UsageKey
from saldo.usage.rules import Asking, counted, needs_of_all, prices_by_key
from tests.decade.history import History, Sale, Told

DAY = timedelta(days=1)


def sold(sale: Sale, account_id: str, seller_id: str, version: PlanVersion) -> Subscription:
    """A subscription as Saldo begins it."""
    begun = subscribe(
        sale.id,
        account_id=account_id,
        entity_id=seller_id,
        plan_version=version,
        started_on=sale.started_on,
        alignment=sale.alignment,
        trial_days=sale.trial_days,
        anchor_on=sale.anchor_on,
        quantities={name: Decimal(q) for name, q in sale.quantities.items()},
        term=sale.term,
    )
    return begun if sale.cancelled_on is None else cancel(begun, version, sale.cancelled_on)


@dataclass
class Machine:
    """What Saldo knows of one account between two runs."""

    history: History

    def __post_init__(self) -> None:
        self.subscriptions: dict[str, Subscription] = {}
        self.events: dict[str, list[UsageEvent]] = {}
        self.items: list[Item] = []
        self.wallet = Wallet()
        self.bodies: list[InvoiceBody] = []
        self.tallies: dict[TallyKey, Tally] = {}
        self.tax = TableTax(self.history.market.table)

    def learn(self, fact: object) -> str | None:
        """Put a fact on record; the code of the refusal where Saldo refuses it."""
        try:
            self._learn(fact)
        except Refusal as refusal:
            return refusal.code
        return None

    def _learn(self, fact: object) -> None:
        match fact:
            case Sale():
                version = self.history.market.versions[fact.plan_version_id]
                account, seller = self.history.account, self.history.market.seller
                self.subscriptions[fact.id] = sold(fact, account.id, seller.id, version)
            case Told():
                before = self.subscriptions[fact.subscription_id]
                self.subscriptions[before.id] = with_change(before, fact.change)
            case UsageEvent():
                self.events.setdefault(fact.meter_id, []).append(fact)
            case Coupon():
                self.wallet = replace(self.wallet, coupons=(*self.wallet.coupons, fact))
            case PrepaidCredit():
                self.wallet = replace(self.wallet, credits=(*self.wallet.credits, fact))
            case Item():
                self.items.append(fact)

    def run(self, day: date) -> InvoiceBody | None:
        """One run; None where there is nothing to bill. Raises Refusal where the account would be set aside."""
        due = any(s.next_bill_on is not None and s.next_bill_on <= day for s in self.subscriptions.values())
        if not due and not self.items:
            return None
        self._expire(day)
        billed = bill_account(self._case(day), self.tax)
        self.subscriptions = {s.id: s for s in billed.subscriptions}
        self.items, self.wallet = [], billed.wallet
        self.bodies += billed.bodies
        self.tallies = self.tallies | {one.key: one for one in billed.tallies}
        for body in billed.bodies:
            problems = problems_of(body)
            assert not problems, problems
        return billed.bodies[0] if billed.bodies else None

    def _expire(self, day: date) -> None:
        """What a run does first: credit that has run out is gone."""
        gone = (c.expires_on is not None and c.expires_on <= day for c in self.wallet.credits)
        left = (replace(c, balance_minor=0) if out else c for c, out in zip(self.wallet.credits, gone, strict=True))
        self.wallet = replace(self.wallet, credits=tuple(left))

    def _case(self, day: date) -> BillingCase:
        market, account = self.history.market, self.history.account
        due = tuple(
            due_of(s, market.versions[s.plan_version_id], day, market.versions, account.time_zone)
            for s in self.subscriptions.values()
        )
        asked = prices_by_key(chain.from_iterable(map(usage_asked, due)))
        found = {key: self._counted(key, prices) for key, prices in asked.items()}
        totals = {key: quantity for key, (quantity, _) in found.items()}
        details = {key: detail for key, (_, detail) in found.items()}
        items = tuple(DueItem(item) for item in self.items)
        stand = market.options, details, self.wallet
        earlier = tuple(self.bodies)
        known = totals, day, items, *stand
        return BillingCase(account, market.seller, due, *known, earlier=earlier, tallies=self.tallies)

    def _counted(self, key: UsageKey, prices: list[Asking]) -> Counted:
        meter = self.history.market.meters[key.meter_id]
        own, zone = meter.of_subscription(key.subscription_id), self.history.account.time_zone
        found = counted(self._events_for(key), own, key.period, zone, needs_of_all(prices))
        return Counted(found.quantity, replace(found.detail, by_subscription=meter.by_subscription))

    def _events_for(self, key: UsageKey) -> list[UsageEvent]:
        """Those that can count: of the period's days by whatever clock, or all where a level is carried."""
        meter = self.history.market.meters[key.meter_id]
        events = self.events.get(meter.event_name, [])
        if meter.carries:
            return events
        start, end = key.period.instants("UTC")
        return [e for e in events if start - 2 * DAY <= e.at < end + 2 * DAY]
