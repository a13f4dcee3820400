"""What workflows begin with: a seller, some customers with what they bought, a month that was billed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from functions.services import work_files
from saldo.accounts.model import Account, Address, BillingProfile, Organisation, TaxStatus
from saldo.accounts.model_payment_terms import PaymentTerms
from saldo.accounts.service import Accounts
from saldo.audit.model import Actor
from saldo.catalog.model import PlanVersion
from saldo.catalog.service import Catalog
from saldo.payments.model import Allocation, Payment
from saldo.payments.service import Payments
from saldo.subscriptions.model import Alignment
from saldo.subscriptions.rules import subscribe
from saldo.subscriptions.service import Subscriptions
from saldo.usage.ingest_rows import UsageRow
from saldo.usage.service import Usage
from tests.permissions.gate import acting
from tests.simulation.region import Region
from tests.simulation.workflows import FAILURES, invoke
from tests.simulation.world import ADDS_UP, ENTITY, METER, PLAN, PRODUCT, SAVES, VERSION

CLERK = Actor("user_eu_clerk", "staff")
JAN, FEB, MAR = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)
BERLIN = Address(("Hafenstraße 7",), "10115", "Berlin", "DE")


def account_id(n: int) -> str:
    return f"acct_eu_{n:06d}"


def subscription_id(n: int) -> str:
    return f"sub_{n:06d}"


def customer(n: int) -> Account:
    return Account(
        id=account_id(n),
        organisation_id=f"org_eu_{n:06d}",
        entity_id=ENTITY.id,
        name=f"Customer {n}",
        currency="EUR",
        time_zone="Europe/Berlin",
        country="DE",
        tax_region="",
        tax_status=TaxStatus.BUSINESS,
        has_tax_id=True,
        language="en",
        payment_terms=PaymentTerms(30),
        profile_version=1,
        deliver_by_email=True,
    )


def profile(n: int) -> BillingProfile:
    emails = (f"ap{n}@customer.example",)
    return BillingProfile(account_id(n), 1, f"Customer {n} GmbH", "Rieke Harms", BERLIN, "DE111111125", emails, "")


def accounts(region: Region) -> Accounts:
    return Accounts(region.store, region.sealer(), region.clock)


def offer(region: Region) -> None:
    """The seller, and what it sells."""
    accounts(region).register_entity(ENTITY, CLERK)
    catalog = Catalog(region.store, region.clock)
    catalog.offer_product(PRODUCT, CLERK)
    catalog.offer_plan(PLAN, CLERK)
    catalog.publish(ENTITY.id, VERSION, CLERK)
    Usage(region.store, region.clock).define_meter(METER, CLERK)


def open_account(region: Region, n: int) -> None:
    one = customer(n)
    accounts(region).register_organisation(Organisation(one.organisation_id, one.name, "DE"), CLERK)
    accounts(region).open_account(one, profile(n), CLERK)


def offer_cycles(region: Region) -> None:
    """Plans whose usage is charged by that of the months before."""
    catalog = Catalog(region.store, region.clock)
    for version in (ADDS_UP, SAVES):
        catalog.offer_plan(replace(PLAN, id=version.plan_id), CLERK)
        catalog.publish(ENTITY.id, version, CLERK)


def sell(region: Region, n: int, *, started_on: date = JAN, version: PlanVersion = VERSION) -> None:
    sold = subscribe(
        subscription_id(n),
        account_id=account_id(n),
        entity_id=ENTITY.id,
        plan_version=version,
        started_on=started_on,
        alignment=Alignment.CALENDAR,
        quantities={"seats": Decimal(1 + n % 9)},
    )
    Subscriptions(region.store, region.clock).start(sold, CLERK)


def founded(region: Region, customers: int = 3) -> None:
    offer(region)
    for n in range(customers):
        open_account(region, n)
        sell(region, n)


def founded_empty(region: Region) -> None:
    """Before anything is on record."""


def until(region: Region, on: date, hour: int = 4) -> None:
    region.now = max(region.now, datetime(on.year, on.month, on.day, hour, tzinfo=UTC))


def bill(region: Region, as_of: date, *, alone: bool = False) -> None:
    """One execution of the run's state machine. alone: a step that fails is repeated by itself, as its retries do."""
    until(region, as_of)

    def step(function: str, event: dict[str, Any]) -> Any:
        if not alone:
            return invoke(function, event)
        try:
            return invoke(function, event)
        except FAILURES:
            region.restart()
            return invoke(function, event)

    opened = step("invoice_run.open_run", {"entity_id": ENTITY.id, "as_of": as_of.isoformat()})
    run = {"run_id": opened["run_id"], "attempt": opened["attempt"]}
    for batch in batches(opened):
        step("invoice_run.bill_accounts", run | {"batch": batch})
    for batch in batches(step("invoice_run.number_invoices", run)):
        step("invoice_run.issue_invoices", run | {"batch": batch})
    step("invoice_run.reconcile_run", run)
    step("invoice_run.close_run", run)


def batches(told: dict[str, Any]) -> list[str]:
    """As the workflow's map reads their list, under its own role."""
    count, key = told["batches"]["count"], told["batches"]["key"]
    with acting(""):
        names = [item["batch"] for item in json.loads(work_files().get(key))] if count else []
    assert len(names) == count
    return names


def billed(region: Region) -> None:
    """January is billed."""
    founded(region)
    bill(region, JAN)


def use(region: Region, n: int, event_id: str, at: datetime, value: int) -> None:
    region.now = max(region.now, at)
    row = UsageRow(
        1,
        "",
        {
            "source": "test",
            "id": event_id,
            "account_id": account_id(n),
            "meter": METER.id,
            "at": at.isoformat(),
            "value": str(value),
        },
    )
    assert not Usage(region.store, region.clock).ingest(ENTITY.id, [row], origin=event_id).rejected


def open_invoices(region: Region, n: int) -> list[tuple[str, int]]:
    """Invoices of a customer that are to be paid: id, open balance."""
    items = region.store.query_all(account_id(n), prefix="invoice#", consistent=True)
    return [(i["invoice_id"], i["open_minor"]) for i in items if i["status"] != "draft" and i["open_minor"] > 0]


def payments(region: Region) -> Payments:
    return Payments(region.store, region.gateway, region.clock)


def pay(region: Region, n: int, key: str, less: int = 0) -> Payment:
    """Start to pay all that a customer owes, but for so much of each invoice."""
    wanted = [Allocation(invoice_id, minor - less) for invoice_id, minor in open_invoices(region, n)]
    why = "as agreed" if less else ""
    return payments(region).start(account_id(n), wanted, CLERK, key, "http://localhost/{payment_id}", why)


def news(region: Region, *, after: timedelta = timedelta(0)) -> list[str]:
    """What the gateway tells until then, as webhook bodies, in its order; it tells each once."""
    region.now += after
    with region.undisturbed():
        region.book.let_time_pass(region.now)
        due = region.book.due_deliveries(region.now, 500)
        for delivery in due:
            region.book.delivered(delivery, region.now, None)
    return [delivery.body.decode() for delivery in due]
