"""A quote is an invoice run over one account, day after day, that stores nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from saldo.invoicing.model import BillingCase, Draft, DueSubscription, InvoiceBody, NothingToBill
from saldo.invoicing.rules import bill, due_of, usage_needed
from saldo.kernel.errors import Refusal
from saldo.quotes.model import BillingDays, DatedItem, Quote, QuoteRequest
from saldo.quotes.rules_usage import quantity_of
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
    state = _State(request, list(request.subscriptions), list(request.items))
    tax = TableTax(request.tax.table, request.tax.rounding)
    invoices: list[InvoiceBody] = []
    for n, day in enumerate(_days(state)):
        if n >= MOST_RUNS:
            raise Refusal("too_many_runs", f"something falls due on more than {MOST_RUNS} days")
        outcome = bill(state.case(day), tax)
        state.move_on(day, outcome)
        if isinstance(outcome, Draft) and (request.days.runs or day >= request.days.first_on):
            invoices.append(outcome.body)
    return Quote(tuple(invoices), tuple(state.subscriptions))


@dataclass(slots=True)
class _State:
    """Where the account stands between two runs."""

    request: QuoteRequest
    subscriptions: list[Subscription]
    items: list[DatedItem] = field(default_factory=list)

    def case(self, day: date) -> BillingCase:
        request = self.request
        versions, zone = request.versions, request.account.time_zone
        sold = ((s, versions.get(s.plan_version_id)) for s in self.subscriptions)
        due = tuple(due_of(s, version, day, versions, zone) for s, version in sold)
        return BillingCase(
            account=request.account,
            entity=request.entity,
            due=due,
            usage=_totals(request, due),
            as_of=day,
            items=tuple(dated.item for dated in _ready(self.items, day)),
            options=request.options,
        )

    def move_on(self, day: date, outcome: Draft | NothingToBill) -> None:
        self.subscriptions = list(outcome.subscriptions)
        ready = _ready(self.items, day)
        self.items = [item for item in self.items if item not in ready]


def _totals(request: QuoteRequest, due: Sequence[DueSubscription]) -> dict[UsageKey, Decimal]:
    zone = request.account.time_zone
    return {key: quantity_of(request.usage, key, zone) for key in usage_needed(due)}


def _ready(items: Sequence[DatedItem], day: date) -> list[DatedItem]:
    return [item for item in items if item.on is None or item.on <= day]


def _days(state: _State) -> Iterator[date]:
    """The days of the runs, each decided when the one before is done."""
    days: BillingDays = state.request.days
    if days.runs:
        yield from sorted(set(days.runs))
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
