"""Use cases of promises: see what one comes to, make it, ask for one, agree, refuse, cancel.

What is promised stands on the header of each invoice (`promise_id`), in the same unit: whoever asks for money sees it
there. Money that comes counts there as well (`promised_paid_minor`), in the payment's own unit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.invoicing.records import InvoiceHeader, PromiseMark
from saldo.invoicing.records_moves import promise_update
from saldo.kernel.clock import Clock
from saldo.kernel.errors import Problems, Refusal, Unavailable
from saldo.kernel.ids import fingerprint
from saldo.payments import records_approvals
from saldo.payments.model_methods import StoredMethod
from saldo.payments.records_methods import methods_of
from saldo.payments.rules_approvals import levels_for
from saldo.payments.scheduled import ScheduledPayments
from saldo.promises import records, rules
from saldo.promises.charging import stop_charges
from saldo.promises.knowing import Known, known_of
from saldo.promises.model import Offer, Promise, PromiseState, StateChange, Wanted, WhyNot
from saldo.promises.reading import dues_of, headers_of, promise_of
from saldo.promises.telling import Telling
from saldo.storage.store import Store
from saldo.storage.units import Unit

_MOST_ATTEMPTS = 5
_S = PromiseState


@dataclass(frozen=True, slots=True)
class Wish:
    """A filled-in form. `request`: its own id, so that it counts once. `seen_minor`: the sum that was shown.
    `replaces`: the promise that it is to stand for."""

    account_id: str
    wanted: Wanted
    request: str
    seen_minor: int
    actor: Actor
    replaces: str = ""


@dataclass(frozen=True, slots=True)
class Promises:
    """Promises of one region. `store` is the region's, or narrowed to an account and its seller; `scheduled` has the
    charges of instalments."""

    store: Store
    clock: Clock
    telling: Telling
    scheduled: ScheduledPayments

    # -- what the customer does ----------------------------------------------------------------------------------------

    def offer(self, account_id: str, wanted: Wanted, replaces: str = "") -> Offer:
        """What a wish comes to; writes nothing. Refusal `invalid_promise` with every problem; NotFound."""
        return self._offered(wanted, known_of(self.store, self.clock, account_id, replaces))[0]

    def make(self, wish: Wish) -> Promise:
        """Promise, or ask for it where it goes beyond the limits; the same form again finds what it became.

        Refusals as of `offer`, and `changed_meanwhile` when it comes to another sum than was shown.
        """
        if not 8 <= len(wish.request) <= 200:
            raise Refusal("invalid_request_key", "the form's key must have 8 to 200 characters")
        promise_id = promise_id_of(wish.account_id, wish.request)
        for _ in range(_MOST_ATTEMPTS):
            known = self.known(wish.account_id, wish.request)
            if known is not None:
                return known
            promise = self._made(wish, promise_id)
            unit = Unit(f"make {promise_id}").insert(records.promise_item(promise))
            if promise.state is _S.CURRENT:
                self._hold(unit, promise, headers_of(self.store, promise))
            self._audit(unit, promise, wish.actor, f"promise.{'made' if promise.state is _S.CURRENT else 'asked'}")
            if self.store.write_one(unit) is None:
                return promise
        raise Unavailable("the invoices are being changed by others; try again")

    def known(self, account_id: str, request: str) -> Promise | None:
        """What a form became already."""
        item = self.store.get(*records.promise_key(account_id, promise_id_of(account_id, request)))
        return records.promise_from(item) if item else None

    def cancel(self, account_id: str, promise_id: str, seen: int, actor: Actor) -> Promise:
        """By the customer: a request is taken back; what is left of a promise is asked for again."""
        old = self._seen(account_id, promise_id, seen)
        return self.end(old, _S.CANCELLED, actor, "promise.cancelled")

    # -- what the seller does ------------------------------------------------------------------------------------------

    def agree(
        self, account_id: str, promise_id: str, seen: int, actor: Actor, consent: Callable[[Unit], None] | None = None
    ) -> Promise:
        """To a request, for what of it is open by now. consent: adds to the unit what must hold besides.

        Refusals `changed_meanwhile`, `promise_over`, `promise_outdated` when its first day has come or nothing of it
        is to be promised any more.
        """
        for _ in range(_MOST_ATTEMPTS):
            old = self._seen(account_id, promise_id, seen)
            unit = Unit(f"agree {promise_id}")
            new = self._agreed(unit, old, actor)
            self._audit(records.rewrite(unit, old, new), new, actor, "promise.agreed")
            self.telling.decided(unit, new)
            if consent is not None:
                consent(unit)
            if self.store.write_one(unit) is None:
                return new
        raise Unavailable("the invoices are being changed by others; try again")

    def refuse(self, account_id: str, promise_id: str, seen: int, why_not: WhyNot, actor: Actor) -> Promise:
        """A request, with the reason; who asked hears of it."""
        old = self._seen(account_id, promise_id, seen)
        new = replace(rules.into(old, _S.REFUSED, self.clock()), why_not=why_not.value, revision=old.revision + 1)
        unit = records.rewrite(Unit(f"refuse {promise_id}"), old, new)
        self._audit(unit, new, actor, "promise.refused")
        self.telling.decided(unit, new)
        if self.store.write_one(unit):
            raise _changed()
        return new

    # -- how -----------------------------------------------------------------------------------------------------------

    def end(self, old: Promise, state: PromiseState, actor: Actor, action: str) -> Promise:
        """Let it be over: what is left is asked for again, and charges that were announced are not made."""
        for _ in range(_MOST_ATTEMPTS):
            new = replace(rules.into(old, state, self.clock()), revision=old.revision + 1)
            stop_charges(self.scheduled, old, actor)
            headers = headers_of(self.store, old)
            unit = records.rewrite(Unit(f"{action} {old.id}"), old, new)
            self._release(unit, new, headers)
            self._audit(unit, new, actor, action)
            if state is _S.BROKEN:
                self.telling.broken(unit, new, sum(due.left_minor for due in dues_of(old, headers)))
            conflict = self.store.write_one(unit)
            if conflict is None:
                return new
            if records.promise_key(old.account_id, old.id) in conflict.keys:
                break
        raise _changed()

    def _offered(self, wanted: Wanted, known: Known) -> tuple[Offer, StoredMethod | None]:
        offer = rules.offer(wanted, known.case)
        return offer, self._method(known.account.id, wanted, offer) if wanted.method_id else None

    def _method(self, account_id: str, wanted: Wanted, offer: Offer) -> StoredMethod:
        """The stored method that is charged. Refusal `invalid_promise`: it cannot be charged, or colleagues would have
        to agree to each charge."""
        problems = Problems()
        method = methods_of(self.store, account_id).find(wanted.method_id)
        if method is None or not method.pays(offer.currency, offer.instalments[-1].on):
            problems.add("method", "method_unusable", "this method cannot be charged on those days")
        policy = records_approvals.policy_from(self.store.get(*records_approvals.policy_key(account_id)))
        if levels_for(policy, offer.currency, offer.minor):
            problems.add("method", "approval_needed", "payments of this size need somebody else's agreement each time")
        problems.refuse_if_any("this cannot be promised so", "invalid_promise")
        assert method is not None, "a missing method was refused"
        return method

    def _made(self, wish: Wish, promise_id: str) -> Promise:
        known, at = known_of(self.store, self.clock, wish.account_id, wish.replaces), self.clock()
        offer, method = self._offered(wish.wanted, known)
        if offer.minor != wish.seen_minor:
            raise Refusal("changed_meanwhile", "what is to be paid changed meanwhile; look at it again")
        state = _S.ASKED if offer.beyond else _S.CURRENT
        return Promise(
            account_id=wish.account_id,
            id=promise_id,
            organisation_id=known.account.organisation_id,
            entity_id=known.account.entity_id,
            currency=offer.currency,
            covers=offer.covers,
            instalments=offer.instalments,
            grace_days=known.case.limits.grace_days,
            state=state,
            made_at=at,
            made_by=wish.actor.id,
            why=wish.wanted.why,
            history=(StateChange(at, state),),
            method_id=method.id if method else "",
            method=method.shown_as if method else "",
            beyond=offer.beyond,
            replaces=wish.replaces,
        )

    def _agreed(self, unit: Unit, old: Promise, actor: Actor) -> Promise:
        """A request as it becomes a promise: of what is open now, its last instalments shortened to that. The promise
        that it replaces ends in the same unit."""
        known = known_of(self.store, self.clock, old.account_id, old.replaces)
        new = rules.agreed(old, known.case, self.clock())
        headers = headers_of(self.store, new)
        if old.replaces:
            before = promise_of(self.store, old.account_id, old.replaces)
            if before.state is _S.CURRENT:
                stop_charges(self.scheduled, before, actor)
                over = replace(rules.into(before, _S.REPLACED, self.clock()), revision=before.revision + 1)
                self._audit(records.rewrite(unit, before, over), over, actor, "promise.replaced")
                others = {i: h for i, h in headers_of(self.store, before).items() if i not in headers}
                self._release(unit, over, others)
        self._hold(unit, new, headers)
        return new

    def _hold(self, unit: Unit, promise: Promise, headers: Mapping[str, InvoiceHeader]) -> None:
        """Put the promise on its invoices; the unit holds only while they are as it says."""
        mark = PromiseMark(self.clock(), promise.id, promise.state.value, promise.until_on)
        for cover in promise.covers:
            header = headers[cover.invoice_id]
            if header.undisputed_minor != cover.minor or header.promise_id not in ("", promise.replaces):
                raise _changed()
            promise_update(unit, header, mark, holds=True)

    def _release(self, unit: Unit, promise: Promise, headers: Mapping[str, InvoiceHeader]) -> None:
        """Take it off the invoices that are open; what was paid under it keeps its name and bears no interest."""
        mark = PromiseMark(self.clock(), promise.id, promise.state.value, promise.until_on)
        for header in headers.values():
            if header.promise_id == promise.id and header.open_minor:
                promise_update(unit, header, mark, holds=False)

    def _seen(self, account_id: str, promise_id: str, seen: int) -> Promise:
        promise = promise_of(self.store, account_id, promise_id)
        if promise.revision != seen:
            raise _changed()
        return promise

    def _audit(self, unit: Unit, promise: Promise, actor: Actor, action: str) -> None:
        after: dict[str, Any] = {"state": promise.state.value, "minor": promise.minor, "reason": promise.why.value}
        after |= {"until_on": promise.until_on.isoformat(), "instalments": len(promise.instalments)}
        after |= {"beyond": list(promise.beyond), "why_not": promise.why_not}
        unit.put(audit_item(AuditRecord(promise.account_id, self.clock(), actor, action, promise.id, after=after)))


def promise_id_of(account_id: str, request: str) -> str:
    return f"prm_{fingerprint(account_id, request)}"


def _changed() -> Refusal:
    return Refusal("changed_meanwhile", "somebody else acted on this at the same time; look again")
