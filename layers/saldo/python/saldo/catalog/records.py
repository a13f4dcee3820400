"""How the catalog lies in the table (master data: PynamoDB defines the records).

`<entity>` / `product#<product>` · `<entity>` / `plan#!<plan>` (a plan's names, before the versions, so that one range
has both) · `<entity>` / `plan#<plan version>` (frozen: written once, never changed) · `<entity>` / `meter#<meter>`
"""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any  # parsed JSON is of any shape until it is read

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute

from saldo.catalog.codec import component_from_json, component_to_json
from saldo.catalog.minimum_codec import maximum_to_json, maybe_maximum, maybe_minimum, minimum_to_json
from saldo.catalog.model import BillingTrigger, DayCount, Plan, PlanVersion, Product
from saldo.kernel.periods import Unit
from saldo.kernel.reading import read
from saldo.kernel.rounding import Rounding
from saldo.storage.items import Item, Key
from saldo.storage.records import Record

PRODUCT_PREFIX = "product#"
PLAN_PREFIX = "plan#"
OFFER_PREFIX = PLAN_PREFIX + "!"
# The first that a version's key may be: behind the offers.
VERSIONS_FROM = PLAN_PREFIX + '"'
# Where the names of a plan lay that was offered before they lay with its versions.
FORMER_OFFERS = "offer#"


class ProductRecord(Record):
    names = JSONAttribute()
    trigger = UnicodeAttribute(default=BillingTrigger.ORDER.value)


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
    minimum = UnicodeAttribute(null=True)
    countries = UnicodeAttribute(null=True)
    maximum = UnicodeAttribute(null=True)
    components = JSONAttribute()


def product_item(product: Product) -> Item:
    key = product.entity_id, PRODUCT_PREFIX + product.id
    return ProductRecord(*key, names=product.names, trigger=product.trigger.value).as_item()


def product_from(item: Item) -> Product:
    record = ProductRecord.from_item(item)
    trigger = BillingTrigger(record.trigger)
    return Product(item["sk"].removeprefix(PRODUCT_PREFIX), item["pk"], record.names, trigger)


def offer_item(plan: Plan) -> Item:
    key = plan.entity_id, OFFER_PREFIX + plan.id
    return OfferRecord(*key, kind="offer", product_id=plan.product_id, names=plan.names).as_item()


def offer_from(item: Item) -> Plan:
    record = OfferRecord.from_item(item)
    plan_id = item["sk"].removeprefix(OFFER_PREFIX).removeprefix(FORMER_OFFERS)
    return Plan(plan_id, record.product_id, item["pk"], record.names)


def offer_keys(entity_id: str, plan_id: str) -> tuple[Key, Key]:
    """Where a plan's names lie, and where they may lie that were never offered anew."""
    return (entity_id, OFFER_PREFIX + plan_id), (entity_id, FORMER_OFFERS + plan_id)


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
        minimum=plan.minimum and _text(minimum_to_json(plan.minimum)),
        maximum=plan.maximum and _text(maximum_to_json(plan.maximum)),
        countries=" ".join(plan.countries) or None,
        components=[component_to_json(c) for c in plan.components],
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
        components=tuple(component_from_json(c) for c in record.components),
        effective_on=date.fromisoformat(record.effective_on),
        rounding=Rounding(record.rounding),
        day_count=DayCount(record.day_count),
        minimum=read({"minimum": _said(record.minimum)}, maybe_minimum, "the minimum cannot be read"),
        countries=tuple((record.countries or "").split()),
        maximum=read({"maximum": _said(record.maximum)}, maybe_maximum, "the maximum cannot be read"),
    )


def _text(said: str | dict[str, Any]) -> str:
    """The amount, or JSON that says more."""
    return said if isinstance(said, str) else json.dumps(said)


def _said(text: str | None) -> Any:
    return None if text is None else json.loads(text, parse_float=Decimal)
