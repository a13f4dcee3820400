"""Which seller's queues a change of a record moved. Images of the table's stream in, ids out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# On these lists of the agenda something waits: by how the sort keys of what is on them begin.
AGENDAS: Mapping[str, tuple[str, ...]] = {
    "proposals": ("proposal#",),
    "disputes": ("dispute#",),
    "requests": ("promise#", "terms_request#"),
    "review": ("approval",),
    "tickets": ("ticket#",),
    "differences": ("difference#",),
}
# And among these records of a seller.
_OWN = ("discrepancy#", "quarantine#", "run#")
# What the stream has to tell of.
TOLD = tuple(sorted({*_OWN, *(begins for kinds in AGENDAS.values() for begins in kinds)}))


def sellers_moved(change: Mapping[str, Any]) -> set[str]:
    """Ids of the sellers to one of whose queues something came, or from which it went.

    change: what the stream says of one record: Keys, OldImage and NewImage, in the table's own words.
    """
    old, new = _place(change.get("OldImage")), _place(change.get("NewImage"))
    moved = {seller for seller in _sellers(old, new) if seller}
    keys = change["Keys"]
    return moved | ({keys["pk"]["S"]} if keys["sk"]["S"].startswith(_OWN) else set())


def _place(image: Mapping[str, Any] | None) -> tuple[str, str]:
    on = image or {}
    return on.get("agenda_pk", {}).get("S", ""), on.get("agenda_on", {}).get("S", "")


def _sellers(old: tuple[str, str], new: tuple[str, str]) -> set[str]:
    if old == new:
        return set()
    places = (place.partition("#") for place, _ in (old, new))
    return {owner for queue, _, owner in places if queue in AGENDAS and owner.startswith("ent_")}
