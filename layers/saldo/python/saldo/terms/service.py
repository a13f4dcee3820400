"""Use cases of other terms: ask, take back; refuse, or put before a second person, who changes the account."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any  # plain JSON values

from saldo.access.model_proposals import Decider, Proposal, ProposalKind, Wish
from saldo.access.model_staff import StaffRole
from saldo.access.notes import News, NoteKind, add_news
from saldo.access.proposals import Proposals
from saldo.accounts.arrangements import terms_update
from saldo.accounts.model import Account
from saldo.accounts.records import account_from
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Refusal
from saldo.kernel.ids import fingerprint
from saldo.kernel.money import Money
from saldo.storage.sealing import Sealer
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.terms import records, rules
from saldo.terms.model import Asked, TermsRequest, TermsState, Why, WhyNot

MAY_AGREE = frozenset({StaffRole.FINANCE_APPROVER.value})
_NEWS_FOR = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class TermsRequests:
    """Of one region. `store` is the region's, or narrowed to an account and its seller."""

    store: Store
    sealer: Sealer
    clock: Clock

    # -- what the customer does ----------------------------------------------------------------------------------------

    def ask(self, account_id: str, asked: Asked, why: Why, request: str, actor: Actor) -> TermsRequest:
        """Put it on record; the same form again finds it. Refusal `invalid_terms_request` naming every problem."""
        if not 8 <= len(request) <= 200:
            raise Refusal("invalid_request_key", "the form's key must have 8 to 200 characters")
        id_ = f"trq_{fingerprint(account_id, request)}"
        known = self.store.get(*records.request_key(account_id, id_))
        if known is not None:
            return records.request_from(known)
        account = self._account(account_id)
        rules.check_asked(asked, held(account), self.of_account(account_id))
        state, at = TermsState.ASKED, self.clock()
        currency, by = account.currency, actor.id
        made = TermsRequest(account_id, id_, account.entity_id, currency, held(account), asked, why, state, at, by)
        unit = Unit(f"ask {id_}").insert(records.request_item(made))
        self._audit(unit, made, actor, "terms.asked")
        self.store.write_one(unit)  # a conflict means that it is there already
        return self.get(account_id, id_)

    def withdraw(self, account_id: str, request_id: str, seen: int, actor: Actor) -> TermsRequest:
        old = self._seen(account_id, request_id, seen)
        return self._change(old, rules.into(old, TermsState.WITHDRAWN, self.clock()), actor, "terms.request_withdrawn")

    # -- what the seller does ------------------------------------------------------------------------------------------

    def refuse(self, account_id: str, request_id: str, seen: int, why_not: WhyNot, actor: Actor) -> TermsRequest:
        old = self._seen(account_id, request_id, seen)
        new = rules.into(old, TermsState.REFUSED, self.clock(), why_not.value)
        return self._change(old, new, actor, "terms.request_decided", tell=True)

    def propose(
        self, proposals: Proposals, account_id: str, request_id: str, seen: int, actor: Actor, why: str, request: str
    ) -> Proposal:
        """Put it before a second person: terms are money, so two agree to them whatever they come to."""
        old = self._seen(account_id, request_id, seen)
        rules.into(old, TermsState.AGREED, self.clock())
        content = {"account_id": account_id, "terms_request": request_id, "revision": seen}
        content |= {"days": records.days_said(old.asked)}
        limit = Money(old.asked.limit_minor, old.currency)
        content |= {"limit": str(limit)} if limit else {}
        wish = Wish(old.entity_id, ProposalKind.TERMS, request_id, content, why, MAY_AGREE, request)
        return proposals.ask(wish, actor)

    def agree(self, proposals: Proposals, entity_id: str, proposal_id: str, seen: str, decider: Decider) -> None:
        """Change the account as it was asked, in the unit that agrees to it. Invoices that are out keep theirs."""
        told = proposals.get(entity_id, proposal_id).content
        old = self._seen(told["account_id"], told["terms_request"], int(told["revision"]))
        new, account = rules.into(old, TermsState.AGREED, self.clock()), self._account(old.account_id)
        unit = records.rewrite(Unit(f"agree {old.id}"), old, new)
        wanted = replace(account.terms, credit_limit_minor=old.asked.limit_minor)
        terms_update(unit, account, wanted, old.asked.due)
        before, after = held(account), old.asked
        self._audit(unit, new, decider.actor, "terms.request_decided")
        record = AuditRecord(
            account.id, self.clock(), decider.actor, "terms.changed", account.id, _plain(before), _plain(after)
        )
        unit.put(audit_item(record))
        self._tell(unit, new)
        proposals.agreed_in(entity_id, proposal_id, ProposalKind.TERMS, seen, decider)(unit)
        if self.store.write_one(unit):
            raise Refusal("changed_meanwhile", "somebody else changed these terms; look at them again")

    # -- reading -------------------------------------------------------------------------------------------------------

    def get(self, account_id: str, request_id: str) -> TermsRequest:
        item = self.store.get(*records.request_key(account_id, request_id))
        if item is None:
            raise NotFound("no such request")
        return records.request_from(item)

    def of_account(self, account_id: str) -> list[TermsRequest]:
        """All of an account, newest first; one call."""
        items = self.store.query_all(account_id, prefix=records.PREFIX, consistent=True)
        return sorted((records.request_from(i) for i in items), key=lambda r: (r.asked_at, r.id), reverse=True)

    # -- how -----------------------------------------------------------------------------------------------------------

    def _account(self, account_id: str) -> Account:
        item = self.store.get(account_id, "account")
        if item is None:
            raise NotFound("no such account")
        return account_from(item)

    def _seen(self, account_id: str, request_id: str, seen: int) -> TermsRequest:
        found = self.get(account_id, request_id)
        if found.revision != seen:
            raise Refusal("changed_meanwhile", "somebody else acted on this at the same time; look again")
        return found

    def _change(
        self, old: TermsRequest, new: TermsRequest, actor: Actor, action: str, *, tell: bool = False
    ) -> TermsRequest:
        unit = records.rewrite(Unit(f"{action} {old.id}"), old, new)
        self._audit(unit, new, actor, action)
        if tell:
            self._tell(unit, new)
        if self.store.write_one(unit):
            raise Refusal("changed_meanwhile", "somebody else acted on this at the same time; look again")
        return new

    def _audit(self, unit: Unit, request: TermsRequest, actor: Actor, action: str) -> None:
        after = {"state": request.state.value, "reason": request.why.value, "why_not": request.why_not}
        after_asked = after | _plain(request.asked)
        unit.put(
            audit_item(AuditRecord(request.account_id, self.clock(), actor, action, request.id, after=after_asked))
        )

    def _tell(self, unit: Unit, request: TermsRequest) -> None:
        now, note_id = self.clock(), f"note_{fingerprint(request.id, request.state.value)}"
        path = f"/accounts/{request.account_id}/terms"
        news = News(note_id, NoteKind.TERMS_DECIDED, path, now, now + _NEWS_FOR)
        add_news(unit, request.account_id, request.asked_by, news, self.store, self.sealer)


def held(account: Account) -> Asked:
    """The terms that an account has now."""
    return Asked(account.payment_terms, account.terms.credit_limit_minor)


def _plain(asked: Asked) -> dict[str, Any]:
    return {"days": records.days_said(asked), "limit_minor": asked.limit_minor}
