"""Use cases of roles for a limited time: asked with a reason, agreed to by an administrator, over by themselves.

An elevation is part of the person's record, which every request reads: it begins with the next page after the
agreement and ends with the first one after `until`, whatever sessions there are.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from saldo.access import records_staff as records
from saldo.access import rules_staff as rules
from saldo.access.model_proposals import Decider, Proposal, ProposalKind, ProposalState, Wish
from saldo.access.model_staff import Elevation, Staff, StaffRole
from saldo.access.proposals import Proposals
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock, instant_text
from saldo.kernel.errors import NotFound, Refusal
from saldo.storage.store import Store
from saldo.storage.units import Unit

MAY_AGREE = frozenset({StaffRole.ADMINISTRATOR.value})


class Elevations:
    """Elevations of one region's staff."""

    def __init__(self, store: Store, clock: Clock, proposals: Proposals) -> None:
        self._store, self._clock, self._proposals = store, clock, proposals

    def ask(self, staff: Staff, entity_id: str, role: StaffRole, hours: int, reason: str, request: str,
            actor: Actor) -> Proposal:  # fmt: skip
        """Ask for a role. Refusal `role_not_offered` for one they have, or may not have beside theirs; else as
        `Proposals.ask`."""
        known = rules.may_be_raised_to(staff, entity_id, role, self._clock())
        if hours not in rules.ELEVATION_HOURS or not known:
            raise Refusal("role_not_offered", "this role, or for so long, cannot be had beside those you have")
        content = {"staff_id": staff.id, "role": role.value, "hours": hours}
        kind = ProposalKind.ELEVATION
        return self._proposals.ask(Wish(entity_id, kind, staff.id, content, reason, MAY_AGREE, request), actor)

    def agree(self, entity_id: str, proposal_id: str, seen: str, decider: Decider) -> Elevation:
        """Give the role from now on; by the same person again changes nothing. Refusals of `Proposals`."""
        proposal = self._proposals.get(entity_id, proposal_id)
        staff = self._staff(proposal.subject_id)
        given = next((e for e in staff.elevations if e.id == proposal_id), None)
        if given and proposal.state is ProposalState.DONE and proposal.decided_by == decider.actor.id:
            return given
        elevation = _elevation(proposal, decider.actor, self._clock())
        unit = Unit(f"elevate {staff.id}")
        self._proposals.agreed_in(entity_id, proposal_id, ProposalKind.ELEVATION, seen, decider)(unit)
        if not rules.may_be_raised_to(staff, entity_id, elevation.role, self._clock()):
            raise Refusal("role_not_offered", "they have this role meanwhile, or may not have it beside theirs")
        alive = [e for e in staff.elevations if self._clock() < e.until]
        records.change(unit, staff, elevations=records.elevations_field([*alive, elevation]))
        after = {"role": elevation.role.value, "until": instant_text(elevation.until), "asked_by": proposal.asked_by}
        unit.put(audit_item(self._record(entity_id, decider.actor, "staff.elevated", staff.id, after, proposal.reason)))
        self._write(unit)
        return elevation

    def end(self, staff_id: str, entity_id: str, elevation_id: str, actor: Actor) -> None:
        """End one early; NotFound when it is over or never was."""
        staff = self._staff(staff_id)
        ended = next((e for e in rules.elevations_at(staff, entity_id, self._clock()) if e.id == elevation_id), None)
        if ended is None:
            raise NotFound("no such elevation")
        left = [e for e in staff.elevations if e is not ended]
        unit = records.change(Unit(f"end {elevation_id}"), staff, elevations=records.elevations_field(left))
        after = {"role": ended.role.value}
        self._write(unit.put(audit_item(self._record(entity_id, actor, "staff.elevation_ended", staff_id, after, ""))))

    def _staff(self, staff_id: str) -> Staff:
        item = self._store.get(*records.staff_key(staff_id))
        if item is None:
            raise NotFound("no such member of staff")
        return records.staff_from(item)

    def _record(
        self, entity_id: str, actor: Actor, action: str, subject: str, after: dict[str, str], reason: str
    ) -> AuditRecord:
        return AuditRecord(entity_id, self._clock(), actor, action, subject, after=after, reason=reason)

    def _write(self, unit: Unit) -> None:
        if self._store.write_one(unit):
            raise Refusal("changed_meanwhile", "their access was changed by someone else; look at it and try again")


def _elevation(proposal: Proposal, actor: Actor, now: datetime) -> Elevation:
    until = now + timedelta(hours=proposal.content["hours"])
    role = StaffRole(proposal.content["role"])
    return Elevation(proposal.id, proposal.owner_id, role, until, proposal.reason, actor.id)
