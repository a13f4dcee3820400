"""How number series lie in the table.

`<entity>` / `numbering`: the seller's rules by type of document (absent: its country's).
`<entity>` / `series#<series>`: the next free number and the latest date a number of it was issued on.
`<entity>` / `numbers#<series>#<first>`: a block of numbers that was taken, and what for: a list of a run's drafts, or
one document. Written with the block, so that a number leads to its invoice without a record for each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from saldo.invoicing.rules_numbers import Numbering, Restart, Seller, Series, SeriesRule, SeriesType
from saldo.kernel.errors import NotFound, Refusal
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import Unit


def numbering_key(entity_id: str) -> Key:
    return entity_id, "numbering"


def series_key(entity_id: str, series: str) -> Key:
    return entity_id, f"series#{series}"


def numbers_key(entity_id: str, series: str, first: int) -> Key:
    """Numbers of a series lie in their order."""
    return entity_id, f"numbers#{series}#{first:012d}"


def series_fields(series: Series) -> Item:
    return {"series": series.name, "frame": series.frame, "longest": series.longest}


def series_from(item: Item) -> Series:
    return Series(item["series"], item["frame"], item["longest"])


def note_numbers(
    unit: Unit, entity_id: str, series: Series, first: int, count: int, taken_by: Mapping[str, str]
) -> Unit:
    """Put on record what numbers `first` … `first + count - 1` are for. taken_by: run_id and list_id, or account_id and
    invoice_id."""
    pk, sk = numbers_key(entity_id, series.name, first)
    item = {"pk": pk, "sk": sk, "kind": "numbers", "first": first, "count": count}
    return unit.insert(item | series_fields(series) | dict(taken_by))


def numbering_item(entity_id: str, numbering: Numbering) -> Item:
    pk, sk = numbering_key(entity_id)
    rules = {
        kind.value: {
            "pattern": rule.pattern,
            "restart": rule.restart.value,
            "year_begins": rule.year_begins,
            "longest": rule.longest,
        }
        for kind, rule in numbering.rules.items()
    }
    return {"pk": pk, "sk": sk, "kind": "numbering", "rules": rules}


def numbering_from(item: Item | None) -> Numbering:
    rules: Mapping[str, Any] = (item or {}).get("rules", {})
    return Numbering(
        {SeriesType(kind): SeriesRule(**{**rule, "restart": Restart(rule["restart"])}) for kind, rule in rules.items()}
    )


def seller_from(items: Mapping[Key, Item], entity_id: str) -> Seller:
    """From what was read under `seller_keys`; NotFound for no such seller."""
    entity = items.get((entity_id, "entity"))
    if entity is None:
        raise NotFound(f"no such legal entity: {entity_id}")
    return Seller(entity["country"], entity["number_prefix"], numbering_from(items.get(numbering_key(entity_id))))


def seller_keys(entity_id: str) -> list[Key]:
    return [(entity_id, "entity"), numbering_key(entity_id)]


def read_seller(store: Store, entity_id: str) -> Seller:
    return seller_from(store.get_many(seller_keys(entity_id)), entity_id)


def claim(
    unit: Unit, entity_id: str, wanted: Sequence[tuple[Series, int]], on: date, states: Mapping[Key, Item]
) -> list[int]:
    """Take so many numbers of each series (each named once) in this unit; the first number of each block.

    states: the series as read just now, by key. The unit holds only while they are like that. Refusal
    `numbers_would_go_back` where later-dated numbers were given out, for dates never fall as numbers rise.
    """
    firsts = []
    for series, count in wanted:
        key = series_key(entity_id, series.name)
        state = states.get(key, {})
        if state.get("last_issued_on", "") > on.isoformat():
            raise Refusal("numbers_would_go_back", f"{series.name} has numbers dated {state['last_issued_on']}")
        first = state.get("next", 1)
        series.number(first + count - 1)  # refused before anything is taken, if it cannot be written
        unit.update(
            key,
            set={"kind": "series", "next": first + count, "last_issued_on": on.isoformat()},
            when={"next": state.get("next"), "last_issued_on": state.get("last_issued_on")},
        )
        firsts.append(first)
    return firsts


def read_series(store: Store, entity_id: str, names: Sequence[str]) -> dict[Key, Item]:
    """The series' states as they are now."""
    return store.get_many([series_key(entity_id, name) for name in names], consistent=True)
