"""A small seller, its customer and a plan with every kind of charge, for tests of the pure engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal

from saldo.accounts.model import Account, Address, LegalEntity, TaxStatus
from saldo.accounts.model_payment_terms import PaymentTerms
from saldo.catalog.model import ChargeKind, Component, Flat, Graduated, PerUnit, PlanVersion, PriceModel, Tier, Timing
from saldo.invoicing.model import BillingCase
from saldo.invoicing.rules import due_of, usage_needed
from saldo.kernel.periods import Unit
from saldo.subscriptions.model import Subscription
from saldo.subscriptions.rules import subscribe
from saldo.tax.table import TableTax, shipped_table

ADVANCE, ARREARS = Timing.ADVANCE, Timing.ARREARS
TAX = TableTax(shipped_table())

SELLER = LegalEntity(
    id="ent_eu_seller",
    name="Seller GmbH",
    country="DE",
    region="",
    time_zone="Europe/Berlin",
    currency="EUR",
    number_prefix="SG",
    tax_registrations={"DE": "DE123456789", "EU": "DE123456789"},
    address=Address(("Street 1",), "10115", "Berlin", "DE"),
    bank_name="Bank",
    iban="DE00",
    bic="BANKDEFF",
    email="billing@seller.example",
)

BUYER = Account(
    id="acct_eu_buyer",
    organisation_id="org_eu_buyer",
    entity_id=SELLER.id,
    name="Buyer",
    currency="EUR",
    time_zone="Europe/Berlin",
    country="DE",
    tax_region="",
    tax_status=TaxStatus.BUSINESS,
    has_tax_id=True,
    language="de",
    payment_terms=PaymentTerms(30),
    profile_version=3,
    deliver_by_email=True,
)

TIERS = (
    Tier(Decimal(1000), Decimal("0.01")),
    Tier(Decimal(10000), Decimal("0.008")),
    Tier(None, Decimal("0.005")),
)


def component(
    component_id: str, price: PriceModel, kind: ChargeKind = ChargeKind.FIXED, timing: Timing = ADVANCE, meter: str = ""
) -> Component:
    return Component(component_id, kind, {"en": component_id}, price, timing, "standard", f"rev_{component_id}", meter)


def plan(*components: Component, unit: Unit = Unit.MONTH, count: int = 1, currency: str = "EUR") -> PlanVersion:
    return PlanVersion("plv_1", "plan_1", 1, currency, unit, count, components, date(2020, 1, 1))


BASE = component("base", Flat(Decimal("49.90")))
SEATS = component("seats", PerUnit(Decimal("12.50")))
SETUP = component("setup", Flat(Decimal(99)), ChargeKind.ONE_TIME)
TOKENS = component("tokens", Graduated(TIERS), ChargeKind.USAGE, ARREARS, "tokens")
FULL = plan(BASE, SEATS, SETUP, TOKENS)


def sold(plan_version: PlanVersion, started_on: date, subscription_id: str = "sub_1", **more: object) -> Subscription:
    return subscribe(
        subscription_id,
        account_id=BUYER.id,
        entity_id=SELLER.id,
        plan_version=plan_version,
        started_on=started_on,
        **more,  # type: ignore[arg-type]  # tests name what subscribe names
    )


def case_of(
    plan_version: PlanVersion,
    *subscriptions: Subscription,
    as_of: date,
    used: Mapping[str, Decimal] | None = None,
    account: Account = BUYER,
    seller: LegalEntity = SELLER,
) -> BillingCase:
    """A case with totals by meter (0 for those not named), the same for each period."""
    due = tuple(due_of(replace(s, account_id=account.id), plan_version, as_of) for s in subscriptions)
    totals = {key: (used or {}).get(key.meter_id, Decimal(0)) for key in usage_needed(due)}
    return BillingCase(account, seller, due, totals, as_of)
