"""Sellers, customers and plans that the tests of several rooms use."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from saldo.accounts.model import Account, Address, BillingProfile, LegalEntity, Organisation, TaxStatus
from saldo.accounts.model_payment_terms import PaymentTerms
from saldo.accounts.service import Accounts
from saldo.audit.model import Actor
from saldo.catalog.model import (
    ChargeKind,
    Component,
    Flat,
    Graduated,
    Package,
    PerUnit,
    Plan,
    PlanVersion,
    Product,
    Tier,
    Timing,
    Volume,
)
from saldo.catalog.service import Catalog
from saldo.kernel.clock import Clock
from saldo.kernel.periods import Unit
from saldo.storage.sealing import Sealer
from saldo.storage.store import Store

ENTITY = "ent_eu_seller"
ORGANISATION = "org_eu_customer"
ACCOUNT = "acct_eu_customer"
CLERK = Actor("user_eu_clerk", "staff")


def address(country: str = "DE") -> Address:
    return Address(("Lindenallee 4",), "10115", "Berlin", country)


def entity(entity_id: str = ENTITY, **changes: object) -> LegalEntity:
    fields: dict[str, object] = {
        "id": entity_id,
        "name": "Rechenwerk GmbH",
        "country": "DE",
        "region": "",
        "time_zone": "Europe/Berlin",
        "currency": "EUR",
        "number_prefix": "RW",
        "tax_registrations": {"DE": "DE123456789"},
        "address": address(),
        "bank_name": "Spreebank",
        "iban": "DE02120300000000202051",
        "bic": "BYLADEM1001",
        "email": "billing@rechenwerk.example",
    }
    return LegalEntity(**(fields | changes))  # type: ignore[arg-type]  # fields of several types by name


def account(account_id: str = ACCOUNT, **changes: object) -> Account:
    fields: dict[str, object] = {
        "id": account_id,
        "organisation_id": ORGANISATION,
        "entity_id": ENTITY,
        "name": "Kontor Nord",
        "currency": "EUR",
        "time_zone": "Europe/Berlin",
        "country": "DE",
        "tax_region": "",
        "tax_status": TaxStatus.BUSINESS,
        "has_tax_id": True,
        "language": "de",
        "payment_terms": PaymentTerms(14),
        "profile_version": 1,
        "deliver_by_email": True,
    }
    return Account(**(fields | changes))  # type: ignore[arg-type]  # fields of several types by name


def profile(account_id: str = ACCOUNT) -> BillingProfile:
    return BillingProfile(
        account_id, 1, "Kontor Nord GmbH", "Rieke Harms", address(), "DE111111125", ("ap@kontor.example",), ""
    )


def register(store: Store, sealer: Sealer, clock: Clock, *accounts: Account) -> Accounts:
    """The seller, and these accounts (one by default) with their organisation."""
    service = Accounts(store, sealer, clock)
    service.register_entity(entity(), CLERK)
    service.register_organisation(Organisation(ORGANISATION, "Kontor Nord", "DE"), CLERK)
    for one in accounts or (account(),):
        service.open_account(one, profile(one.id), CLERK)
    return service


def plan_version(**changes: object) -> PlanVersion:
    """A plan with one component of each price model."""
    tiers = (Tier(Decimal(100), Decimal("0.10"), Decimal(1)), Tier(None, Decimal("0.05")))
    prices = (Flat(Decimal(49)), PerUnit(Decimal("7.5")), Graduated(tiers), Volume(tiers, True))
    components = [
        Component(
            id=price.kind,
            kind=ChargeKind.FIXED,
            names={"en": price.kind, "de": price.kind},
            price=price,
            timing=Timing.ADVANCE,
            tax_category="standard",
            revenue_tag=price.kind,
        )
        for price in (*prices, Package(Decimal(1000), Decimal(3), Decimal(500)))
    ]
    calls = Component(
        id="calls",
        kind=ChargeKind.USAGE,
        names={"en": "Calls"},
        price=Graduated(tiers),
        timing=Timing.ARREARS,
        tax_category="standard",
        revenue_tag="calls",
        meter_id="calls",
        unit_names={"en": "calls"},
    )
    fields: dict[str, object] = {
        "id": "plan_team_v1",
        "plan_id": "plan_team",
        "version": 1,
        "currency": "EUR",
        "cycle_unit": Unit.MONTH,
        "cycle_count": 1,
        "components": (*components, calls),
        "effective_on": date(2026, 1, 1),
    }
    return PlanVersion(**(fields | changes))  # type: ignore[arg-type]  # fields of several types by name


def offer(store: Store, clock: Clock, *versions: PlanVersion) -> Catalog:
    catalog = Catalog(store, clock)
    catalog.offer_product(Product("prod_team", ENTITY, {"en": "Team"}), CLERK)
    catalog.offer_plan(Plan("plan_team", "prod_team", ENTITY, {"en": "Team monthly"}), CLERK)
    for version in versions or (plan_version(),):
        catalog.publish(ENTITY, version, CLERK)
    return catalog
