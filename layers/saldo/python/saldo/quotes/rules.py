"""A quote is an invoice run over one account, day after day, that stores nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from saldo.catalog.model import PlanVersion
from saldo.catalog.rules import version_in_force
from saldo.invoicing.model import (
    BilledAccount,
    BillingCase,
    DueItem,
    InvoiceBody,
    Wallet,
)
from saldo.invoicing.model_tally import Tally, TallyKey
from saldo.invoicing.rules import due_of
from saldo.invoicing.rules_accounts import bill_account
from saldo.invoicing.rules_charged import usage_needed
from saldo.invoicing.rules_conversion import rates_needed
from saldo.invoicing.rules_late import late_charge
from saldo.kernel.errors import Refusal
from saldo.kernel.periods import Period
from saldo.quotes.model import BillingDays, DatedItem, LateChange, PriceRates, Quote, QuoteRequest, UsageTotal
from saldo.quotes.rules_exchange import booked_at, published
from saldo.quotes.rules_late import KnownUsage
from saldo.quotes.rules_receivables import receivables
from saldo.quotes.rules_usage import check_parts, concerns
from saldo.subscriptions.model import Subscription, SubscriptionStatus
from saldo.subscriptions.rules_changes import with_change
from saldo.subscriptions.rules_renewals import eve_of, renewal
from saldo.subscriptions.rules_terms import term_end
from saldo.tax.table import TableTax
from saldo.usage.model import UsageKey
from saldo.usage.model_windows import AccountUsage

MOST_RUNS = 5_000
MOST_LINES = 50_000


def quote(request: QuoteRequest) -> Quote:
    """The invoices that runs on the days asked for would issue to this account, in order.

    Pure: the same request yields the same bytes. Raises Refusal where a run would set the account aside (see
    `saldo.invoicing.rules.bill`), `too_many_runs` beyond 5,000 days, `too_many_lines` beyond 50,000,
    `usage_straddles_period` for a total over days of two periods, or of no days where one is billed in parts.
    """
    state = _State(request, list(request.subscriptions), list(request.items), request.wallet)
    tax = TableTax(request.tax)
    invoices: list[InvoiceBody] = []
    lines = 0
    for n, day in enumerate(_days(state)):
        if n >= MOST_RUNS:
            raise Refusal("too_many_runs", f"something falls due on more than {MOST_RUNS} days")
        case = state.case(day)
        billed = bill_account(case, tax)
        state.move_on(case, billed)
        lines += sum(len(body.lines) for body in billed.bodies)
        if lines > MOST_LINES:
            raise Refusal("too_many_lines", f"there are more than {MOST_LINES:,} lines to invoice; ask for fewer days")
        if request.days.runs or day >= request.days.first_on:
            invoices += billed.bodies
    asked = request.receivables
    return Quote(
        invoices=tuple(invoices),
        subscriptions=tuple(state.subscriptions),
        wallet=state.wallet,
        currency=request.account.currency,
        receivables=receivables(asked, invoices) if asked else None,
        not_billed=_not_billed(request, state.counted),
        rejected=tuple(state.usage.rejected),
    )


@dataclass(slots=True)
class _State:
    """Where the account stands between two runs."""

    request: QuoteRequest
    subscriptions: list[Subscription]
    items: list[DatedItem]
    wallet: Wallet
    invoices: list[InvoiceBody] = field(default_factory=list)
    counted: set[UsageKey] = field(default_factory=set)
    tallies: dict[TallyKey, Tally] = field(default_factory=dict)
    versions: dict[str, PlanVersion] = field(init=False)
    late: list[LateChange] = field(init=False)
    spans: dict[tuple[str, str, Period], Period] = field(default_factory=dict)
    ends: dict[str, date] = field(default_factory=dict)
    usage: KnownUsage = field(init=False)
    read: AccountUsage = field(init=False)

    def __post_init__(self) -> None:
        self.versions = dict(self.request.versions)
        self.late = list(self.request.changes)
        self.usage = KnownUsage(self.request.usage, self.request.account)

    def case(self, day: date) -> BillingCase:
        request = self.request
        self._take_in_changes(day)
        self.subscriptions = [self._renewed(s, day) if s.term else s for s in self.subscriptions]
        versions, zone = self.versions, request.account.time_zone
        sold = ((s, versions.get(s.plan_version_id)) for s in self.subscriptions)
        due = tuple(due_of(s, version, day, versions, zone) for s, version in sold)
        check_parts(request.usage.totals, due, self.spans)
        self.usage.take_in(day)
        self.read = self.usage.read(due)
        self.counted |= set(usage_needed(due))
        late = tuple(late_charge(found, versions.get(found.window.terms.plan_version_id)) for found in self.read.late)
        case = BillingCase(
            account=request.account,
            entity=request.entity,
            due=due,
            usage=self.read.totals,
            as_of=day,
            items=tuple(DueItem(dated.item) for dated in _ready(self.items, day)),
            options=request.options,
            details=self.read.details,
            late=late,
            wallet=self.wallet,
            exchange=booked_at(request.exchange, day) if request.exchange else None,
            earlier=self.invoices,
            tallies=self.tallies,
            stood=self.read.stood,
        )
        return case if request.prices is None else _with_price_rates(case, request.prices)

    def _take_in_changes(self, day: date) -> None:
        """Those that came by a day, in the order of the document."""
        came, self.late = [c for c in self.late if c.came_on <= day], [c for c in self.late if c.came_on > day]
        for late in came:
            self.subscriptions = [
                with_change(s, late.change) if s.id == late.subscription_id else s for s in self.subscriptions
            ]

    def _renewed(self, subscription: Subscription, day: date) -> Subscription:
        """With what the terms that end by a day change when they renew, as it is on record long before they do."""
        sold, term = self.versions[subscription.plan_version_id], subscription.term
        assert term is not None
        end = self.ends.get(subscription.id) or term_end(subscription, sold, subscription.billed_from)
        while end <= day and (eve := eve_of(subscription, self.versions, end)) is not None:
            offered, country = self.request.versions.values(), self.request.account.country
            newest = version_in_force(offered, eve.version.plan_id, eve.version.currency, country, end)
            found = renewal(term, eve.version, newest, end)
            if found is not None and subscription.status is not SubscriptionStatus.ENDED:
                self.versions[found.version.id] = found.version
                subscription = with_change(subscription, found.change)
            end = term_end(subscription, sold, end)
        self.ends[subscription.id] = end
        return subscription

    def move_on(self, case: BillingCase, billed: BilledAccount) -> None:
        self.usage.close(case, self.read, billed.bodies)
        self.subscriptions = list(billed.subscriptions)
        ready = _ready(self.items, case.as_of)
        self.items = [item for item in self.items if item not in ready]
        self.wallet = billed.wallet
        self.invoices += billed.bodies
        self.tallies = self.tallies | {one.key: one for one in billed.tallies}


def _with_price_rates(case: BillingCase, asked: PriceRates) -> BillingCase:
    """The case with the rates that its prices are converted at. Refusal `no_exchange_rate`."""
    case, invoiced_in = replace(case, prices_on=asked.policy.prices_on), case.account.currency
    rates = {(priced_in, on): published(asked, priced_in, invoiced_in, on) for priced_in, on in rates_needed(case)}
    return replace(case, price_rates=rates)


def _not_billed(request: QuoteRequest, counted: set[UsageKey]) -> tuple[UsageTotal, ...]:
    """The totals that no run asked for."""
    return tuple(t for t in request.usage.totals if not any(concerns(t, key) for key in counted))


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
    due += [late.came_on for late in state.late]
    return min(due, default=None)
