"""A quote is an invoice run over one account, day after day, that stores nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from saldo.invoicing.model import (
    AppliedCredit,
    BillingCase,
    Coupon,
    CreditSource,
    DocumentKind,
    Draft,
    DueSubscription,
    InvoiceBody,
    NothingToBill,
    PrepaidCredit,
    UsageDetail,
)
from saldo.invoicing.rules import bill, due_of
from saldo.invoicing.rules_lines import charged_of
from saldo.kernel.errors import Refusal
from saldo.quotes.model import BillingDays, DatedItem, Quote, QuoteRequest
from saldo.quotes.rules_receivables import receivables
from saldo.quotes.rules_usage import usage_of
from saldo.subscriptions.model import Subscription
from saldo.tax.table import TableTax
from saldo.usage.model import UsageKey

MOST_RUNS = 5_000


def quote(request: QuoteRequest) -> Quote:
    """The invoices that runs on the days asked for would issue to this account, in order.

    Pure: the same request yields the same bytes. Raises Refusal where a run would set the account aside (see
    `saldo.invoicing.rules.bill`), `too_many_runs` beyond 5,000 days, `usage_straddles_period` for a total over days
    of two periods.
    """
    state = _State(
        request,
        list(request.subscriptions),
        list(request.items),
        request.coupons,
        request.credits,
        request.credit_note_minor,
    )
    tax = TableTax(request.tax.table, request.tax.rounding, mode=request.tax.mode)
    invoices: list[InvoiceBody] = []
    for n, day in enumerate(_days(state)):
        if n >= MOST_RUNS:
            raise Refusal("too_many_runs", f"something falls due on more than {MOST_RUNS} days")
        outcome = bill(state.case(day), tax)
        state.move_on(day, outcome)
        if isinstance(outcome, Draft) and (request.days.runs or day >= request.days.first_on):
            invoices.append(outcome.body)
    left = state.coupons, state.credits, state.credit_note_minor, request.account.currency
    asked = request.receivables
    return Quote(tuple(invoices), tuple(state.subscriptions), *left, receivables(asked, invoices) if asked else None)


@dataclass(slots=True)
class _State:
    """Where the account stands between two runs."""

    request: QuoteRequest
    subscriptions: list[Subscription]
    items: list[DatedItem]
    coupons: tuple[Coupon, ...]
    credits: tuple[PrepaidCredit, ...]
    credit_note_minor: int

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
            items=tuple(dated.item for dated in _ready(self.items, day)),
            options=request.options,
            details=details,
            coupons=self.coupons,
            credits=self.credits,
            credit_note_minor=self.credit_note_minor,
            exchange=request.exchange,
        )

    def move_on(self, day: date, outcome: Draft | NothingToBill) -> None:
        self.subscriptions = list(outcome.subscriptions)
        ready = _ready(self.items, day)
        self.items = [item for item in self.items if item not in ready]
        if isinstance(outcome, Draft):
            self._use_up(outcome.body)

    def _use_up(self, body: InvoiceBody) -> None:
        used = {use.coupon_id for use in body.coupons}
        self.coupons = tuple(replace(c, used=c.used + 1) if c.id in used else c for c in self.coupons)
        for credit in body.credits:
            if credit.source is CreditSource.CREDIT_NOTE:
                self.credit_note_minor -= credit.minor
            else:
                self.credits = tuple(_drawn(c, credit) for c in self.credits)
        if body.kind is DocumentKind.CREDIT_NOTE:
            self.credit_note_minor -= body.payable_minor


def _drawn(credit: PrepaidCredit, applied: AppliedCredit) -> PrepaidCredit:
    if credit.id != applied.credit_id:
        return credit
    return replace(credit, balance_minor=credit.balance_minor - applied.minor)


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
                if key in details and details[key].by_value is not None:
                    continue  # the same days taken back or charged anew, on terms that may not ask for the parts
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
