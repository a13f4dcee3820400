"""Which meters the subscriptions of an account bill already: looked up where one more is sold, or one bills more."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from saldo.catalog.model import PlanVersion
from saldo.catalog.records import plan_version_from, plan_version_key
from saldo.kernel.errors import Problem
from saldo.storage.store import Store
from saldo.subscriptions import records
from saldo.subscriptions.model import Subscription
from saldo.subscriptions.rules_meters import (
    Billed,
    Held,
    billed_by,
    claims_more,
    clashes_of,
    plans_of,
    problems_of_clashes,
)
from saldo.usage.records import meter_from, meter_key


class MeterClaims:
    """Of one account. Its subscriptions are read when one asks for meters, the plans of others where there are some,
    and meters where two want the same. `add` what is sold or changed in a unit that is not written yet."""

    def __init__(self, store: Store, account_id: str, entity_id: str) -> None:
        self._store, self.account_id, self.entity_id = store, account_id, entity_id
        self._sold: dict[str, Subscription] | None = None
        self._versions: dict[str, PlanVersion] | None = None
        self._added: dict[str, Subscription] = {}
        self._added_versions: dict[str, PlanVersion] = {}

    def problems(
        self,
        after: Subscription,
        versions: Mapping[str, PlanVersion],
        before: Subscription | None = None,
        field: str = "plan_version_id",
    ) -> tuple[Problem, ...]:
        """Every meter that `after` would bill on days on which another subscription bills it, `before` it did not.

        versions: by id, those that it was sold and is moved to. A subscription that is on record already is not asked
        about, as it is not sold once more. Two that are sold at the same moment do not see each other: runs have a
        check of their own.
        """
        if not claims_more(after, before, versions):
            return ()
        sold = self._read()
        if sold.keys() <= {after.id} or (before is None and after.id in sold):
            return ()
        found = clashes_of(after, before, sold.values(), {**self._plans(sold), **versions})
        return problems_of_clashes(found, self._apart({c.claim.meter_id for c in found}), field) if found else ()

    def all(self) -> list[Billed]:
        """What each subscription bills, without the meters that count by subscription."""
        sold = self._read()
        found = billed_by(sold.values(), self._plans(sold)) if sold else []
        apart = self._apart({claim.meter_id for _, claim in found}) if found else set()
        return [one for one in found if one[1].meter_id not in apart]

    def add(self, sold: Subscription, versions: Mapping[str, PlanVersion]) -> None:
        """Take a subscription as it will be once its unit is written."""
        self._added[sold.id] = sold
        self._added_versions |= versions

    def held(self, apart: frozenset[str]) -> Held:
        """All that the account has, for who looks at much of it. apart: ids of meters that count by subscription."""
        sold = self._read()
        return Held(tuple(sold.values()), self._plans(sold) if sold else {}, apart)

    def _read(self) -> dict[str, Subscription]:
        if self._sold is None:
            items = self._store.query_all(self.account_id, prefix=records.PREFIX, consistent=True)
            self._sold = {one.id: one for one in map(records.subscription_from, items)}
        return self._sold | self._added

    def _plans(self, sold: Mapping[str, Subscription]) -> dict[str, PlanVersion]:
        if self._versions is None:
            names = sorted({name for one in sold.values() for name in plans_of(one)} - self._added_versions.keys())
            found = self._store.get_many([plan_version_key(self.entity_id, name) for name in names])
            self._versions = {version.id: version for version in map(plan_version_from, found.values())}
        return self._versions | self._added_versions

    def _apart(self, meter_ids: Collection[str]) -> set[str]:
        """Those of the meters that count by subscription."""
        keys = [meter_key(self.entity_id, meter_id) for meter_id in sorted(meter_ids)]
        meters = map(meter_from, self._store.get_many(keys).values())
        return {meter.id for meter in meters if meter.by_subscription}
