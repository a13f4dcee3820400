"""Saldo over one account, day after day: its own path from what is due to a frozen invoice, stored nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from saldo.invoicing.model import (
    BillingCase,
    Coupon,
    CreditSource,
    DocumentKind,
    Draft,
    DueSubscription,
    InvoiceBody,
    Item,
    PrepaidCredit,
    UsageDetail,
)
from saldo.invoicing.rules import bill, due_of, problems_of
from saldo.invoicing.rules_lines import charged_of
from saldo.kernel.errors import Refusal
from saldo.quotes.model import Usage
from saldo.quotes.rules_usage import usage_of
from saldo.subscriptions.model import Subscription
from saldo.subscriptions.rules import cancel, subscribe
from saldo.subscriptions.rules_changes import with_change
from saldo.tax.table import TableTax
from saldo.usage.model import UsageEvent, UsageKey
from saldo.usage.rules import first_of_each
from tests.decade.history import History, Sale, Told

DAY = timedelta(days=1)


@dataclass
class Machine:
    """What Saldo knows of one account between two runs."""

    history: History

    def __post_init__(self) -> None:
        self.subscriptions: dict[str, Subscription] = {}
        self.events: dict[str, list[UsageEvent]] = {}
        self.items: list[Item] = []
        self.coupons: list[Coupon] = []
        self.credits: list[PrepaidCredit] = []
        self.notes = 0
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
                self.subscriptions[fact.id] = self._sold(fact)
            case Told():
                sold = self.subscriptions[fact.subscription_id]
                self.subscriptions[sold.id] = with_change(sold, fact.change)
            case UsageEvent():
                self.events.setdefault(fact.meter_id, []).append(fact)
            case Coupon():
                self.coupons.append(fact)
            case PrepaidCredit():
                self.credits.append(fact)
            case Item():
                self.items.append(fact)

    def _sold(self, sale: Sale) -> Subscription:
        version = self.history.market.versions[sale.plan_version_id]
        sold = subscribe(
            sale.id,
            account_id=self.history.account.id,
            entity_id=self.history.market.seller.id,
            plan_version=version,
            started_on=sale.started_on,
            alignment=sale.alignment,
            trial_days=sale.trial_days,
            anchor_on=sale.anchor_on,
            quantities={name: Decimal(q) for name, q in sale.quantities.items()},
        )
        return sold if sale.cancelled_on is None else cancel(sold, version, sale.cancelled_on)

    def run(self, day: date) -> InvoiceBody | None:
        """One run; None where there is nothing to bill. Raises Refusal where the account would be set aside."""
        due = any(s.next_bill_on is not None and s.next_bill_on <= day for s in self.subscriptions.values())
        if not due and not self.items:
            return None
        outcome = bill(self._case(day), self.tax)
        self.subscriptions = {s.id: s for s in outcome.subscriptions}
        self.items = []
        if not isinstance(outcome, Draft):
            return None
        problems = problems_of(outcome.body)
        assert not problems, problems
        self._use_up(outcome.body)
        return outcome.body

    def _case(self, day: date) -> BillingCase:
        market, zone = self.history.market, self.history.account.time_zone
        due = tuple(
            due_of(s, market.versions[s.plan_version_id], day, market.versions, zone)
            for s in self.subscriptions.values()
        )
        totals: dict[UsageKey, Decimal] = {}
        details: dict[UsageKey, UsageDetail] = {}
        for key, total, detail in self._usage(due):
            if key not in details or details[key].by_value is None:
                totals[key], details[key] = total, detail
        return BillingCase(
            self.history.account,
            market.seller,
            due,
            totals,
            day,
            tuple(self.items),
            market.options,
            details,
            tuple(self.coupons),
            tuple(self.credits),
            self.notes,
        )

    def _usage(self, due: tuple[DueSubscription, ...]) -> Iterator[tuple[UsageKey, Decimal, UsageDetail]]:
        zone, meters = self.history.account.time_zone, self.history.market.meters
        for item in due:
            for charged in charged_of(item):
                meter_id = charged.component.meter_id
                if meter_id:
                    key = UsageKey(item.subscription.id, meter_id, charged.period.period)
                    events = self._events_for(key)
                    usage = Usage(events=tuple(first_of_each(events)), meters={meter_id: meters[meter_id]})
                    yield key, *usage_of(usage, key, charged.component.price, zone)

    def _events_for(self, key: UsageKey) -> list[UsageEvent]:
        """Those that can count: from the period on, or from the beginning where a level is carried."""
        quoted = self.history.market.meters[key.meter_id]
        events = self.events.get(quoted.counts, [])
        if quoted.carries:
            return events
        start, _ = key.period.instants("UTC")
        return [e for e in events if e.at >= start - 2 * DAY]

    def _use_up(self, body: InvoiceBody) -> None:
        used = {use.coupon_id for use in body.coupons}
        self.coupons = [replace(c, used=c.used + 1) if c.id in used else c for c in self.coupons]
        for credit in body.credits:
            if credit.source is CreditSource.CREDIT_NOTE:
                self.notes -= credit.minor
            drawn = credit.minor
            self.credits = [
                replace(c, balance_minor=c.balance_minor - drawn) if c.id == credit.credit_id else c
                for c in self.credits
            ]
        if body.kind is DocumentKind.CREDIT_NOTE:
            self.notes -= body.payable_minor
