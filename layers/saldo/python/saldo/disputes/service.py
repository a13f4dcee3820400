"""Use cases of disputes: open, talk, withdraw, reopen, refuse, credit.

Each is one unit: the dispute, its sealed words, the guard of the invoice's cents, what of the invoice's open balance is
in dispute, the audit record, the mail. A credit note is issued by invoicing's own use case; what it decides of the
dispute lies in its unit (`settling`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from saldo.access.model_proposals import Proposal
from saldo.access.notes import News, NoteKind, add_news
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.disputes import records, rules
from saldo.disputes.model import Claim, Dispute, DisputeReason, DisputeState, InDispute, Side, StateChange
from saldo.invoicing.codec import body_from_bytes
from saldo.invoicing.corrections import CreditRequest
from saldo.invoicing.model import InvoiceBody
from saldo.invoicing.records import InvoiceHeader, body_key, header_from, header_key
from saldo.invoicing.records_corrections import link_prefix
from saldo.invoicing.records_moves import dispute_update
from saldo.invoicing.rules_credit_notes import credit_note, whole, with_discounts
from saldo.invoicing.staff_credits import StaffCredits
from saldo.invoicing.status import SHOWN, DocumentKind
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Refusal, Unavailable
from saldo.kernel.ids import fingerprint
from saldo.storage.sealing import Sealer
from saldo.storage.store import Store
from saldo.storage.units import Unit

_MOST_ATTEMPTS = 5
_NEWS_FOR = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a customer disputes: amounts of lines (minor units, before tax), or without lines an amount with tax, or
    with neither all that is left of the invoice. `request`: the form's own id, so that it comes once."""

    account_id: str
    invoice_id: str
    reason: DisputeReason
    words: str
    request: str
    actor: Actor
    lines: Mapping[str, int] = field(default_factory=dict)
    amount_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Disputable:
    """An invoice as it can be disputed: `left` is what its lines came to after credit notes, by line id."""

    header: InvoiceHeader
    body: InvoiceBody | None
    notes: tuple[InvoiceBody, ...]
    known: InDispute

    @property
    def left(self) -> dict[str, int]:
        return whole(self.body, self.notes) if self.body else {}


