"""How what follows from all that a subscription is charged for a period lies in the table.

`<account>` / `minimum#<subscription>#<part>`: what counts towards a minimum in a period, or in the part of it in which
it holds, as billed so far; written in the unit of the invoice that moves it on.
`<account>` / `tally#<subscription>#<part>#<of>`: the same for a maximum, or a component that costs a percent of others.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from saldo.catalog.model import MINIMUM, PercentTier
from saldo.invoicing.model_tally import Tally, TallyKey
from saldo.kernel.exact import ONE, plain
from saldo.kernel.periods import Period
from saldo.kernel.rounding import Rounding
from saldo.storage.claims import CLAIM
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import Unit

KINDS = (MINIMUM, "tally")


def tally_key(key: TallyKey) -> Key:
    if key.of == MINIMUM:
        return key.account_id, f"minimum#{key.subscription_id}#{key.part}"
    return key.account_id, f"tally#{key.subscription_id}#{key.part}#{key.of}"


def read_tallies(store: Store, wanted: Iterable[TallyKey]) -> dict[TallyKey, Tally]:
    """Those of these that are on record; one that is only claimed is not yet."""
    keys = {tally_key(key): key for key in wanted}
    found = store.get_many(sorted(keys), consistent=True)
    return {keys[at]: tally_from(item) for at, item in found.items() if item["kind"] in KINDS}


def write_tally(unit: Unit, tally: Tally) -> Unit:
    """Move one on; holds only while it is as it was read and nobody has claimed it."""
    pk, sk = tally_key(tally.key)
    item = {
        "pk": pk,
        "sk": sk,
        "kind": sk.partition("#")[0],
        "account_id": pk,
        "counted_minor": tally.counted_minor,
        "least_minor": tally.bound_minor,
        "trued_up_minor": tally.trued_up_minor,
        "days": tally.days and tally.days.as_text(),
        "plan_version_id": tally.plan_version_id,
        "tax_category": tally.tax_category,
        "revenue_tag": tally.revenue_tag,
        "inclusive": tally.inclusive,
        "rounding": tally.rounding.value,
        "currency": tally.currency,
        "revision": tally.revision + 1,
        "overage_factor": plain(tally.overage_factor),
        **({"percents": [_row(tier) for tier in tally.percents]} if tally.percents else {}),
        **({} if tally.held else {"held": False}),
    }
    return unit.put(item, when={"revision": tally.revision or None, CLAIM: None})


def _row(tier: PercentTier) -> list[str | None]:
    return [None if tier.up_to is None else plain(tier.up_to), plain(tier.percent)]


def tally_from(item: Item) -> Tally:
    _, subscription_id, part, *of = item["sk"].split("#", 3)
    return Tally(
        TallyKey(item["pk"], subscription_id, part, *of),
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
        tuple(PercentTier(up_to and Decimal(up_to), Decimal(percent)) for up_to, percent in item.get("percents", ())),
        item.get("held", True),
    )
