"""Credit notes as the seller's people give them, and invoices that they bill again: of small amounts at once, of larger
ones when a second person has agreed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from saldo.access.model_proposals import Decider, Proposal, ProposalKind, Wish
from saldo.access.model_staff import StaffRole
from saldo.access.proposals import Proposals
from saldo.access.rules_proposals import needs_second
from saldo.audit.model import Actor
from saldo.invoicing.corrections import Corrections, CreditRequest, Settles
from saldo.invoicing.model import InvoiceBody
from saldo.invoicing.records import InvoiceHeader
from saldo.invoicing.rules_corrections import Reason
from saldo.kernel.errors import Refusal
from saldo.kernel.money import Money
from saldo.storage.units import Unit

MAY_AGREE = frozenset({StaffRole.FINANCE_APPROVER.value})


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be given: the total with tax, above zero, and whether it takes a second person. `again`: the invoice
    that would stand for the one taken back."""

    total: Money
    net_minor: int
    tax_minor: int
    takes_two: bool
    again: InvoiceBody | None = None


class DisputesSettled(Protocol):
    """What the room of disputes does when a credit note decides one."""

    def settling(self, asked: CreditRequest) -> tuple[CreditRequest, Settles]:
        """The request with what is then in dispute by others, and what the note's unit has besides."""


class StaffCredits:
    """Credit notes by staff of one region's sellers. Without `disputes` none that decides one is given."""

    def __init__(self, corrections: Corrections, proposals: Proposals, disputes: DisputesSettled | None = None) -> None:
        self._corrections, self._proposals, self._disputes = corrections, proposals, disputes

    def known(self, asked: CreditRequest) -> bool:
        """Whether this request became a credit note already."""
        return self._corrections.issued_for(asked) is not None

    def preview(self, asked: CreditRequest) -> Preview:
        """Refusals as of `Corrections.credit` and `rebill`; nothing is written."""
        again: InvoiceBody | None = None
        if asked.again:
            (note, again), earlier_minor = self._corrections.preview_rebill(asked), 0
        else:
            note, earlier_minor = self._corrections.preview(asked)
        total = Money(-note.total_minor, note.currency)
        # Counted with what the invoice's earlier notes gave: many small ones are a large one.
        takes_two = needs_second(Money(total.minor + earlier_minor, total.currency))
        return Preview(total, -note.net_minor, -note.tax_minor, takes_two, again)

    def ask(self, entity_id: str, asked: CreditRequest, explanation: str) -> InvoiceHeader | Proposal:
        """Issue it, or put it on record for a second person; the same request again finds what it became."""
        before = self._corrections.issued_for(asked)
        if before is not None:
            return before
        found = self.preview(asked)
        if not found.takes_two:
            return self._issue(asked)
        plain = ("account_id", "invoice_id", "note", "net_minor", "total_minor")
        content = {name: getattr(asked, name) for name in plain} | {"reason": asked.reason.value}
        content |= {"amounts": dict(asked.amounts), "gives_minor": found.total.minor}
        content |= {"dispute_id": asked.dispute_id} if asked.dispute_id else {}
        content |= _bills(found)
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
        found = self.preview(asked)
        would = {"gives_minor": found.total.minor, **_bills(found)}
        if any(proposal.content.get(name) != value for name, value in would.items()):
            raise Refusal("gives_otherwise", "the invoice changed since: this would come to something else now")
        consent = self._proposals.agreed_in(entity_id, proposal_id, ProposalKind.CREDIT_NOTE, seen, decider)
        return self._issue(asked, consent)

    def _issue(self, asked: CreditRequest, consent: Callable[[Unit], None] | None = None) -> InvoiceHeader:
        if asked.again:
            return self._corrections.rebill(asked, consent=consent)[1]
        if not asked.dispute_id:
            return self._corrections.credit(asked, consent)
        assert self._disputes is not None, "who decides disputes is told of them"
        told, settles = self._disputes.settling(asked)
        return self._corrections.credit(told, consent, settles)


def _bills(found: Preview) -> dict[str, int]:
    """Of an invoice that is billed again what is agreed to: its total, and to which version of the billing details."""
    new = found.again
    return {"bills_minor": new.total_minor, "buyer_profile": new.buyer_profile} if new else {}


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
        dispute_id=told.get("dispute_id", ""),
        again="bills_minor" in told,
    )
