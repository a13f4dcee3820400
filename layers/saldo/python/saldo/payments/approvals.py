"""Use cases of a buyer's approval chains: ask, agree or decline, stand in for somebody, start what all agreed to.

That nothing starts without its chain is enforced where payments start (`opening`), whoever calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from saldo.access.model import Role
from saldo.access.model_people import Member
from saldo.access.notes import Note, NoteKind, add_note
from saldo.access.records_people import people_of
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Refusal
from saldo.kernel.ids import derived_id, fingerprint
from saldo.kernel.periods import local_date
from saldo.payments import records_approvals as records
from saldo.payments import rules, rules_approvals
from saldo.payments.model import Payment
from saldo.payments.model_approvals import Approval, ApprovalPolicy, ApprovalState, Decider, Delegation
from saldo.payments.opening import Wish, basis_minor
from saldo.payments.reading import headers_of, payable
from saldo.payments.service import Payments
from saldo.storage.items import Item
from saldo.storage.sealing import Sealer
from saldo.storage.store import Store
from saldo.storage.units import Unit

APPROVERS = frozenset({Role.APPROVER, Role.ACCOUNT_ADMIN})
_MOST_TOLD = 10


@dataclass(frozen=True, slots=True)
class Approvals:
    """Approvals of accounts of one region. `store` is the region's, not narrowed to a customer."""

    store: Store
    sealer: Sealer
    clock: Clock

    def set_policy(self, account_id: str, policy: ApprovalPolicy, actor: Actor, reason: str) -> None:
        """From the next payment on; no levels at all take the rules away. Refusal `invalid_policy`, NotFound."""
        rules_approvals.check_policy(policy)
        self._account(account_id)
        unit = Unit(f"approval policy {account_id}")
        if policy.levels:
            unit.put(records.policy_item(account_id, policy))
        else:
            unit.delete(records.policy_key(account_id))
        after = {c: [level.above_minor for level in levels] for c, levels in policy.levels.items()}
        self.store.write_one(self._told(unit, account_id, actor, "approvals.policy_set", account_id, after, reason))

    def ask(self, wish: Wish) -> Approval:
        """Put a payment before those who must agree, and tell the first of them; the same form asks once.

        Refusal `invalid_allocations` as for a payment, `approval_not_needed`.
        """
        account, now = self._account(wish.account_id), self.clock()
        approval_id = derived_id("appr", now.date(), wish.account_id, wish.request_key)
        known = self.store.get(*records.approval_key(wish.account_id, approval_id))
        if known is not None:
            return records.approval_from(known)
        found = headers_of(self.store, wish.account_id, wish.allocations)
        payables = {i: payable(header) for i, header in found.items()}
        amount = rules.validated(wish.allocations, payables, wish.reason, local_date(now, account["time_zone"]))
        policy = records.policy_from(self.store.get(*records.policy_key(wish.account_id)))
        basis = basis_minor(amount.minor, wish.allocations, payables)
        levels = rules_approvals.levels_for(policy, amount.currency, basis)
        if not levels:
            raise Refusal("approval_not_needed", "this payment needs nobody's approval")
        approval = Approval(
            account_id=wish.account_id,
            id=approval_id,
            payer=wish.actor.id,
            allocations=rules.numbered(wish.allocations, payables),
            currency=amount.currency,
            amount_minor=amount.minor,
            reason=wish.reason,
            request_key=wish.request_key,
            content=wish.content,
            asked_at=now,
            expires_at=now + rules_approvals.HOLDS,
            steps=rules_approvals.steps_of(levels),
        )
        unit = Unit(f"ask {approval.id}").insert(records.approval_item(approval))
        self._tell_next(unit, approval, account)
        after = {"amount_minor": amount.minor, "currency": amount.currency, "needs": len(levels)}
        self._told(unit, wish.account_id, wish.actor, "approval.asked", approval.id, after)
        return self.get(wish.account_id, approval.id) if self.store.write_one(unit) else approval

    def get(self, account_id: str, approval_id: str) -> Approval:
        item = self.store.get(*records.approval_key(account_id, approval_id))
        if item is None:
            raise NotFound("no such approval")
        return records.approval_from(item)

    def agree(self, account_id: str, approval_id: str, decider: Decider, actor: Actor) -> Approval:
        """One more of the chain. Refusal `not_yours_to_approve`, `changed_meanwhile`."""
        old, account = self.get(account_id, approval_id), self._account(account_id)
        in_place_of = self._in_place_of(old, decider, account)
        new = rules_approvals.agreed(old, decider.user_id, in_place_of, self.clock())
        unit = records.change(Unit(f"agree {approval_id} {decider.user_id}"), old, new)
        if new.state is ApprovalState.WAITING:
            self._tell_next(unit, new, account)
        after = {"state": new.state.value, "content": new.content, "in_place_of": in_place_of}
        return self._changed(self._told(unit, account_id, actor, "approval.agreed", approval_id, after), new)

    def decline(self, account_id: str, approval_id: str, decider: Decider, actor: Actor, reason: str) -> Approval:
        """The end of it; whoever may agree may decline. Refusal as of `agree`, `reason_required`."""
        if not reason.strip():
            raise Refusal("reason_required", "say why, so that the payer knows what to change")
        old, account = self.get(account_id, approval_id), self._account(account_id)
        self._in_place_of(old, decider, account)
        return self._end(old, ApprovalState.DECLINED, actor, "approval.declined", reason.strip()[:200])

    def withdraw(self, account_id: str, approval_id: str, actor: Actor) -> Approval:
        """By the payer, before it started."""
        old = self.get(account_id, approval_id)
        if old.payer != actor.id or old.state not in (ApprovalState.WAITING, ApprovalState.AGREED):
            raise NotFound("no such approval")
        return self._end(old, ApprovalState.VOID, actor, "approval.withdrawn", "")

    def start(self, payments: Payments, account_id: str, approval_id: str, actor: Actor, return_url: str) -> Payment:
        """Start exactly what was agreed to; what can no longer be paid so voids it (Refusal `approval_void`)."""
        approval = self.get(account_id, approval_id)
        if approval.payer != actor.id:
            raise NotFound("no such approval")
        try:
            known = approval.request_key, return_url, approval.reason, approval.id
            return payments.start(account_id, approval.allocations, actor, *known, on=approval.asked_at.date())
        except Refusal as refusal:
            if refusal.code != "invalid_allocations":
                raise
        self._end(approval, ApprovalState.VOID, actor, "approval.voided", "the invoices have changed meanwhile")
        raise Refusal("approval_void", "the invoices have changed since this was approved; ask again")

    def stand_in(self, account_id: str, delegation: Delegation, actor: Actor) -> None:
        """Have a colleague agree in one's place for some days; replaces an earlier one. Refusal `invalid_delegation`,
        NotFound for somebody who is no colleague."""
        account = self._account(account_id)
        rules_approvals.check_delegation(delegation, local_date(self.clock(), account["time_zone"]))
        people = people_of(self.store, self.sealer, account_id, self.clock())
        colleague = people.member(delegation.to)
        if colleague is None or colleague.suspended:
            raise NotFound("no such colleague")
        unit = Unit(f"stand in {delegation.user_id}").put(records.delegation_item(account_id, delegation))
        after = {"to": delegation.to, "from": str(delegation.from_on), "until": str(delegation.until_on)}
        self.store.write_one(self._told(unit, account_id, actor, "delegation.set", delegation.user_id, after))

    def come_back(self, account_id: str, user_id: str, actor: Actor) -> None:
        """Nobody stands in any more."""
        unit = Unit(f"come back {user_id}").delete(records.delegation_key(account_id, user_id))
        self.store.write_one(self._told(unit, account_id, actor, "delegation.ended", user_id, {}))

    def _in_place_of(self, approval: Approval, decider: Decider, account: Item) -> str:
        items = self.store.query_all(approval.account_id, prefix=records.delegation_key("", "")[1], consistent=True)
        found, now = [records.delegation_from(item) for item in items], self.clock()
        today = local_date(now, account["time_zone"])
        in_place_of = rules_approvals.on_behalf(approval, decider, self._standing(found, approval), now, today)
        if in_place_of is None:
            raise Refusal("not_yours_to_approve", "this is not, or no longer, yours to approve")
        return in_place_of

    def _standing(self, delegations: list[Delegation], approval: Approval) -> list[Delegation]:
        """Those whose absent one may approve at all: a delegate never has more than who is absent."""
        if not delegations:
            return []
        people = people_of(self.store, self.sealer, approval.account_id, self.clock())
        may = {m.user_id for m in people.members if m.role in APPROVERS and not m.suspended}
        named = {user_id for step in approval.steps for user_id in step.approvers}
        here = {m.user_id for m in people.members if not m.suspended}
        return [d for d in delegations if d.user_id in may or d.user_id in named & here]

    def _end(self, old: Approval, state: ApprovalState, actor: Actor, action: str, reason: str) -> Approval:
        new = replace(old, state=state, ended_by=actor.id)
        unit = records.change(Unit(f"{action} {old.id}"), old, new)
        after = {"state": state.value}
        return self._changed(self._told(unit, old.account_id, actor, action, old.id, after, reason), new)

    def _changed(self, unit: Unit, new: Approval) -> Approval:
        if self.store.write_one(unit):
            raise Refusal("changed_meanwhile", "somebody else acted on this at the same time; look again")
        return new

    def _account(self, account_id: str) -> Item:
        item = self.store.get(account_id, "account")
        if item is None:
            raise NotFound("no such account")
        return item

    def _tell_next(self, unit: Unit, approval: Approval, account: Item) -> None:
        """Mail to those whose turn it is, in the unit that makes it theirs."""
        step = approval.step
        members = people_of(self.store, self.sealer, approval.account_id, self.clock()).members
        acted = {approval.payer, *(s.by for s in approval.steps)}
        named = [
            m
            for m in members
            if not m.suspended
            and m.user_id not in acted
            and step
            and (m.user_id in step.approvers or (not step.approvers and m.role in APPROVERS))
        ]
        for member in named[:_MOST_TOLD]:
            add_note(unit, self._note(approval, account, member), self.sealer)

    def _note(self, approval: Approval, account: Item, member: Member) -> Note:
        now, turn = self.clock(), sum(bool(step.by) for step in approval.steps)
        return Note(
            account_id=approval.account_id,
            id=f"note_{fingerprint(approval.id, str(turn), member.user_id)}",
            kind=NoteKind.APPROVAL_ASKED,
            organisation_id=account["organisation_id"],
            entity_id=account["entity_id"],
            language=member.language,
            email=member.email,
            written_at=now,
            until=approval.expires_at,
            values={"account": account["name"]},
            path=f"/accounts/{approval.account_id}/approvals/{approval.id}",
            user_id=member.user_id,
        )

    def _told(
        self,
        unit: Unit,
        account_id: str,
        actor: Actor,
        action: str,
        subject: str,
        after: Mapping[str, object],
        reason: str = "",
    ) -> Unit:
        return unit.put(audit_item(AuditRecord(account_id, self.clock(), actor, action, subject, {}, after, reason)))
