"""Credit notes as the seller's people give them: small ones at once, larger ones when a second person has agreed."""

from __future__ import annotations

from dataclasses import dataclass

from saldo.access.model_proposals import Decider, Proposal, ProposalKind, Wish
from saldo.access.model_staff import StaffRole
from saldo.access.proposals import Proposals
from saldo.access.rules_proposals import needs_second
from saldo.audit.model import Actor
from saldo.invoicing.corrections import Corrections, CreditRequest
from saldo.invoicing.records import InvoiceHeader
from saldo.invoicing.rules_corrections import Reason
from saldo.kernel.errors import Refusal
from saldo.kernel.money import Money

MAY_AGREE = frozenset({StaffRole.FINANCE_APPROVER.value})


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be given: the total with tax, above zero, and whether it takes a second person."""

    total: Money
    net_minor: int
    tax_minor: int
    takes_two: bool


class StaffCredits:
    """Credit notes by staff of one region's sellers."""

    def __init__(self, corrections: Corrections, proposals: Proposals) -> None:
        self._corrections, self._proposals = corrections, proposals

    def preview(self, asked: CreditRequest) -> Preview:
        """Refusals as of `Corrections.credit`; nothing is written."""
        note, earlier_minor = self._corrections.preview(asked)
        total = Money(-note.total_minor, note.currency)
        # Counted with what the invoice's earlier notes gave: many small ones are a large one.
        takes_two = needs_second(Money(total.minor + earlier_minor, total.currency))
        return Preview(total, -note.net_minor, -note.tax_minor, takes_two)

    def ask(self, entity_id: str, asked: CreditRequest, explanation: str) -> InvoiceHeader | Proposal:
        """Issue it, or put it on record for a second person; the same request again finds what it became."""
        before = self._corrections.issued_for(asked)
        if before is not None:
            return before
        found = self.preview(asked)
        if not found.takes_two:
            return self._corrections.credit(asked)
        plain = ("account_id", "invoice_id", "note", "net_minor", "total_minor")
        content = {name: getattr(asked, name) for name in plain} | {"reason": asked.reason.value}
        content |= {"amounts": dict(asked.amounts), "gives_minor": found.total.minor}
        kind, subject = ProposalKind.CREDIT_NOTE, asked.invoice_id
        wish = Wish(entity_id, kind, subject, content, explanation, MAY_AGREE, asked.request, found.total)
        return self._proposals.ask(wish, asked.actor)

    def agree(self, entity_id: str, proposal_id: str, seen: str, decider: Decider) -> InvoiceHeader:
        """Issue what was asked, in the unit that agrees to it. Refusal `gives_otherwise` when it would come to another
        total by now (credited in part meanwhile): it is then asked anew. Else those of `Proposals` and `credit`."""
        proposal = self._proposals.get(entity_id, proposal_id)
        asked = _request(proposal, Actor(proposal.asked_by, "staff", decider.actor.correlation_id))
        before = self._corrections.issued_for(asked)
        if before is not None:
            return before
        if self.preview(asked).total.minor != proposal.content["gives_minor"]:
            raise Refusal("gives_otherwise", "the invoice changed since: this would come to another amount now")
        consent = self._proposals.agreed_in(entity_id, proposal_id, ProposalKind.CREDIT_NOTE, seen, decider)
        return self._corrections.credit(asked, consent)


def _request(proposal: Proposal, actor: Actor) -> CreditRequest:
    """The request as it was asked; its id follows from the proposal's, so that it is carried out once."""
    told = proposal.content
    return CreditRequest(
        account_id=told["account_id"],
        invoice_id=told["invoice_id"],
        request=proposal.id.replace("_", ""),
        reason=Reason(told["reason"]),
        actor=actor,
        note=told["note"],
        amounts=told["amounts"],
        net_minor=told["net_minor"],
        total_minor=told["total_minor"],
    )
