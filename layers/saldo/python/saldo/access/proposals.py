"""Use cases of four eyes: ask, agree, refuse, withdraw, take up.

Whoever carries a proposal out does it in the unit that agrees to it (`agreed_in`), so that there is no agreement
without its effect and no effect twice. What cannot be done in one unit (a payment at a gateway) is agreed to first
(`agree`) and taken up by the use case's own unit (`taken_up_in`), once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from saldo.access import records_proposals as records
from saldo.access import rules_proposals as rules
from saldo.access.model_proposals import Decider, Proposal, ProposalKind, ProposalState, WaitingProposal, Wish
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock, instant_text
from saldo.kernel.errors import NotFound, Refusal
from saldo.kernel.states import moved
from saldo.storage.store import Store
from saldo.storage.units import Unit

Consent = Callable[[Unit], None]
"""Adds to a unit what must hold besides, or refuses. Asked anew each time the unit is made."""


class Proposals:
    """Proposals of one region's owners."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def ask(self, wish: Wish, actor: Actor) -> Proposal:
        """Put a wish on record; the same form again finds the same proposal. Refusal `reason_required`."""
        proposal = rules.proposed(wish, actor.id, self._clock())
        unit = Unit(f"ask {proposal.id}").insert(records.proposal_item(proposal))
        after = {"kind": proposal.kind.value, "digest": proposal.digest, "proposal": proposal.id}
        unit.put(audit_item(self._record(proposal, actor, "proposal.asked", after, proposal.reason)))
        if self._store.write_one(unit):
            return self.get(proposal.owner_id, proposal.id)
        return proposal

    def get(self, owner_id: str, proposal_id: str) -> Proposal:
        item = self._store.get(*records.proposal_key(owner_id, proposal_id))
        if item is None:
            raise NotFound("no such proposal")
        return records.proposal_from(item)

    def waiting(self, owner_id: str) -> list[WaitingProposal]:
        """What waits for a second person and has not expired, the soonest to expire first; one call."""
        now = self._clock()
        rows = self._store.query_all(records.waiting_agenda(owner_id), agenda=True, first=instant_text(now))
        return [waiting for waiting in map(records.waiting_from, rows) if waiting.expires_at > now]

    def agreed_in(self, owner_id: str, proposal_id: str, kind: ProposalKind, seen: str, decider: Decider) -> Consent:
        """What agrees to a proposal in the unit that carries it out."""

        def consent(unit: Unit) -> None:
            proposal = self._second(owner_id, proposal_id, kind, seen, decider)
            self._decide(unit, proposal, ProposalState.DONE, decider.actor, "proposal.agreed")

        return consent

    def agree(self, owner_id: str, proposal_id: str, kind: ProposalKind, seen: str, decider: Decider) -> Proposal:
        """Agree to what another use case will take up; by the same person again changes nothing."""
        before = self.get(owner_id, proposal_id)
        if before.state in (ProposalState.AGREED, ProposalState.DONE) and before.decided_by == decider.actor.id:
            return before
        unit = Unit(f"agree {proposal_id}")
        proposal = self._second(owner_id, proposal_id, kind, seen, decider)
        self._decide(unit, proposal, ProposalState.AGREED, decider.actor, "proposal.agreed")
        return self._written(unit, proposal)

    def taken_up_in(self, owner_id: str, proposal_id: str, kind: ProposalKind, seen: str) -> Consent:
        """What uses up an agreement in the unit that carries it out. Refusal `not_agreed` when there is none left."""

        def consent(unit: Unit) -> None:
            proposal = self.get(owner_id, proposal_id)
            if proposal.kind is not kind or proposal.state is not ProposalState.AGREED or proposal.digest != seen:
                raise Refusal("not_agreed", "nobody has agreed to this, or it was carried out already")
            done = moved(rules.MOVES, proposal.state, ProposalState.DONE)
            when = {"state": proposal.state.value, "digest": seen}
            unit.update(records.proposal_key(owner_id, proposal_id), set={"state": done.value}, when=when)

        return consent

    def refuse(self, owner_id: str, proposal_id: str, seen: str, decider: Decider, note: str) -> Proposal:
        """Say no, with the reason. Refusals as for agreeing, and `reason_required`."""
        if not note.strip():
            raise Refusal("reason_required", "say why, for the one who asked")
        proposal = self.get(owner_id, proposal_id)
        if proposal.state is ProposalState.REFUSED and proposal.decided_by == decider.actor.id:
            return proposal
        rules.check_second(proposal, decider)
        rules.check_open(proposal, seen, self._clock())
        unit = Unit(f"refuse {proposal_id}")
        self._decide(unit, proposal, ProposalState.REFUSED, decider.actor, "proposal.refused", note.strip()[:300])
        return self._written(unit, proposal)

    def withdraw(self, owner_id: str, proposal_id: str, actor: Actor) -> Proposal:
        """Take back what one asked oneself; NotFound for anybody else's."""
        proposal = self.get(owner_id, proposal_id)
        if proposal.asked_by != actor.id:
            raise NotFound("no such proposal")
        if proposal.state is ProposalState.WITHDRAWN:
            return proposal
        rules.check_open(proposal, proposal.digest, self._clock())
        unit = Unit(f"withdraw {proposal_id}")
        self._decide(unit, proposal, ProposalState.WITHDRAWN, actor, "proposal.withdrawn")
        return self._written(unit, proposal)

    # -- how ---------------------------------------------------------------------------------------------------

    def _second(self, owner_id: str, proposal_id: str, kind: ProposalKind, seen: str, decider: Decider) -> Proposal:
        proposal = self.get(owner_id, proposal_id)
        if proposal.kind is not kind:
            raise NotFound("no such proposal")
        rules.check_second(proposal, decider)
        rules.check_open(proposal, seen, self._clock())
        return proposal

    def _decide(
        self, unit: Unit, proposal: Proposal, state: ProposalState, actor: Actor, action: str, note: str = ""
    ) -> None:
        new = moved(rules.MOVES, proposal.state, state).value
        at = instant_text(self._clock())
        said = {"state": new, "decided_by": actor.id, "decided_at": at, "note": note}
        when = {"state": ProposalState.ASKED.value, "digest": proposal.digest}
        key = records.proposal_key(proposal.owner_id, proposal.id)
        unit.update(key, set=said, remove=("agenda_pk", "agenda_on"), when=when)
        after = {"kind": proposal.kind.value, "digest": proposal.digest, "asked_by": proposal.asked_by}
        after |= {"proposal": proposal.id}
        unit.put(audit_item(self._record(proposal, actor, action, after, note)))

    def _written(self, unit: Unit, proposal: Proposal) -> Proposal:
        if self._store.write_one(unit):
            raise Refusal("changed_meanwhile", "someone else decided on this; look at it again")
        return self.get(proposal.owner_id, proposal.id)

    def _record(
        self, proposal: Proposal, actor: Actor, action: str, after: Mapping[str, str], reason: str
    ) -> AuditRecord:
        at: datetime = self._clock()
        return AuditRecord(proposal.owner_id, at, actor, action, proposal.subject_id, after=after, reason=reason)
