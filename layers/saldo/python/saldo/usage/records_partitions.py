"""Which accounts keep their usage in files, and which files make up a month.

`<entity>` / `usage_files`: the seller's accounts whose usage lies in files.
`<account>` / `usage_parts#<event name>#<yyyymm>`: the month's parts (UTC) in the order in which they were accepted,
each with its file's name, how many events it holds and when it came; `version` moves on with every change. A part
counts from the moment it stands here: a file without its line is left by an import that did not end, and is never read.

Files: `usage/entity=<entity>/account=<account>/meter=<event name>/month=<yyyymm>/part-<hash of its bytes>.parquet`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.usage.model_windows import Known
from saldo.usage.records import MonthKey

PARTS_PREFIX = "usage_parts#"
FILES_PREFIX = "usage/"
# A part's line takes about 70 bytes, and an item holds 400 kB.
MOST_PARTS = 4_000


@dataclass(frozen=True, slots=True)
class FilePart:
    """`name`: the hash in the file's name. `at_us`: when it was accepted, in microseconds since 1970, never falling."""

    name: str
    count: int
    at_us: int


def usage_files_key(entity_id: str) -> Key:
    return entity_id, "usage_files"


def accounts_from(item: Item | None) -> frozenset[str]:
    """The accounts of a seller whose usage lies in files."""
    return frozenset(item["accounts"]) if item else frozenset()


def keep_in_files(unit: Unit, entity_id: str, before: Item | None, account_id: str) -> Unit:
    """Add an account to those whose usage lies in files; holds only while the list is as it was read."""
    pk, sk = usage_files_key(entity_id)
    accounts = sorted({*accounts_from(before), account_id})
    version = before["version"] if before else None
    item = {"pk": pk, "sk": sk, "kind": "usage_files", "accounts": accounts, "version": (version or 0) + 1}
    return unit.put(item, when={"version": version})


def parts_key(key: MonthKey) -> Key:
    return key.account_id, f"{PARTS_PREFIX}{key.meter_id}#{key.month}"


def file_key(entity_id: str, key: MonthKey, name: str) -> str:
    """Where a part lies in the bucket."""
    folder = f"{FILES_PREFIX}entity={entity_id}/account={key.account_id}/meter={key.meter_id}/month={key.month}"
    return f"{folder}/part-{name}.parquet"


def parts_from(item: Item | None) -> list[FilePart]:
    return [FilePart(name, count, at_us) for name, count, at_us in item["parts"]] if item else []


def entity_of_parts(item: Item) -> str:
    return str(item["entity_id"])


def parts_unit(unit: Unit, entity_id: str, key: MonthKey, before: Item | None, parts: Sequence[FilePart]) -> Unit:
    """The month's parts as they are now; holds only while they are as they were read."""
    pk, sk = parts_key(key)
    version = before["version"] if before else None
    listed = [[part.name, part.count, part.at_us] for part in parts]
    fields = {"entity_id": entity_id, "meter_id": key.meter_id, "parts": listed, "version": (version or 0) + 1}
    return unit.put({"pk": pk, "sk": sk, "kind": "usage_parts", **fields}, when={"version": version})


def months_with_parts(store: Store, account_id: str, name: str) -> dict[str, Item]:
    """Every month of an account's events of one name, oldest first, with everything accepted so far."""
    found = store.query_all(account_id, prefix=f"{PARTS_PREFIX}{name}#", consistent=True)
    return {item["sk"].rpartition("#")[2]: item for item in found}


def known_part(parts: Sequence[FilePart], known: int | None) -> list[FilePart]:
    """The first parts that hold together so many events; None: all."""
    if known is None:
        return list(parts)
    found, events = [], 0
    for part in parts:
        events += part.count
        if events > known:
            break
        found.append(part)
    return found


def known_of(months: Mapping[str, Sequence[FilePart]]) -> Known:
    """All that is in these months, as a cut-off."""
    return {month: sum(p.count for p in parts) for month, parts in sorted(months.items()) if parts}
