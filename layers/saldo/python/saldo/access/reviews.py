"""Use cases of access reviews: who may do what at a legal entity, confirmed or withdrawn; the review is a record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from saldo.access import records_staff as records
from saldo.access.model_staff import Staff, StaffRole
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Refusal
from saldo.storage.store import Store
from saldo.storage.units import Unit

# Each person is a write of a unit's hundred; nobody looks well at more.
MOST_PEOPLE = 30


@dataclass(frozen=True, slots=True)
class Said:
    """What a review says of one role of one person. `version`: of the person as the reviewer saw them."""

    staff_id: str
    role: StaffRole
    kept: bool
    version: int


class AccessReviews:
    """Reviews of one region's staff."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def review(self, entity_id: str, said: Sequence[Said], actor: Actor) -> None:
        """Confirm or withdraw standing roles, all in one unit with the record of it.

        Nobody reviews themselves. Refusal `nothing_said`, `too_many`, `own_access`, `changed_meanwhile`; NotFound for a
        role that is not there.
        """
        people = sorted({s.staff_id for s in said})
        if not said or len(people) > MOST_PEOPLE:
            raise Refusal("nothing_said" if not said else "too_many", f"say something of 1 to {MOST_PEOPLE} people")
        if actor.id in people:
            raise Refusal("own_access", "your own access is reviewed by somebody else")
        found = self._store.get_many([records.staff_key(i) for i in people], consistent=True)
        unit, at = Unit(f"review {entity_id}"), self._clock()
        gone = []
        for staff_id in people:
            item = found.get(records.staff_key(staff_id))
            if item is None:
                raise NotFound("no such member of staff")
            of_one = [s for s in said if s.staff_id == staff_id]
            if not self._apply(unit, entity_id, records.staff_from(item), of_one):
                gone.append(staff_id)
        records.note_review(unit, entity_id, at, gone)
        lines = [(s.staff_id, s.role.value, s.kept) for s in said]
        unit.insert(records.review_item(entity_id, actor.id, at, lines))
        kept = sum(s.kept for s in said)
        after = {"confirmed": kept, "withdrawn": len(said) - kept}
        unit.put(audit_item(AuditRecord(entity_id, at, actor, "access.reviewed", entity_id, after=after)))
        if self._store.write_one(unit):
            raise Refusal("changed_meanwhile", "access was changed by someone else; look at it and try again")

    def _apply(self, unit: Unit, entity_id: str, staff: Staff, said: Sequence[Said]) -> bool:
        """Whether a role is left at the legal entity."""
        at, roles = self._clock(), {s.role: s.kept for s in said}
        here = {p.role for p in staff.posts if p.entity_id == entity_id}
        if not roles.keys() <= here:
            raise NotFound("no such role")
        if any(s.version != staff.version for s in said):
            raise Refusal("changed_meanwhile", "access was changed by someone else; look at it and try again")
        posts = [
            replace(p, confirmed_at=at) if p.entity_id == entity_id and p.role in roles else p
            for p in staff.posts
            if p.entity_id != entity_id or roles.get(p.role, True)
        ]
        records.change(unit, staff, posts=records.posts_field(posts))
        return any(p.entity_id == entity_id for p in posts)
