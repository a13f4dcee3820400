"""Use cases of the catalog: offer a product and a plan, publish a version of it, read."""

from __future__ import annotations

from collections.abc import Iterable

from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.catalog import records
from saldo.catalog.model import NEGOTIATED, Plan, PlanVersion, Product
from saldo.catalog.rules import problems_of
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Problems, Refusal
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import Unit


class Catalog:
    """What the sellers of one region offer."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def offer_product(self, product: Product, actor: Actor) -> bool:
        """Put a product on record; False when it stands there with the same names already."""
        return self._offer(records.product_item(product), "product.offered", product.id, actor)

    def offer_plan(self, plan: Plan, actor: Actor) -> bool:
        """Put a plan of a product on record; False when it stands there with the same names already."""
        return self._offer(records.offer_item(plan), "plan.offered", plan.id, actor)

    def publish(self, entity_id: str, version: PlanVersion, actor: Actor) -> bool:
        """Freeze a version of a plan; False when this very version was published before.

        Raises Refusal `invalid_plan_version` naming every fault, NotFound without such a plan, Refusal
        `version_is_frozen` when the id stands for other terms.
        """
        problems = Problems()
        problems.extend(problems_of(version))
        problems.refuse_if_any("the plan version is not sound", "invalid_plan_version")
        if not self.plans_named(entity_id, [version.plan_id]):
            raise NotFound(f"no such plan: {version.plan_id}")
        unit = Unit(f"publish {version.id}").insert(records.plan_version_item(entity_id, version))
        self._audited(unit, entity_id, "plan.published", version.id, actor)
        if self._store.write_one(unit) is None:
            return True
        if self.plan_version(entity_id, version.id) != version:
            raise Refusal("version_is_frozen", f"{version.id} was published with other terms; publish the next version")
        return False

    def plan_version(self, entity_id: str, plan_version_id: str) -> PlanVersion:
        item = self._store.get(*records.plan_version_key(entity_id, plan_version_id))
        if item is None:
            raise NotFound(f"no such plan version: {plan_version_id}")
        return records.plan_version_from(item)

    def versions_of(self, entity_id: str) -> list[PlanVersion]:
        """Every version a seller ever published, by id; those that single customers negotiated are left out."""
        first, last = records.VERSIONS_FROM, records.PLAN_PREFIX + NEGOTIATED
        items = self._store.query_all(entity_id, first=first, last=last)
        return [records.plan_version_from(item) for item in items]

    def sold_by(self, entity_id: str) -> tuple[list[Plan], list[PlanVersion]]:
        """Every plan, and every version as `versions_of`, in one read."""
        first, last = records.OFFER_PREFIX, records.PLAN_PREFIX + NEGOTIATED
        items = list(self._store.query_all(entity_id, first=first, last=last))
        versions = [records.plan_version_from(i) for i in items if i["sk"] >= records.VERSIONS_FROM]
        plans = [records.offer_from(i) for i in items if i["sk"] < records.VERSIONS_FROM]
        former = {v.plan_id for v in versions} - {p.id for p in plans}
        return [*plans, *self.plans_named(entity_id, former)], versions

    def plans_of(self, entity_id: str) -> list[Plan]:
        prefixes = (records.FORMER_OFFERS, records.OFFER_PREFIX)
        items = (item for prefix in prefixes for item in self._store.query_all(entity_id, prefix=prefix))
        return list({plan.id: plan for plan in map(records.offer_from, items)}.values())

    def plans_named(self, entity_id: str, plan_ids: Iterable[str]) -> list[Plan]:
        """Of these ids, by one read."""
        keys = [records.offer_keys(entity_id, plan_id) for plan_id in sorted(set(plan_ids))]
        found = self._store.get_many([key for pair in keys for key in pair])
        lying = (found.get(here) or found.get(formerly) for here, formerly in keys)
        return [records.offer_from(item) for item in lying if item]

    def products_of(self, entity_id: str) -> list[Product]:
        return [records.product_from(i) for i in self._store.query_all(entity_id, prefix=records.PRODUCT_PREFIX)]

    def _offer(self, item: Item, action: str, subject: str, actor: Actor) -> bool:
        if self._store.get(item["pk"], item["sk"]) == item:
            return False
        unit = Unit(f"{action} {subject}").put(item)
        self._store.write_one(self._audited(unit, item["pk"], action, subject, actor))
        return True

    def _audited(self, unit: Unit, owner: str, action: str, subject: str, actor: Actor) -> Unit:
        return unit.put(audit_item(AuditRecord(owner, self._clock(), actor, action, subject)))


class PlanVersions:
    """Plan versions by key, kept for the life of the process: a version never changes, so none goes stale."""

    def __init__(self, store: Store, most: int = 2000) -> None:
        self._store, self._most = store, most
        self._kept: dict[Key, PlanVersion] = {}

    def within(self, store: Store) -> PlanVersions:
        """The same, with what is not kept yet read under another scope."""
        other = PlanVersions(store, self._most)
        other._kept = self._kept
        return other

    def get_many(self, wanted: Iterable[Key]) -> dict[Key, PlanVersion]:
        """Versions by (entity id, plan version id), those not kept yet in one read; unknown ones are left out."""
        keys = set(wanted)
        unread = [records.plan_version_key(*key) for key in sorted(keys - self._kept.keys())]
        if len(self._kept) + len(unread) > self._most:
            for key in self._kept.keys() - keys:
                self._kept.pop(key, None)
        for item in self._store.get_many(unread).values():
            version = records.plan_version_from(item)
            self._kept[item["pk"], version.id] = version
        return {key: self._kept[key] for key in keys if key in self._kept}
