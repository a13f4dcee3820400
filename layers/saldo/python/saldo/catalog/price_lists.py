"""A seller's whole price list in one document: what it would change, and putting it on record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from saldo.audit.model import Actor
from saldo.catalog.codec import plan_version_from
from saldo.catalog.model import BillingTrigger, Plan, PlanVersion, Product
from saldo.catalog.rules import problems_of
from saldo.catalog.service import Catalog
from saldo.kernel.errors import Problems
from saldo.kernel.reading import Fields


@dataclass(frozen=True, slots=True)
class PriceList:
    """What a seller offers, in the order in which it is put on record."""

    entity_id: str
    products: tuple[Product, ...]
    plans: tuple[Plan, ...]
    versions: tuple[PlanVersion, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """What becomes of one thing of a list: `state` new, changed (names) or unchanged."""

    kind: str
    id: str
    state: str


def price_list_from(fields: Fields, entity_id: str, currency: str) -> PriceList:
    """{"products"?: [{"id", "names"?, "trigger"?, "plans"?: [{"id", "names"?}]}], "plans"?: [plan versions as a quote
    has them]}. currency: of versions that name none. Adds every problem to the fields'."""
    products, plans = [], []
    for child in fields.maybe_children("products"):
        product_id = child.text("id")
        trigger = child.choice("trigger", BillingTrigger, BillingTrigger.ORDER)
        products.append(Product(product_id, entity_id, child.texts("names") or {"en": product_id}, trigger))
        for plan in child.maybe_children("plans"):
            plan_id = plan.text("id")
            plans.append(Plan(plan_id, product_id, entity_id, plan.texts("names") or {"en": plan_id}))
            plan.finish()
        child.finish()
    versions = []
    for child in fields.maybe_children("plans"):
        before = len(fields.problems.found)
        versions.append(plan_version_from(child, currency))
        if len(fields.problems.found) == before:
            fields.problems.extend(problems_of(versions[-1]), child.path)
    for what, ids in (("products", [p.id for p in products]), ("plans", [v.id for v in versions])):
        for i, one in enumerate(ids):
            if one in ids[:i]:
                fields.problems.add(f"{what}[{i}].id", "not_unique", f"{one!r} is there twice")
    return PriceList(entity_id, tuple(products), tuple(plans), tuple(versions))


class PriceLists:
    """Puts price lists on record: nothing of one with a problem; doing it again changes nothing."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def look(self, wanted: PriceList) -> list[Entry]:
        """What `put` would change. Raises Refusal `invalid_price_list` naming every entry that cannot be."""
        there = self._there(wanted.entity_id)
        self._check(wanted, there)
        entries: list[tuple[str, str, object]] = [("product", p.id, p) for p in wanted.products]
        entries += [("plan", p.id, p) for p in wanted.plans]
        entries += [("version", v.id, v) for v in wanted.versions]
        return [Entry(kind, i, _state(there.get((kind, i)), one)) for kind, i, one in entries]

    def put(self, wanted: PriceList, actor: Actor) -> list[Entry]:
        """Offer the products and plans and publish the versions; what was new or changed. Refusals as `look`.

        Products come before their plans and these before their versions, each in a unit of its own: who is interrupted
        puts the same list again.
        """
        entries = self.look(wanted)
        for product in wanted.products:
            self._catalog.offer_product(product, actor)
        for plan in wanted.plans:
            self._catalog.offer_plan(plan, actor)
        for version in wanted.versions:
            self._catalog.publish(wanted.entity_id, version, actor)
        return entries

    def _there(self, entity_id: str) -> Mapping[tuple[str, str], Any]:
        found: dict[tuple[str, str], Any] = {("product", p.id): p for p in self._catalog.products_of(entity_id)}
        found |= {("plan", p.id): p for p in self._catalog.plans_of(entity_id)}
        return found | {("version", v.id): v for v in self._catalog.versions_of(entity_id)}

    def _check(self, wanted: PriceList, there: Mapping[tuple[str, str], Any]) -> None:
        problems, plans = Problems(), {p.id for p in wanted.plans}
        for i, version in enumerate(wanted.versions):
            if version.plan_id not in plans and ("plan", version.plan_id) not in there:
                message = f"{version.plan_id!r} is no plan of this seller; name it under its product"
                problems.add(f"plans[{i}].plan_id", "unknown_plan", message)
            if _state(there.get(("version", version.id)), version) == "changed":
                message = f"{version.id} was published with other terms; give the new ones an id of their own"
                problems.add(f"plans[{i}].id", "version_is_frozen", message)
        problems.refuse_if_any("the price list cannot be put on record", "invalid_price_list")


def _state(before: object, after: object) -> str:
    return "new" if before is None else "unchanged" if before == after else "changed"
