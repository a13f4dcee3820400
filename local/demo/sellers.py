"""What Lumen is and what it sells: a service that reads documents, from Berlin in euros, from New York in dollars."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from saldo.accounts.model import Address, LegalEntity
from saldo.catalog.model import (
    ChargeKind,
    Component,
    Flat,
    Graduated,
    Package,
    PerUnit,
    Plan,
    PlanVersion,
    PriceModel,
    Product,
    Tier,
    Timing,
    Volume,
)
from saldo.kernel.periods import Unit
from saldo.usage.model import Aggregation, Meter

GMBH = LegalEntity(
    id="ent_eu_lumen",
    name="Lumen Dokumente GmbH",
    country="DE",
    region="",
    time_zone="Europe/Berlin",
    currency="EUR",
    number_prefix="LD",
    tax_registrations={"DE": "DE309218756", "EU": "EU372001844"},
    address=Address(("Schlesische Straße 29",), "10997", "Berlin", "DE"),
    bank_name="Spree Kreditbank",
    iban="DE89370400440532013000",
    bic="COBADEFFXXX",
    email="rechnung@lumen.example",
)
INC = LegalEntity(
    id="ent_us_lumen",
    name="Lumen Documents Inc.",
    country="US",
    region="NY",
    time_zone="America/New_York",
    currency="USD",
    number_prefix="LI",
    tax_registrations={"US-NY": "11-4087729", "US-TX": "32-0911847", "US-CA": "102-338471"},
    address=Address(("68 Jay Street", "Suite 410"), "11201", "Brooklyn", "US", "NY"),
    bank_name="East River National",
    iban="021000021 / 483920175",
    bic="ERNVUS33",
    email="billing@lumen.example",
)


@dataclass(frozen=True, slots=True)
class Offer:
    """Everything one entity sells."""

    entity: LegalEntity
    product: Product
    meters: tuple[Meter, ...]
    plans: tuple[Plan, ...]
    versions: tuple[PlanVersion, ...]


def offer_of(entity: LegalEntity, since: date) -> Offer:
    """Products, plans and prices of an entity; Team became dearer two months after `since`, for new customers."""
    region = entity.id.split("_")[1]
    product = Product(f"prod_{region}_lumen", entity.id, {"en": "Lumen", "de": "Lumen"})
    names = {
        "starter": {"en": "Starter, monthly", "de": "Starter, monatlich"},
        "team": {"en": "Team, monthly", "de": "Team, monatlich"},
        "scale": {"en": "Scale, quarterly", "de": "Scale, vierteljährlich"},
        "annual": {"en": "Archive, yearly", "de": "Archiv, jährlich"},
    }
    plans = tuple(Plan(f"plan_{region}_{key}", product.id, entity.id, name) for key, name in names.items())
    versions = (
        _version(entity, "starter", 1, Unit.MONTH, since, (_base("29"), _pages(_graduated()))),
        _version(entity, "team", 1, Unit.MONTH, since, (_base("99"), _seats("12"), _pages(_volume()), _exports())),
        _version(entity, "team", 2, Unit.MONTH, since, (_base("109"), _seats("14"), _pages(_volume()), _exports())),
        _version(entity, "scale", 1, Unit.QUARTER, since, (_onboarding(), _base("1450"), _calls())),
        _version(entity, "annual", 1, Unit.YEAR, since, (_base("4800"), _seats("96"))),
    )
    return Offer(entity, product, _meters(entity), plans, versions)


def _meters(entity: LegalEntity) -> tuple[Meter, ...]:
    return (
        Meter("pages", entity.id, Aggregation.SUM, {"en": "Pages read", "de": "Gelesene Seiten"}, _PAGES),
        Meter("exports", entity.id, Aggregation.COUNT, {"en": "Exports", "de": "Exporte"}, _EXPORTS),
        Meter("calls", entity.id, Aggregation.SUM, {"en": "API calls", "de": "API-Aufrufe"}, _CALLS),
    )


_PAGES = {"en": "pages", "de": "Seiten"}
_EXPORTS = {"en": "exports", "de": "Exporte"}
_CALLS = {"en": "calls", "de": "Aufrufe"}
_SEATS = {"en": "seats", "de": "Plätze"}


def _version(
    entity: LegalEntity, plan: str, number: int, cycle: Unit, since: date, components: tuple[Component, ...]
) -> PlanVersion:
    region = entity.id.split("_")[1]
    return PlanVersion(
        id=f"plan_{region}_{plan}_v{number}",
        plan_id=f"plan_{region}_{plan}",
        version=number,
        currency=entity.currency,
        cycle_unit=cycle,
        cycle_count=1,
        components=components,
        effective_on=since,
    )


def _component(
    id_: str,
    kind: ChargeKind,
    names: dict[str, str],
    price: PriceModel,
    *,
    meter_id: str = "",
    unit_names: dict[str, str] | None = None,
) -> Component:
    timing = Timing.ARREARS if kind is ChargeKind.USAGE else Timing.ADVANCE
    return Component(id_, kind, names, price, timing, "digital_service", id_, meter_id, unit_names or {})


def _base(amount: str) -> Component:
    return _component("base", ChargeKind.FIXED, {"en": "Base fee", "de": "Grundgebühr"}, Flat(Decimal(amount)))


def _onboarding() -> Component:
    names = {"en": "Onboarding", "de": "Einrichtung"}
    return _component("onboarding", ChargeKind.ONE_TIME, names, Flat(Decimal(750)))


def _seats(price: str) -> Component:
    names = {"en": "Seats", "de": "Arbeitsplätze"}
    return _component("seats", ChargeKind.FIXED, names, PerUnit(Decimal(price)), unit_names=_SEATS)


def _pages(price: PriceModel) -> Component:
    names = {"en": "Pages read", "de": "Gelesene Seiten"}
    return _component("pages", ChargeKind.USAGE, names, price, meter_id="pages", unit_names=_PAGES)


def _exports() -> Component:
    names = {"en": "Exports", "de": "Exporte"}
    price = PerUnit(Decimal("0.35"))
    return _component("exports", ChargeKind.USAGE, names, price, meter_id="exports", unit_names=_EXPORTS)


def _calls() -> Component:
    names = {"en": "API calls", "de": "API-Aufrufe"}
    price = Package(size=Decimal(1000), price=Decimal("0.40"), free_units=Decimal(10_000))
    return _component("calls", ChargeKind.USAGE, names, price, meter_id="calls", unit_names=_CALLS)


def _graduated() -> Graduated:
    tiers = (
        Tier(Decimal(500), Decimal(0)),
        Tier(Decimal(2000), Decimal("0.024")),
        Tier(None, Decimal("0.0175")),
    )
    return Graduated(tiers)


def _volume() -> Volume:
    tiers = (
        Tier(Decimal(5000), Decimal("0.018")),
        Tier(Decimal(20_000), Decimal("0.0115")),
        Tier(None, Decimal("0.0072")),
    )
    return Volume(tiers)
