"""The files about one thing, kept under the key of a page that shows them, so that the page needs no range for them.

`<owner>` / `uploads`: `written` counts what is handed in and how far it comes, in the units that say so. `<owner>` /
`files_shown#<place>`: the records of the files about one thing, as of so many. As long as both are the same, this is
how things are. Whoever looks compares, and otherwise reads the files and keeps what there is. Titles stay sealed as
they lie.
"""

from __future__ import annotations

from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import WRITTEN, Unit
from saldo.uploads.records import PREFIX, uploads_key

SHOWN = "files_shown#"
_MOST = 50


def shown_key(owner_id: str, place: str) -> Key:
    return owner_id, SHOWN + place


def files_about(store: Store, owner_id: str, about: str, place: str) -> list[Item]:
    """Records of the files about a thing: no call where the two records were read ahead and are how things are; one,
    and one that keeps them, where a file came, or came further, since somebody looked."""
    key, counted = shown_key(owner_id, place), uploads_key(owner_id)
    found = store.get_many([key, counted], consistent=True)
    written, kept = found.get(counted, {}).get(WRITTEN), found.get(key)
    if kept is not None and (kept["as_of"], kept["about"]) == (written or 0, about):
        return [item for item in kept["files"] if store.is_in_sight(item)]
    files = list(store.query_all(owner_id, prefix=f"{PREFIX}{about}#", consistent=True))
    if store.sees_all and len(files) <= _MOST:
        made: Item = {"pk": key[0], "sk": key[1], "kind": "files_shown", "as_of": written or 0, "about": about}
        unit = Unit(f"files shown at {place}").put(made | {"files": files})
        store.write_one(unit.require(counted, when={WRITTEN: written}, exists=None))
    return files
