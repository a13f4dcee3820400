"""Use cases: what a look found becomes tasks, and tasks end when a look no longer finds them; taking one on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import islice

from saldo.audit.model import Actor, AuditRecord, job
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Refusal
from saldo.reconciliation import records, rules
from saldo.reconciliation.model import Difference, DifferenceState, Looked
from saldo.reconciliation.rules import Found
from saldo.storage.items import Key
from saldo.storage.store import Store
from saldo.storage.units import Unit

MOST = 500
_JOB = job("check_invariants")


class Differences:
    """Of one region's sellers; with a scoped store, of what that reaches."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def look(self, found: Iterable[Found], entity_ids: Iterable[str], began_at: datetime) -> Looked:
        """What a look over all records of these sellers found: new tasks are opened, those that it no longer found are
        gone. What was found, or was gone, after it began is left as it is: a look that comes to its end late knows
        nothing of it. Repeating it changes nothing. Beyond MOST the rest is left to the next look: so much has one
        cause."""
        told, now = rules.gathered(found), self._clock()
        sellers = self._sellers(owner_id for _, owner_id in told)
        ours = (
            Difference(seller, rules.difference_id(invariant, owner_id), invariant, owner_id, what, now)
            for (invariant, owner_id), what in sorted(told.items())
            if (seller := rules.seller_of(owner_id, sellers))
        )
        new = list(islice(ours, MOST))
        known, units = self._known(new, entity_ids), []
        for one in new:
            before = known.pop((one.entity_id, one.id), None)
            if before and before.gone_at and before.gone_at > began_at:
                continue
            after = rules.seen_again(before, one)
            if after != before:
                units.append(self._moved(before, after, "difference.found", now))
        over = [one for one in known.values() if len(new) < MOST and one.found_at <= began_at]
        units += [self._moved(one, rules.gone(one, now), "difference.gone", now) for one in over]
        self._store.write(units)
        return Looked(len(new), len(over), len(told) - len(new))

    def of(self, entity_id: str, limit: int) -> list[Difference]:
        """A seller's differences, open ones first, the oldest first; one call."""
        items = self._store.query(entity_id, prefix=records.PREFIX, limit=limit).items
        found = map(records.difference_from, items)
        return sorted(found, key=lambda one: (one.state is DifferenceState.GONE, one.found_at, one.id))

    def one(self, entity_id: str, difference_id: str) -> Difference:
        item = self._store.get(*records.difference_key(entity_id, difference_id))
        if item is None:
            raise NotFound("no such difference")
        return records.difference_from(item)

    def take(self, entity_id: str, difference_id: str, actor: Actor, note: str) -> Difference:
        """This member of staff looks into it; saying it again changes nothing. Refusal `invalid_note`,
        `difference_gone`, `changed_meanwhile`; NotFound."""
        before = self.one(entity_id, difference_id)
        after = rules.taken(before, actor.id, note)
        if after != before:
            unit = self._moved(before, after, "difference.taken", self._clock(), actor)
            if self._store.write_one(unit):
                raise Refusal("changed_meanwhile", "this difference moved meanwhile; look at it again")
        return after

    def _known(self, new: list[Difference], entity_ids: Iterable[str]) -> dict[tuple[str, str], Difference]:
        """Those that are found now, open or gone, and all others of these sellers that are open."""
        keys = [records.difference_key(one.entity_id, one.id) for one in new]
        there = self._store.get_many(keys, consistent=True)
        agendas = map(records.differences_agenda, entity_ids)
        listed: list[Key] = [(i["pk"], i["sk"]) for a in agendas for i in self._store.query_all(a, agenda=True)]
        others = self._store.get_many([key for key in listed if key not in there], consistent=True)
        is_open = (item for item in others.values() if item["status"] == DifferenceState.OPEN)
        found = map(records.difference_from, [*there.values(), *is_open])
        return {(one.entity_id, one.id): one for one in found}

    def _sellers(self, owner_ids: Iterable[str]) -> dict[str, str]:
        """By account: its seller."""
        accounts = {owner_id for owner_id in owner_ids if owner_id.startswith("acct_")}
        found = self._store.get_many([(account_id, "account") for account_id in sorted(accounts)])
        return {pk: item["entity_id"] for (pk, _), item in found.items()}

    def _moved(
        self, before: Difference | None, after: Difference, action: str, now: datetime, actor: Actor = _JOB
    ) -> Unit:
        unit, item = Unit(f"{action} {after.entity_id} {after.id}"), records.difference_item(after)
        if before is None:
            unit.insert(item)
        else:
            unit.put(item, when={"version": before.version})
        was = {"state": before.state.value} if before else {}
        told = {"state": after.state.value, "invariant": after.invariant, "owner_id": after.owner_id}
        return unit.put(audit_item(AuditRecord(after.entity_id, now, actor, action, after.id, was, told, after.note)))
