"""Requests as the seller's people agree to them: small ones at once, larger ones when a second person has agreed."""

from __future__ import annotations

from dataclasses import dataclass

from saldo.access.model_proposals import Decider, Proposal, ProposalKind, Wish
from saldo.access.model_staff import StaffRole
from saldo.access.proposals import Proposals
from saldo.access.rules_proposals import needs_second
from saldo.audit.model import Actor
from saldo.kernel.errors import Refusal
from saldo.kernel.money import Money
from saldo.promises.model import Promise, PromiseState
from saldo.promises.reading import promise_of
from saldo.promises.service import Promises

MAY_AGREE = frozenset({StaffRole.FINANCE_APPROVER.value})


def takes_two(promise: Promise) -> bool:
    """Putting off so much takes two people: the same sums as for credit notes."""
    return needs_second(Money(promise.minor, promise.currency))


@dataclass(frozen=True, slots=True)
class Deciding:
    promises: Promises
    proposals: Proposals

    def ask(
        self, account_id: str, promise_id: str, seen: int, actor: Actor, explanation: str, request: str
    ) -> Promise | Proposal:
        """Agree to a request, or put it before a second person. Refusals as of `Promises.agree`, `Proposals.ask`."""
        promise = promise_of(self.promises.store, account_id, promise_id)
        if promise.state is not PromiseState.ASKED or promise.revision != seen:
            raise Refusal("changed_meanwhile", "somebody else acted on this at the same time; look again")
        if not takes_two(promise):
            return self.promises.agree(account_id, promise_id, seen, actor)
        content = {"account_id": account_id, "promise_id": promise_id, "revision": seen}
        content |= {"until_on": promise.until_on.isoformat(), "instalments": len(promise.instalments)}
        amount, kind = Money(promise.minor, promise.currency), ProposalKind.PROMISE
        wish = Wish(promise.entity_id, kind, promise_id, content, explanation, MAY_AGREE, request, amount)
        return self.proposals.ask(wish, actor)

    def agree(self, entity_id: str, proposal_id: str, seen: str, decider: Decider) -> Promise:
        """In the unit that agrees to it. Refusals as of `Proposals` and `Promises.agree`."""
        told = self.proposals.get(entity_id, proposal_id).content
        consent = self.proposals.agreed_in(entity_id, proposal_id, ProposalKind.PROMISE, seen, decider)
        account_id, promise_id, revision = told["account_id"], told["promise_id"], int(told["revision"])
        return self.promises.agree(account_id, promise_id, revision, decider.actor, consent)
