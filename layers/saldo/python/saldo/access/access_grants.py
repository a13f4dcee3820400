"""Use cases of standing roles: one administrator asks, another one agrees; not the one who is to have the role.

Taking roles away is a review's (reviews.py).
"""

from __future__ import annotations

from saldo.access import records_staff as records
from saldo.access import rules_staff as rules
from saldo.access.elevation import MAY_AGREE
from saldo.access.model_proposals import Decider, Proposal, ProposalKind, ProposalState, Wish
from saldo.access.model_staff import Post, Staff, StaffRole
from saldo.access.proposals import Proposals
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Refusal
from saldo.storage.store import Store
from saldo.storage.units import Unit


class AccessGrants:
    """Standing roles of one region's staff."""

    def __init__(self, store: Store, clock: Clock, proposals: Proposals) -> None:
        self._store, self._clock, self._proposals = store, clock, proposals

    def ask(self, staff_id: str, entity_id: str, role: StaffRole, reason: str, request: str, actor: Actor) -> Proposal:
        """Ask that somebody who works here has one more role. Refusal `roles_apart`; NotFound for who has none here."""
        self._with(self._staff(staff_id, entity_id), entity_id, role)
        content = {"staff_id": staff_id, "role": role.value}
        wish = Wish(entity_id, ProposalKind.ACCESS_GRANT, staff_id, content, reason, MAY_AGREE, request)
        return self._proposals.ask(wish, actor)

    def agree(self, entity_id: str, proposal_id: str, seen: str, decider: Decider) -> None:
        """Give the role from now on; by the same person again changes nothing. Refusal `own_access` for the one who is
        to have it, and those of `Proposals`."""
        proposal = self._proposals.get(entity_id, proposal_id)
        if proposal.state is ProposalState.DONE and proposal.decided_by == decider.actor.id:
            return
        if proposal.subject_id == decider.actor.id:
            raise Refusal("own_access", "your own access is decided on by others")
        staff, role = self._staff(proposal.subject_id, entity_id), StaffRole(proposal.content["role"])
        unit = Unit(f"grant {proposal_id}")
        self._proposals.agreed_in(entity_id, proposal_id, ProposalKind.ACCESS_GRANT, seen, decider)(unit)
        records.change(unit, staff, posts=records.posts_field(self._with(staff, entity_id, role)))
        after = {"role": role.value, "asked_by": proposal.asked_by}
        record = AuditRecord(
            entity_id, self._clock(), decider.actor, "staff.granted", staff.id, after=after, reason=proposal.reason
        )
        if self._store.write_one(unit.put(audit_item(record))):
            raise Refusal("changed_meanwhile", "their access was changed by someone else; look at it and try again")

    def _with(self, staff: Staff, entity_id: str, role: StaffRole) -> list[Post]:
        posts = [p for p in staff.posts if (p.entity_id, p.role) != (entity_id, role)]
        posts.append(Post(entity_id, role, self._clock()))
        rules.check_posts(posts)
        return posts

    def _staff(self, staff_id: str, entity_id: str) -> Staff:
        item = self._store.get(*records.staff_key(staff_id))
        staff = records.staff_from(item) if item else None
        if staff is None or not any(p.entity_id == entity_id for p in staff.posts):
            raise NotFound("no such member of staff")
        return staff
