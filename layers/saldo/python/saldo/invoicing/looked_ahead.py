"""Which records the last look at an account's next invoice read, so that the next look reads them all by one call.

`<account>` / `looked_ahead`: their keys, packed. What is in them is always read anew; a record that is asked for
besides costs a call of its own, and is among the keys from then on. Subscriptions and items are ranges: the keys are
all there are while none was begun or added since, which is counted (`claimed`, `items`) in the units that do so.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from typing import NamedTuple

from saldo.orders.records import PREFIX as ITEMS
from saldo.orders.records import items_added_key
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import WRITTEN, Unit
from saldo.subscriptions.records import PREFIX as SUBSCRIPTIONS
from saldo.subscriptions.records import claimed_key

LOOKED_AHEAD = "looked_ahead"
MOST = 100  # of one call


class _Added(NamedTuple):
    """How often subscriptions were begun or changed, and items added."""

    subscriptions: int
    items: int


class LookedAhead:
    """Of one account. store: one that remembers, for one look."""

    def __init__(self, store: Store, account_id: str) -> None:
        """Reads what the last look read. No more than that call where the records that tell were read before."""
        self._store, self._key = store, (account_id, LOOKED_AHEAD)
        told = (self._key, claimed_key(account_id), items_added_key(account_id))
        found = store.get_many(told, consistent=True)
        self._added = _Added(*(int(found.get(key, {}).get(WRITTEN, 0)) for key in told[1:]))
        kept = found.get(self._key)
        self._keys = _keys_of(kept) if kept else []
        self._all_known = kept is not None and self._added == _Added(kept["subscriptions"], kept["items"])
        self._ranges = set[str]()
        store.read_ahead(self._keys)

    def subscriptions(self) -> list[Item]:
        return self._range(SUBSCRIPTIONS)

    def items(self) -> list[Item]:
        return self._range(ITEMS)

    def _range(self, prefix: str) -> list[Item]:
        account_id = self._key[0]
        self._ranges.add(prefix)
        if not self._all_known:
            return list(self._store.query_all(account_id, prefix=prefix, consistent=True))
        keys = [key for key in self._keys if key[0] == account_id and key[1].startswith(prefix)]
        found = self._store.get_many(keys, consistent=True)
        return [found[key] for key in sorted(found)]

    def keep(self) -> None:
        """Note what this look read, where that is not what is noted: both ranges whole, by who sees everything."""
        read, (pk, sk) = self._store.asked, self._key
        is_whole = self._store.sees_all and self._ranges == {SUBSCRIPTIONS, ITEMS} and len(read) <= MOST
        if not is_whole or (self._all_known and read <= {*self._keys}):
            return
        packed = zlib.compress(json.dumps(sorted(read), separators=(",", ":")).encode())
        made: Item = {"pk": pk, "sk": sk, "kind": LOOKED_AHEAD, "keys": packed, **self._added._asdict()}
        self._store.write_one(Unit(f"looked ahead {pk}").put(made))


def _keys_of(kept: Item) -> list[Key]:
    rows: Iterable[list[str]] = json.loads(zlib.decompress(bytes(kept["keys"])))
    return [(pk, sk) for pk, sk in rows]
