"""How rejected rows of usage lie in the table.

`<entity>` / `quarantine#<origin>#<row>`: a row that was not accepted: as it came, field by field, and every problem.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from saldo.kernel.errors import Problem
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.usage.ingest_rows import RejectedRow, UsageRow
from saldo.usage.model_quarantine import HeldRow

PREFIX = "quarantine#"
MOST_TEXT = 1_000
MOST_FIELDS = 4_000


def quarantine_prefix(origin: str) -> str:
    return f"{PREFIX}{origin}#"


def quarantine_key(entity_id: str, origin: str, row: int) -> Key:
    return entity_id, f"{quarantine_prefix(origin)}{row:09d}"


def quarantine_item(entity_id: str, origin: str, rejected: RejectedRow) -> Item:
    """A rejected row; its text is cut at 1,000 characters, and fields that are longer than 4,000 are left out."""
    pk, sk = quarantine_key(entity_id, origin, rejected.number)
    short = sum(len(name) + len(text) for name, text in rejected.fields.items()) <= MOST_FIELDS
    repairs = {"repairs": rejected.repairs} if rejected.repairs else {}
    return {
        **repairs,
        "pk": pk,
        "sk": sk,
        "kind": "quarantine",
        "row": rejected.number,
        "text": rejected.text[:MOST_TEXT],
        "fields": dict(rejected.fields) if short else {},
        "problems": [p.as_dict() for p in rejected.problems],
    }


def held_row_from(item: Item) -> HeldRow:
    return HeldRow(
        entity_id=item["pk"],
        origin=item["sk"].removeprefix(PREFIX).rpartition("#")[0],
        row=UsageRow(item["row"], item["text"], item.get("fields", {}), repairs=item.get("repairs", 0)),
        problems=tuple(Problem(**p) for p in item["problems"]),
    )


def held_rows(store: Store, entity_id: str, origin: str = "") -> Iterator[HeldRow]:
    """A seller's rejected rows, of one origin or all of them, by origin and row."""
    prefix = quarantine_prefix(origin) if origin else PREFIX
    return (held_row_from(item) for item in store.query_all(entity_id, prefix=prefix, consistent=True))


def repaired(held: HeldRow, fields: Mapping[str, str]) -> Item:
    """The item of a row with other fields; its problems stay until it is tried again."""
    item = quarantine_item(held.entity_id, held.origin, RejectedRow(held.row.number, held.row.text, held.problems))
    return item | {"fields": dict(fields), "repairs": held.row.repairs + 1}


def as_before(held: HeldRow) -> Mapping[str, int | None]:
    """The condition that nobody repaired the row meanwhile."""
    return {"repairs": held.row.repairs or None}


def keys_of(rows: Sequence[HeldRow]) -> list[Key]:
    return [quarantine_key(h.entity_id, h.origin, h.row.number) for h in rows]
