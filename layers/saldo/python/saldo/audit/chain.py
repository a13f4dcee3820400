"""Links audit records into their owners' chains.

No business transaction pays for it: records come from the table's stream, after they were written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from saldo.audit.model import Link, Linked
from saldo.audit.records import PREFIX as AUDIT_PREFIX
from saldo.audit.records_chain import PREFIX, link_from, link_item, open_key
from saldo.audit.rules_chain import MOST_AT_ONCE, digest_of, extend
from saldo.kernel.clock import Clock
from saldo.kernel.errors import Unavailable
from saldo.storage.items import Item
from saldo.storage.store import Store
from saldo.storage.units import Unit

_MOST_ATTEMPTS = 5


class AuditChain:
    """The chains of one region. Both use cases may be repeated at any point."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def link(self, items: Iterable[Item]) -> int:
        """Put these audit records into their owners' chains, once each, whatever is repeated or out of order.

        One read for 100 owners, one write for up to 100. Returns how many were new; raises Unavailable when others
        extend the same chains all the time.
        """
        waiting: dict[str, dict[str, Linked]] = defaultdict(dict)
        for item in items:
            waiting[item["pk"]][item["sk"]] = Linked(item["sk"], digest_of(item))
        linked = 0
        for _ in range(_MOST_ATTEMPTS):
            linked += self._link_once(waiting)
            if not waiting:
                return linked
        raise Unavailable("audit chains are being extended elsewhere")

    def _link_once(self, waiting: dict[str, dict[str, Linked]]) -> int:
        """One round: what is linked, or was before, leaves `waiting`."""
        linked = 0
        while waiting:
            found = self._store.get_many([open_key(o) for o in waiting], consistent=True)
            heads = {pk: link_from(item) for (pk, _), item in found.items()}
            lots: dict[str, list[Linked]] = {}
            for owner_id in list(waiting):
                new = self._new(heads.get(owner_id), waiting[owner_id])
                if new:
                    lots[owner_id] = new[:MOST_AT_ONCE]
                else:
                    del waiting[owner_id]
            units = [self._unit(o, heads.get(o), lot) for o, lot in lots.items()]
            lost = {conflict.unit for conflict in self._store.write(units)}
            for owner_id, lot in lots.items():
                if owner_id not in lost:
                    linked += len(lot)
                    for one in lot:
                        del waiting[owner_id][one.sk]
                    if not waiting[owner_id]:
                        del waiting[owner_id]
            if lost:
                return linked
        return linked

    def _new(self, head: Link | None, records: Mapping[str, Linked]) -> list[Linked]:
        """Those in no link. Only one that is older than what is sealed makes the sealed links be read."""
        if head is None:
            return sorted(records.values(), key=lambda r: r.sk)
        known = {r.sk for r in head.records}
        if any(sk <= head.floor and sk not in known for sk in records):
            links = self._store.query_all(head.owner_id, prefix=PREFIX, consistent=True)
            known |= {r.sk for item in links for r in link_from(item).records}
        return sorted((r for sk, r in records.items() if sk not in known), key=lambda r: r.sk)

    def _unit(self, owner_id: str, head: Link | None, lot: list[Linked]) -> Unit:
        step = extend(owner_id, head, lot, self._clock())
        unit = Unit(owner_id)
        if step.sealed:
            unit.insert(link_item(step.sealed, sealed=True))
        item = link_item(step.open, sealed=False)
        return unit.put(item, when={"hash": head.hash}) if head else unit.insert(item)

    def catch_up(self, owner_id: str) -> int:
        """Link what the stream missed of one owner; how many records that were."""
        items = list(self._store.query_all(owner_id, prefix=AUDIT_PREFIX, consistent=True))
        return self.link(items) if items else 0
