"""A quote is an invoice run over one account, day after day, that stores nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from saldo.invoicing.model import (
    BilledAccount,
    BillingCase,
    DueItem,
    DueSubscription,
    InvoiceBody,
    Wallet,
)
from saldo.invoicing.rules import due_of
from saldo.invoicing.rules_accounts import bill_account
from saldo.invoicing.rules_lines import charged_of
from saldo.kernel.errors import Refusal
from saldo.quotes.model import BillingDays, DatedItem, Quote, QuoteRequest
from saldo.quotes.rules_receivables import receivables
from saldo.quotes.rules_usage import usage_of
from saldo.subscriptions.model import Subscription
from saldo.tax.table import TableTax
from saldo.usage.model import UsageDetail, UsageKey

MOST_RUNS = 5_000


def quote(request: QuoteRequest) -> Quote:
    """The invoices that runs on the days asked for would issue to this account, in order.

    Pure: the same request yields the same bytes. Raises Refusal where a run would set the account aside (see
    `saldo.invoicing.rules.bill`), `too_many_runs` beyond 5,000 days, `usage_straddles_period` for a total over days
    of two periods.
    """
    state = _State(request, list(request.subscriptions), list(request.items), request.wallet)
    tax = TableTax(request.tax.table, request.tax.rounding, mode=request.tax.mode)
    invoices: list[InvoiceBody] = []
    for n, day in enumerate(_days(state)):
        if n >= MOST_RUNS:
            raise Refusal("too_many_runs", f"something falls due on more than {MOST_RUNS} days")
        billed = bill_account(state.case(day), tax)
        state.move_on(day, billed)
        if request.days.runs or day >= request.days.first_on:
            invoices += billed.bodies
    asked, currency = request.receivables, request.account.currency
    after = receivables(asked, invoices) if asked else None
    return Quote(tuple(invoices), tuple(state.subscriptions), state.wallet, currency, after)


@dataclass(slots=True)
class _State:
    """Where the account stands between two runs."""

    request: QuoteRequest
    subscriptions: list[Subscription]
    items: list[DatedItem]
    wallet: Wallet

    def case(self, day: date) -> BillingCase:
        request = self.request
        versions, zone = request.versions, request.account.time_zone
        sold = ((s, versions.get(s.plan_version_id)) for s in self.subscriptions)
        due = tuple(due_of(s, version, day, versions, zone) for s, version in sold)
        totals, details = _usage(request, due)
        return BillingCase(
            account=request.account,
            entity=request.entity,
            due=due,
            usage=totals,
            as_of=day,
            items=tuple(DueItem(dated.item) for dated in _ready(self.items, day)),
            options=request.options,
            details=details,
            wallet=self.wallet,
            exchange=request.exchange,
        )

    def move_on(self, day: date, billed: BilledAccount) -> None:
        self.subscriptions = list(billed.subscriptions)
        ready = _ready(self.items, day)
        self.items = [item for item in self.items if item not in ready]
        self.wallet = billed.wallet


def _usage(
    request: QuoteRequest, due: Sequence[DueSubscription]
) -> tuple[dict[UsageKey, Decimal], dict[UsageKey, UsageDetail]]:
    totals: dict[UsageKey, Decimal] = {}
    details: dict[UsageKey, UsageDetail] = {}
    for item in due:
        for charged in charged_of(item):
            meter_id = charged.component.meter_id
            if meter_id:
                key = UsageKey(item.subscription.id, meter_id, charged.period.period)
                price, zone = charged.component.price, request.account.time_zone
                totals[key], details[key] = usage_of(request.usage, key, price, zone)
    return totals, details


def _ready(items: Sequence[DatedItem], day: date) -> list[DatedItem]:
    return [item for item in items if item.on is None or item.on <= day]


def _days(state: _State) -> Iterator[date]:
    """The days of the runs, each decided when the one before is done."""
    days: BillingDays = state.request.days
    if days.runs:
        yield from sorted(days.runs)
        return
    day = _next_day(state, days)
    while day is not None and day <= days.last_on:
        yield day
        day = _next_day(state, days)


def _next_day(state: _State, days: BillingDays) -> date | None:
    """The next day on which something falls due; undated items wait for the first day asked for."""
    due = [s.next_bill_on for s in state.subscriptions if s.next_bill_on is not None]
    due += [item.on or days.first_on for item in state.items]
    return min(due, default=None)
