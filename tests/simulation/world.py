"""A seller with any number of customers on an in-memory table, and its run driven as the state machine drives it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from saldo.accounts.model import Account, Address, LegalEntity, TaxStatus
from saldo.accounts.model_payment_terms import PaymentTerms
from saldo.accounts.records import account_item, customer_item, entity_item
from saldo.catalog.model import (
    ChargeKind,
    Component,
    Flat,
    Graduated,
    Included,
    PerUnit,
    Plan,
    PlanVersion,
    PriceModel,
    Product,
    Rollover,
    Tier,
    Timing,
)
from saldo.catalog.records import plan_version_item
from saldo.invoicing.run.bill import Billing, bill_accounts
from saldo.invoicing.run.close import close_run, reconcile_run
from saldo.invoicing.run.issue import issue_invoices
from saldo.invoicing.run.model import Attempt
from saldo.invoicing.run.number import number_invoices
from saldo.invoicing.run.open import open_run
from saldo.kernel.periods import Length
from saldo.kernel.periods import Unit as CycleUnit
from saldo.storage import schema
from saldo.storage.items import Item
from saldo.storage.store import Store
from saldo.subscriptions.model import Alignment
from saldo.subscriptions.records import subscription_item
from saldo.subscriptions.rules import subscribe
from saldo.usage.ingest_rows import UsageRow
from saldo.usage.model import Aggregation, Meter
from saldo.usage.records import meter_item
from saldo.usage.service import Usage
from tests.founding import lay
from tests.simulation.dynamodb import MemoryDynamoDB

ENTITY = LegalEntity(
    id="ent_eu_seller",
    name="Rheinwerk Software GmbH",
    country="DE",
    region="",
    time_zone="Europe/Berlin",
    currency="EUR",
    number_prefix="RW",
    tax_registrations={"DE": "DE136695976", "EU": "EU276000123"},
    address=Address(("Hafenstraße 7",), "50667", "Köln", "DE"),
    bank_name="Rheinbank",
    iban="DE89370400440532013000",
    bic="COBADEFFXXX",
    email="billing@rheinwerk.example",
)
METER = Meter("tokens", ENTITY.id, Aggregation.SUM, {"en": "Tokens"}, {"en": "token"})
PRODUCT = Product("product_core", ENTITY.id, {"en": "Core"})
PLAN = Plan("plan_core", PRODUCT.id, ENTITY.id, {"en": "Core"})
VERSION = PlanVersion(
    id="core_v1",
    plan_id=PLAN.id,
    version=1,
    currency="EUR",
    cycle_unit=CycleUnit.MONTH,
    cycle_count=1,
    effective_on=date(2025, 1, 1),
    components=(
        Component(
            "base", ChargeKind.FIXED, {"en": "Base fee"}, Flat(Decimal(49)), Timing.ADVANCE, "digital_service", "base"
        ),
        Component(
            "seats",
            ChargeKind.FIXED,
            {"en": "Seats"},
            PerUnit(Decimal("7.5")),
            Timing.ADVANCE,
            "digital_service",
            "seats",
        ),
        Component(
            "tokens",
            ChargeKind.USAGE,
            {"en": "Tokens"},
            Graduated((Tier(Decimal(1000), Decimal("0.02")), Tier(None, Decimal("0.015")))),
            Timing.ARREARS,
            "digital_service",
            "usage",
            meter_id=METER.id,
            unit_names={"en": "token"},
        ),
    ),
)


def going_on(version_id: str, price: PriceModel, cumulates: Length | None = None) -> PlanVersion:
    """The same with usage that a month is charged for by those before it."""
    *others, tokens = VERSION.components
    plan = f"plan_{version_id.partition('_')[0]}"
    goes_on = replace(tokens, price=price, cumulates=cumulates)
    return replace(VERSION, id=version_id, plan_id=plan, components=(*others, goes_on))


# Tiers for three months together, and an allowance of which what is left goes on for two.
ADDS_UP = going_on("quarterly_v1", VERSION.components[2].price, Length(CycleUnit.MONTH, 3))
SAVES = going_on("saving_v1", Included(Decimal(700), PerUnit(Decimal("0.015")), Rollover(2, Decimal(900))))


@dataclass
class World:
    """One region and one seller. `now` is the time everything believes in."""

    client: MemoryDynamoDB = field(default_factory=lambda: MemoryDynamoDB(schema.AGENDA_FIELDS))
    now: datetime = datetime(2026, 1, 1, 8, tzinfo=UTC)
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        self.store = Store(self.client, "records")  # type: ignore[arg-type]

    def clock(self) -> datetime:
        return self.now

    def billing(self) -> Billing:
        """Made anew, as a fresh process would: nothing is remembered from before a crash."""
        return Billing.by_table(self.store)

    def found(self, accounts: int, *, started_on: date = date(2025, 12, 1)) -> list[str]:
        """Put the seller and this many customers on record, each with one subscription; their ids."""
        self.lay(founding_items(accounts, started_on))
        return [account_id_of(i) for i in range(accounts)]

    def lay(self, items: Iterable[Item]) -> None:
        """Put records there as they are, as if use cases had made them."""
        lay(self.store, items, self.now)

    def use(self, account_id: str, on: date, value: int, event_id: str) -> None:
        fields = {
            "source": "test",
            "id": event_id,
            "account_id": account_id,
            "meter": METER.id,
            "at": f"{on.isoformat()}T12:00:00Z",
            "value": str(value),
        }
        self.now = max(self.now, datetime(on.year, on.month, on.day, 13, tzinfo=UTC))
        usage = Usage(self.store, self.clock)
        report = usage.ingest(ENTITY.id, [UsageRow(1, "", fields)], origin=event_id)
        assert not report.rejected, report

    def run(self, as_of: date, repeat: Callable[[Callable[[], object]], object] | None = None) -> Attempt:
        """One execution, step by step; `repeat` runs each step as often as it likes (crashing it, say)."""
        self.now = max(self.now, datetime(as_of.year, as_of.month, as_of.day, 4, tzinfo=UTC))
        step = repeat or (lambda act: act())
        attempt = step(lambda: open_run(self.store, self.clock, ENTITY.id, as_of.isoformat()))
        assert isinstance(attempt, Attempt)
        run_id, number = attempt.run_id, attempt.number
        for batch in attempt.batches:
            step(lambda batch=batch: bill_accounts(self.billing(), run_id, number, batch))  # type: ignore[misc]
        batches = step(lambda: number_invoices(self.store, self.clock, run_id, number))
        assert isinstance(batches, list)
        for batch in batches:
            step(lambda batch=batch: issue_invoices(self.store, self.clock, run_id, number, batch))  # type: ignore[misc]
        step(lambda: reconcile_run(self.store, run_id, number))
        closed = step(lambda: close_run(self.store, self.clock, run_id, number))
        assert isinstance(closed, Attempt)
        return closed

    def advance(self, days: int) -> None:
        self.now += timedelta(days=days)


def account_id_of(i: int) -> str:
    return f"acct_eu_{i:06d}"


def founding_items(accounts: int, started_on: date) -> Iterator[Item]:
    """Records of the seller and this many customers, each with one subscription that begins on `started_on`."""
    yield from (entity_item(ENTITY), meter_item(METER), plan_version_item(ENTITY.id, VERSION))
    for i in range(accounts):
        account = _account(account_id_of(i))
        subscription = subscribe(
            f"sub_{i:06d}",
            account_id=account.id,
            entity_id=ENTITY.id,
            plan_version=VERSION,
            started_on=started_on,
            alignment=Alignment.CALENDAR,
            quantities={"seats": Decimal(1 + i % 9)},
        )
        yield from (account_item(account), customer_item(account), subscription_item(subscription))


def _account(account_id: str) -> Account:
    return Account(
        id=account_id,
        organisation_id=account_id.replace("acct", "org"),
        entity_id=ENTITY.id,
        name=f"Customer {account_id[-4:]}",
        currency="EUR",
        time_zone="Europe/Berlin",
        country="DE",
        tax_region="",
        tax_status=TaxStatus.BUSINESS,
        has_tax_id=True,
        language="en",
        payment_terms=PaymentTerms(30),
        profile_version=1,
        deliver_by_email=False,
    )
