"""Saldo whole, over all accounts of a seller: facts go through the rooms' services onto an in-memory table, and the
steps of the invoice run follow each other as the state machine calls them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from saldo.accounts.records import account_item, customer_item, entity_item
from saldo.audit.model import Actor
from saldo.catalog.records import plan_version_item
from saldo.catalog.service import PlanVersions
from saldo.insight.invariants import check_all
from saldo.invoicing.codec import body_from_bytes
from saldo.invoicing.model import Coupon, InvoiceBody, PrepaidCredit
from saldo.invoicing.records import body_key
from saldo.invoicing.run.bill import Billing, bill_accounts
from saldo.invoicing.run.close import close_run, reconcile_run
from saldo.invoicing.run.issue import issue_invoices
from saldo.invoicing.run.model import Attempt, BatchResult
from saldo.invoicing.run.number import number_invoices, set_aside_of
from saldo.invoicing.run.open import due_accounts, open_run
from saldo.invoicing.seller_records import options_item
from saldo.invoicing.wallets import Wallets
from saldo.kernel.errors import Refusal
from saldo.orders.model import Item, WaitingItem
from saldo.orders.records import add_item
from saldo.storage import schema
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.subscriptions.service import Subscriptions
from saldo.tax.table import TableTax
from saldo.usage.ingest_rows import UsageRow
from saldo.usage.model import UsageEvent
from saldo.usage.records import meter_item
from saldo.usage.service import Usage, UsageTotals
from tests.decade.drive import sold
from tests.decade.history import History, Sale, Told
from tests.founding import lay
from tests.simulation.dynamodb import MemoryDynamoDB

CLERK = Actor("clerk", "staff")


@dataclass
class StoredSeller:
    """One seller with its accounts on a table of their own. `now` is the time everything believes in."""

    histories: Sequence[History]
    now: datetime = datetime(2015, 1, 1, 8, tzinfo=UTC)
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        self.market = market = self.histories[0].market
        self.accounts = {history.account.id: history.account for history in self.histories}
        self.store = Store(MemoryDynamoDB(schema.AGENDA_FIELDS), "records")  # type: ignore[arg-type]
        records = [entity_item(market.seller), options_item(market.seller.id, market.options)]
        records += [plan_version_item(market.seller.id, version) for version in market.versions.values()]
        records += [meter_item(meter) for meter in market.meters.values()]
        for account in self.accounts.values():
            records += [account_item(account), customer_item(account)]
        lay(self.store, records, self.now)
        self.subscriptions, self.wallets = Subscriptions(self.store, self.clock), Wallets(self.store, self.clock)
        self.usage = Usage(self.store, self.clock)
        self.billing = Billing(self.store, PlanVersions(self.store), UsageTotals(self.store), TableTax(market.table))
        self.waiting: list[UsageEvent] = []

    def clock(self) -> datetime:
        return self.now

    def begin(self, day: date) -> None:
        """It is noon of this day by UTC, and later than it was."""
        self.now = max(self.now + timedelta(seconds=1), datetime.combine(day, time(12), tzinfo=UTC))

    def learn(self, account_id: str, fact: object) -> str | None:
        """Put a fact on record; the code of the refusal where Saldo refuses it."""
        self.now += timedelta(milliseconds=1)
        try:
            self._learn(account_id, fact)
        except Refusal as refusal:
            return refusal.code
        return None

    def _learn(self, account_id: str, fact: object) -> None:
        seller_id = self.market.seller.id
        match fact:
            case Sale():
                version = self.market.versions[fact.plan_version_id]
                assert self.subscriptions.start(sold(fact, account_id, seller_id, version), CLERK)
            case Told():
                self.subscriptions.change(account_id, fact.subscription_id, fact.change, CLERK)
            case UsageEvent():
                self.waiting.append(fact)
            case Coupon():
                self.wallets.add_coupon(account_id, fact, CLERK)
            case PrepaidCredit():
                self.wallets.grant(account_id, fact, CLERK)
            case Item():
                waiting = WaitingItem(account_id, seller_id, fact, self.now.date(), "staff")
                assert self.store.write_one(add_item(Unit(f"sell {fact.id}"), waiting)) is None

    def run(self, day: date) -> Mapping[str, InvoiceBody | str | None]:
        """One run from opening to close: per account its invoice, or why it was set aside. Nothing: nothing was due."""
        self._ingest({account.account_id for account in due_accounts(self.store, self.market.seller.id, day)})
        attempt = open_run(self.store, self.clock, self.market.seller.id, day.isoformat())
        results = self._steps(attempt)
        aside = {a.account_id: f"{a.code}: {a.reason}" for a in set_aside_of(self.store, attempt)}
        drafts = [draft for result in results for draft in result.drafts]
        keys = [body_key(draft.account_id, draft.invoice_id) for draft in drafts]
        found = self.store.get_many(keys)
        bodies = [body_from_bytes(found[key]["body"]) for key in keys]
        assert len({body.account_id for body in bodies}) == len(bodies), "one invoice each: none is split"
        return {**aside, **{body.account_id: body for body in bodies}}

    def broken(self) -> list[str]:
        """Every invariant that does not hold of the records as they lie."""
        return [str(violation) for violation in check_all(self.store).violations]

    def _steps(self, attempt: Attempt) -> list[BatchResult]:
        store, run_id, number = self.store, attempt.run_id, attempt.number
        results = [bill_accounts(self.billing, run_id, number, batch) for batch in attempt.batches]
        for batch in number_invoices(store, self.clock, run_id, number):
            issue_invoices(store, self.clock, run_id, number, batch)
        reconcile_run(store, run_id, number)
        close_run(store, self.clock, run_id, number)
        return results

    def _ingest(self, account_ids: set[str]) -> None:
        """The events of these accounts that came since their last run, in one delivery."""
        events = [event for event in self.waiting if event.account_id in account_ids]
        if events:
            self.waiting = [event for event in self.waiting if event.account_id not in account_ids]
            rows = [UsageRow(n, "", _row(event)) for n, event in enumerate(events, 1)]
            report = self.usage.ingest(self.market.seller.id, rows, origin=f"delivery {self.now.isoformat()}")
            assert not report.rejected, report


def _row(event: UsageEvent) -> dict[str, str]:
    told = {
        "source": event.source,
        "id": event.id,
        "account_id": event.account_id,
        "meter": event.meter_id,
        "at": event.at.isoformat().replace("+00:00", "Z"),
        "value": str(event.value),
    }
    return told | {f"property.{name}": value for name, value in event.properties.items()}
