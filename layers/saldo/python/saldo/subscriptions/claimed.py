"""Which meters an account's subscriptions bill on which days, in one record, so that a page of one of them need not
read the others to tell what it may be moved to.

`<account>` / `claimed`: `written` counts what is begun and changed, in the units that do so. `claims`, packed, are as
of so many (`as_of`): as long as both are the same, this is how things are. Whoever looks compares, and otherwise reads
the subscriptions and keeps what they say. Meters that count by subscription are left out: nobody is refused for them.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from datetime import date

from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import WRITTEN, Unit
from saldo.subscriptions.claims import MeterClaims
from saldo.subscriptions.records import CLAIMED, claimed_key
from saldo.subscriptions.rules_meters import Billed, Claim

MOST_KEPT = 2_000
_AS_OF = "as_of"


def claims_of_account(store: Store, account_id: str, entity_id: str) -> list[Billed]:
    """What each subscription of the account bills: no call where the record was read ahead and is how things are. By
    four more, at most, and one that keeps it, where something was begun or changed since somebody looked."""
    kept = store.get(*claimed_key(account_id))
    if (found := kept_claims(kept)) is not None:
        return found
    found = MeterClaims(store, account_id, entity_id).all()
    if store.sees_all and len(found) <= MOST_KEPT:
        store.write_one(_keeping(claimed_key(account_id), kept, found))
    return found


def kept_claims(kept: Item | None) -> list[Billed] | None:
    """What the record says where it is how things are; None otherwise."""
    if kept is None or kept.get(_AS_OF) != kept.get(WRITTEN, 0):
        return None
    rows = json.loads(zlib.decompress(bytes(kept["claims"])))
    return [(one, Claim(meter, date.fromisoformat(since), _day(until))) for one, meter, since, until in rows]


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _keeping(key: Key, kept: Item | None, found: Sequence[Billed]) -> Unit:
    """Only while nothing was begun or changed since the number was read: then the claims are as of it."""
    written = (kept or {}).get(WRITTEN)
    rows = [[one, c.meter_id, c.since.isoformat(), c.until.isoformat() if c.until else ""] for one, c in found]
    packed = zlib.compress(json.dumps(rows, separators=(",", ":")).encode())
    made: Item = {"kind": CLAIMED, _AS_OF: written or 0, "claims": packed}
    return Unit(key[0]).update(key, set=made, when={WRITTEN: written})
