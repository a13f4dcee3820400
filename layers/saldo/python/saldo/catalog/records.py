"""How the catalog lies in the table (master data: PynamoDB defines the records).

`<entity>` / `product#<product>` · `<entity>` / `offer#<plan>` (a plan's names) · `<entity>` / `plan#<plan version>`
(frozen: written once, never changed) · `<entity>` / `meter#<meter>`
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute

from saldo.catalog.model import (
    ChargeKind,
    Component,
    DayCount,
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
from saldo.kernel.errors import Refusal
from saldo.kernel.periods import Unit
from saldo.kernel.rounding import Rounding
from saldo.storage.items import Item, Key
from saldo.storage.records import Record

PRODUCT_PREFIX = "product#"
OFFER_PREFIX = "offer#"
PLAN_PREFIX = "plan#"


class ProductRecord(Record):
    names = JSONAttribute()


class OfferRecord(Record):
    product_id = UnicodeAttribute()
    names = JSONAttribute()


class PlanVersionRecord(Record):
    plan_id = UnicodeAttribute()
    version = NumberAttribute()
    currency = UnicodeAttribute()
    cycle_unit = UnicodeAttribute()
    cycle_count = NumberAttribute()
    effective_on = UnicodeAttribute()
    rounding = UnicodeAttribute()
    day_count = UnicodeAttribute()
    components = JSONAttribute()


def product_item(product: Product) -> Item:
    return ProductRecord(product.entity_id, PRODUCT_PREFIX + product.id, names=product.names).as_item()


def product_from(item: Item) -> Product:
    record = ProductRecord.from_item(item)
    return Product(item["sk"].removeprefix(PRODUCT_PREFIX), item["pk"], record.names)


def offer_item(plan: Plan) -> Item:
    return OfferRecord(plan.entity_id, OFFER_PREFIX + plan.id, product_id=plan.product_id, names=plan.names).as_item()


def offer_from(item: Item) -> Plan:
    record = OfferRecord.from_item(item)
    return Plan(item["sk"].removeprefix(OFFER_PREFIX), record.product_id, item["pk"], record.names)


def plan_version_key(entity_id: str, plan_version_id: str) -> Key:
    return entity_id, PLAN_PREFIX + plan_version_id


def plan_version_item(entity_id: str, plan: PlanVersion) -> Item:
    """The frozen version: insert it, never put it."""
    pk, sk = plan_version_key(entity_id, plan.id)
    return PlanVersionRecord(
        pk,
        sk,
        plan_id=plan.plan_id,
        version=plan.version,
        currency=plan.currency,
        cycle_unit=plan.cycle_unit.value,
        cycle_count=plan.cycle_count,
        effective_on=plan.effective_on.isoformat(),
        rounding=plan.rounding.value,
        day_count=plan.day_count.value,
        components=[_component_fields(c) for c in plan.components],
    ).as_item()


def plan_version_from(item: Item) -> PlanVersion:
    record = PlanVersionRecord.from_item(item)
    return PlanVersion(
        id=item["sk"].removeprefix(PLAN_PREFIX),
        plan_id=record.plan_id,
        version=int(record.version),
        currency=record.currency,
        cycle_unit=Unit(record.cycle_unit),
        cycle_count=int(record.cycle_count),
        components=tuple(_component_from(c) for c in record.components),
        effective_on=date.fromisoformat(record.effective_on),
        rounding=Rounding(record.rounding),
        day_count=DayCount(record.day_count),
    )


def _component_fields(component: Component) -> dict[str, Any]:
    """One component as JSON values; decimals are texts, so that no digit is lost."""
    return {
        "id": component.id,
        "kind": component.kind.value,
        "names": component.names,
        "price": price_fields(component.price),
        "timing": component.timing.value,
        "tax_category": component.tax_category,
        "revenue_tag": component.revenue_tag,
        "meter_id": component.meter_id,
        "unit_names": component.unit_names,
        "prorate": component.prorate,
    }


def _component_from(fields: dict[str, Any]) -> Component:
    read = {
        **fields,
        "kind": ChargeKind(fields["kind"]),
        "price": price_from(fields["price"]),
        "timing": Timing(fields["timing"]),
    }
    return Component(**read)


def price_fields(price: PriceModel) -> dict[str, Any]:
    """A price model as JSON values, named by its kind."""
    if isinstance(price, Graduated | Volume):
        return {"kind": price.kind, "tiers": [_tier_fields(t) for t in price.tiers], "flat_at_zero": price.flat_at_zero}
    fields = {name: str(getattr(price, name)) for name in price.__dataclass_fields__ if name != "kind"}
    return {"kind": price.kind, **fields}


def price_from(fields: dict[str, Any]) -> PriceModel:
    """The price model of these fields; Refusal `unknown_price_model` for a kind this release does not know."""
    kind = fields["kind"]
    if kind in (Graduated.kind, Volume.kind):
        tiers = tuple(_tier_from(t) for t in fields["tiers"])
        return (Graduated if kind == Graduated.kind else Volume)(tiers, fields["flat_at_zero"])
    if kind == Flat.kind:
        return Flat(Decimal(fields["amount"]))
    if kind == PerUnit.kind:
        return PerUnit(Decimal(fields["unit_price"]))
    if kind == Package.kind:
        return Package(Decimal(fields["size"]), Decimal(fields["price"]), Decimal(fields["free_units"]))
    raise Refusal("unknown_price_model", f"a price of kind {kind!r} cannot be read")


def _tier_fields(tier: Tier) -> dict[str, str | None]:
    up_to = None if tier.up_to is None else str(tier.up_to)
    return {"up_to": up_to, "unit_price": str(tier.unit_price), "flat": str(tier.flat)}


def _tier_from(fields: dict[str, str | None]) -> Tier:
    up_to = fields["up_to"]
    return Tier(
        None if up_to is None else Decimal(up_to), Decimal(fields["unit_price"] or 0), Decimal(fields["flat"] or 0)
    )
