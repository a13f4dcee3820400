"""How the minimums of subscriptions' plans lie in the table.

`<account>` / `minimum#<subscription>#<part>`: what counts towards a minimum in a period, or in the part of it in which
it holds, as billed so far; written in the unit of the invoice that moves it on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from decimal import Decimal

from saldo.invoicing.model_minimum import MinimumKey, MinimumPart
from saldo.kernel.exact import ONE, plain
from saldo.kernel.periods import Period
from saldo.kernel.rounding import Rounding
from saldo.storage.claims import CLAIM
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import Unit


def minimum_key(key: MinimumKey) -> Key:
    return key.account_id, f"minimum#{key.subscription_id}#{key.part}"


def read_minimums(store: Store, wanted: Iterable[MinimumKey]) -> dict[MinimumKey, MinimumPart]:
    """Those of these that are on record; one that is only claimed is not yet."""
    keys = {minimum_key(key): key for key in wanted}
    found = store.get_many(sorted(keys), consistent=True) if keys else {}
    return {keys[at]: minimum_from(item) for at, item in found.items() if item["kind"] == "minimum"}


def write_minimum(unit: Unit, part: MinimumPart) -> Unit:
    """Move one on; holds only while it is as it was read and nobody has claimed it."""
    pk, sk = minimum_key(part.key)
    fields = asdict(replace(part, revision=part.revision + 1))
    fields |= {"days": part.days and part.days.as_text(), "rounding": part.rounding.value}
    fields["overage_factor"] = plain(part.overage_factor)
    del fields["key"]
    item = {"pk": pk, "sk": sk, "kind": "minimum", "account_id": pk, **fields}
    return unit.put(item, when={"revision": part.revision or None, CLAIM: None})


def minimum_from(item: Item) -> MinimumPart:
    _, subscription_id, part = item["sk"].split("#", 2)
    return MinimumPart(
        MinimumKey(item["pk"], subscription_id, part),
        item["counted_minor"],
        item["least_minor"],
        item["trued_up_minor"],
        Period.from_text(item["days"]) if item["days"] else None,
        item["plan_version_id"],
        item["tax_category"],
        item["revenue_tag"],
        item["inclusive"],
        Rounding(item["rounding"]),
        item["currency"],
        item["revision"],
        Decimal(item["overage_factor"]) if "overage_factor" in item else ONE,
    )