@dataclass(frozen=True, slots=True)
class Disputes:
    """Disputes of one region. `store` is the region's, or narrowed to an account and its seller."""

    store: Store
    sealer: Sealer
    clock: Clock

    # -- what the customer does ---------------------------------------------------------------------------------

    def claim(self, wish: Wish) -> tuple[Claim, Disputable]:
        """What it would come to, with tax; nothing is written. Refusal `invalid_dispute`, NotFound."""
        rules.check_words(wish.words)
        found = self.disputable(wish.account_id, wish.invoice_id)
        claim = _claim_of(wish, found)
        rules.check_claim(claim, found.header.total_minor - found.header.credited_minor, found.known)
        return claim, found

    def open(self, wish: Wish) -> Dispute:
        """Put it on record; the same form again finds what it became. Refusals as of `claim`."""
        at = self.clock()
        dispute_id = f"dsp_{fingerprint(wish.account_id, wish.request)}"  # the same after midnight, too
        for _ in range(_MOST_ATTEMPTS):
            before = self.store.get(*records.dispute_key(wish.account_id, dispute_id))
            if before is not None:
                return records.dispute_from(before)
            claim, found = self.claim(wish)
            header = found.header
            dispute = Dispute(
                account_id=wish.account_id,
                id=dispute_id,
                organisation_id=header.organisation_id,
                entity_id=header.entity_id,
                invoice_id=header.invoice_id,
                number=header.number,
                currency=header.currency,
                reason=wish.reason,
                claim=claim,
                state=DisputeState.OPEN,
                opened_at=at,
                opened_by=wish.actor.id,
                history=(StateChange(at, DisputeState.OPEN),),
            )
            dispute = rules.with_message(dispute, Side.CUSTOMER, wish.actor.id, wish.words, at)
            unit = Unit(f"open {dispute_id}").insert(records.dispute_item(dispute))
            self._beside(unit, dispute, found.known, header)
            self._audit(unit, dispute, wish.actor, "dispute.opened")
            if self.store.write_one(unit) is None:
                return dispute
        raise Unavailable("the invoice is being changed by others; try again")

    def say(self, account_id: str, dispute_id: str, seen: int, words: str, actor: Actor) -> Dispute:
        """The customer writes to the seller. Refusal `changed_meanwhile` when `seen` is no longer its revision."""
        at = self.clock()
        old = self._seen(account_id, dispute_id, seen)
        return self._change(old, rules.said(old, Side.CUSTOMER, actor.id, words, at), actor, "dispute.message")

    def withdraw(self, account_id: str, dispute_id: str, seen: int, actor: Actor) -> Dispute:
        old = self._seen(account_id, dispute_id, seen)
        return self._change(old, rules.withdrawn(old, self.clock()), actor, "dispute.withdrawn")

    def reopen(self, account_id: str, dispute_id: str, seen: int, words: str, actor: Actor) -> Dispute:
        old = self._seen(account_id, dispute_id, seen)
        return self._change(old, rules.reopened(old, actor.id, words, self.clock()), actor, "dispute.reopened")

    # -- what the seller does -----------------------------------------------------------------------------------

    def answer(self, account_id: str, dispute_id: str, seen: int, words: str, actor: Actor) -> Dispute:
        """The seller writes; whoever opened it hears by mail that there is something to read."""
        old = self._seen(account_id, dispute_id, seen)
        new = rules.said(old, Side.SELLER, actor.id, words, self.clock())
        return self._change(old, new, actor, "dispute.message", tell=True)

    def refuse(self, account_id: str, dispute_id: str, seen: int, words: str, actor: Actor) -> Dispute:
        old = self._seen(account_id, dispute_id, seen)
        new = rules.refused(old, actor.id, words, self.clock())
        return self._change(old, new, actor, "dispute.refused", tell=True)

    def credit(self, credits: StaffCredits, seen: int, asked: CreditRequest, explanation: str) -> Dispute:
        """Decide it by a credit note: at once, or once a second person agrees. `asked.dispute_id` names it; less than
        is disputed refuses the rest. Refusals `more_than_disputed`, `changed_meanwhile`, those of `StaffCredits`."""
        before = self.get(asked.account_id, asked.dispute_id)
        if before.revision == seen:
            rules.into(before, DisputeState.IN_CREDIT, self.clock())
            if credits.preview(asked).total.minor > before.disputed_minor:
                raise Refusal("more_than_disputed", "a credit note for a dispute gives no more than is disputed")
        elif not credits.known(asked):
            raise Refusal("changed_meanwhile", "somebody else acted on this at the same time; look again")
        outcome = credits.ask(before.entity_id, asked, explanation)
        old = self.get(asked.account_id, asked.dispute_id)
        if not isinstance(outcome, Proposal) or old.state is DisputeState.IN_CREDIT or old.revision != seen:
            return old
        new = rules.into(old, DisputeState.IN_CREDIT, self.clock())
        return self._change(old, new, asked.actor, "dispute.credit_asked")

    def settling(self, asked: CreditRequest) -> tuple[CreditRequest, Callable[[Unit, InvoiceHeader], None]]:
        """Implements `invoicing.ports.DisputesSettled`."""
        dispute = self.get(asked.account_id, asked.dispute_id)
        if dispute.invoice_id != asked.invoice_id:
            raise NotFound("no such dispute")
        after = self._known(dispute).minor - dispute.disputed_minor

        def settles(unit: Unit, note: InvoiceHeader) -> None:
            old = self.get(asked.account_id, asked.dispute_id)
            known = self._known(old)
            if known.minor - old.disputed_minor != after:
                raise Refusal("changed_meanwhile", "the invoice's disputes changed at the same time; look again")
            new = rules.credited(old, note.invoice_id, -note.total_minor, self.clock())
            new = replace(new, revision=old.revision + 1)
            unit.put(records.dispute_item(new), when={"revision": old.revision})
            records.write_in_dispute(unit, old.account_id, known, rules.with_standing(known, new))
            self._audit(unit, new, asked.actor, "dispute.credited")
            self._tell(unit, new)

        return replace(asked, disputed_after=after), settles

    # -- reading ------------------------------------------------------------------------------------------------

    def get(self, account_id: str, dispute_id: str) -> Dispute:
        """One dispute with its words, in one call; NotFound for another's as for none."""
        key, words = records.dispute_key(account_id, dispute_id), records.words_key(account_id, dispute_id)
        found = self.store.get_many([key, words], consistent=True)
        if key not in found:
            raise NotFound("no such dispute")
        item = found[key]
        return records.dispute_from(item, records.words_from(found[words], self.sealer, len(item["messages"])))

    def disputable(self, account_id: str, invoice_id: str) -> Disputable:
        """An issued invoice with what is in dispute of it. NotFound; Refusal `not_disputable` for a credit note."""
        links = self.store.query_all(account_id, prefix=link_prefix(invoice_id), consistent=True)
        note_keys = [body_key(account_id, link["note_id"]) for link in links]
        own, guard = header_key(account_id, invoice_id), records.disputed_key(account_id, invoice_id)
        body = body_key(account_id, invoice_id)
        found = self.store.get_many([own, body, guard, *note_keys], consistent=True)
        if own not in found or found[own]["status"] not in SHOWN:
            raise NotFound("no such invoice")
        header = header_from(found[own])
        if header.document is not DocumentKind.INVOICE:
            raise Refusal("not_disputable", "an invoice is disputed, not a credit note")
        notes = tuple(body_from_bytes(found[key]["body"]) for key in note_keys if key in found)
        frozen = body_from_bytes(found[body]["body"]) if body in found else None
        return Disputable(header, frozen, notes, records.in_dispute_from(invoice_id, found.get(guard)))

    # -- how ----------------------------------------------------------------------------------------------------

    def _seen(self, account_id: str, dispute_id: str, seen: int) -> Dispute:
        dispute = self.get(account_id, dispute_id)
        if dispute.revision != seen:
            raise Refusal("changed_meanwhile", "somebody else acted on this at the same time; look again")
        return dispute

    def _known(self, dispute: Dispute) -> InDispute:
        item = self.store.get(*records.disputed_key(dispute.account_id, dispute.invoice_id))
        return records.in_dispute_from(dispute.invoice_id, item)

    def _change(self, old: Dispute, new: Dispute, actor: Actor, action: str, *, tell: bool = False) -> Dispute:
        new = replace(new, revision=old.revision + 1)
        for _ in range(_MOST_ATTEMPTS):
            found = self._invoice(old)
            unit = Unit(f"{action} {old.id}").put(records.dispute_item(new), when={"revision": old.revision})
            self._beside(unit, new, *found)
            self._audit(unit, new, actor, action)
            if tell:
                self._tell(unit, new)
            conflict = self.store.write_one(unit)
            if conflict is None:
                return new
            if records.dispute_key(old.account_id, old.id) in conflict.keys:
                break
        raise Refusal("changed_meanwhile", "somebody else acted on this at the same time; look again")

    def _invoice(self, dispute: Dispute) -> tuple[InDispute, InvoiceHeader]:
        own = header_key(dispute.account_id, dispute.invoice_id)
        guard = records.disputed_key(dispute.account_id, dispute.invoice_id)
        found = self.store.get_many([own, guard], consistent=True)
        return records.in_dispute_from(dispute.invoice_id, found.get(guard)), header_from(found[own])

    def _beside(self, unit: Unit, dispute: Dispute, known: InDispute, header: InvoiceHeader) -> None:
        """What goes with every change: the words, the guard, and what of the open balance is in dispute."""
        unit.put(records.words_item(dispute, self.sealer))
        after = rules.with_standing(known, dispute)
        if after != known:
            records.write_in_dispute(unit, dispute.account_id, known, after)
            dispute_update(unit, header, after.minor)

    def _audit(self, unit: Unit, dispute: Dispute, actor: Actor, action: str) -> None:
        after = {"invoice_id": dispute.invoice_id, "state": dispute.state.value, "reason": dispute.reason.value}
        amounts = {"disputed_minor": dispute.disputed_minor, "credited_minor": dispute.credited_minor}
        record = AuditRecord(dispute.account_id, self.clock(), actor, action, dispute.id, after=after | amounts)
        unit.put(audit_item(record))

    def _tell(self, unit: Unit, dispute: Dispute) -> None:
        """Mail to whoever opened it that there is news, without what it says."""
        now, note_id = self.clock(), f"note_{fingerprint(dispute.id, str(dispute.revision))}"
        path = f"/accounts/{dispute.account_id}/disputes/{dispute.id}"
        news = News(note_id, NoteKind.DISPUTE_NEWS, path, now, now + _NEWS_FOR)
        add_news(unit, dispute.account_id, dispute.opened_by, news, self.store, self.sealer)


def _claim_of(wish: Wish, found: Disputable) -> Claim:
    header = found.header
    if not wish.lines:
        left = (
            header.total_minor
            - header.credited_minor
            - sum(
                one.claim.gross_minor - one.credited_minor
                for one in found.known.disputes
                if one.state is not DisputeState.WITHDRAWN
            )
        )
        return Claim(left if wish.amount_minor is None else wish.amount_minor)
    rules.check_lines(wish.lines, found.left, found.known)
    assert found.body is not None, "an invoice without lines has none to dispute"
    amounts = with_discounts(found.body, wish.lines, found.notes)
    note = credit_note(found.body, header.issued_on, amounts, found.notes)
    return Claim(-note.total_minor, dict(wish.lines))
