"""Use cases of stored methods: add one on the gateway's own page, choose the default, remove, take news, warn.

Adding goes as paying does: record the intent, open the gateway's page under the method's own id, record the answer; a
lost answer is looked up. What the payer types there is never ours; the token comes with the gateway's news.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from saldo.accounts.records import account_from, entity_from
from saldo.audit.model import Actor, AuditRecord, job
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock, instant_text
from saldo.kernel.errors import NotFound, Refusal, Unavailable
from saldo.payments import records, rules_methods
from saldo.payments import records_methods as own
from saldo.payments.model import GatewayEvent, Outcome
from saldo.payments.model_methods import MethodReport, MethodStatus, StoredMethod
from saldo.payments.ports import Checkout, Gateway, SetupRequest
from saldo.storage.store import Store
from saldo.storage.units import Unit

_MOST_ATTEMPTS = 8
_JOB = "gateway_events"


@dataclass(frozen=True, slots=True)
class PaymentMethods:
    """Stored methods of one region. `store` is the region's, not narrowed to a customer."""

    store: Store
    gateway: Gateway
    clock: Clock

    def begin(self, account_id: str, actor: Actor, request_key: str, return_url: str) -> StoredMethod:
        """Begin to add a method; send the payer to its `url`. The same form begins the same method for ever.

        Refusal: invalid_request_key, too_many_methods, gateway_refused. Unavailable: no answer; repeating is safe.
        """
        if not 8 <= len(request_key) <= 200:
            raise Refusal("invalid_request_key", "the form's key must have 8 to 200 characters")
        method_id = rules_methods.method_id(account_id, request_key)
        known = self._known(account_id, method_id)
        if known is not None and (known.url or known.status is not MethodStatus.STARTED):
            return known
        method = known or self._intend(account_id, method_id, actor)
        page = self.gateway.find_setup(method.id) if known is not None else None
        return self._record(method, page or self._open(method, return_url))

    def choose_default(self, account_id: str, method_id: str, actor: Actor) -> None:
        """What is offered first, and what autopay uses unless its rule names one. NotFound."""
        before = own.methods_of(self.store, account_id)
        if before.find(method_id) is None:
            raise NotFound("no such payment method")
        if before.chosen == method_id:
            return
        unit = Unit(f"default {method_id}").put(own.default_item(account_id, method_id))
        unit.require(own.method_key(account_id, method_id), when={"status": MethodStatus.ACTIVE.value})
        facts = {"method_id": before.chosen}, {"method_id": method_id}
        record = AuditRecord(account_id, self.clock(), actor, "method.made_default", method_id, *facts)
        if self.store.write_one(unit.put(audit_item(record))):
            raise Refusal("changed_meanwhile", "somebody else changed this method at the same time")

    def remove(self, account_id: str, method_id: str, actor: Actor) -> None:
        """Never charged again from now on; then the gateway lets go of it, by the sweep if it does not answer now."""
        method = self._known(account_id, method_id)
        if method is None:
            raise NotFound("no such payment method")
        if method.status is not MethodStatus.REMOVED:
            new = rules_methods.removed(method)
            before, after = {"status": method.status.value}, {"status": new.status.value}
            unit = own.rewrite(Unit(f"remove {method_id}"), method, new)
            record = AuditRecord(account_id, self.clock(), actor, "method.removed", method_id, before, after)
            if self.store.write_one(unit.put(audit_item(record))):
                raise Refusal("changed_meanwhile", "somebody else changed this method at the same time")
            method = new
        try:
            self._let_go(method)
        except Unavailable:
            return  # it is on the agenda

    def sweep(self, older_than: timedelta) -> tuple[int, int, int]:
        """Ask about methods that wait too long for news and let go of removed ones: (asked, changed, unanswered)."""
        asked = changed = unanswered = 0
        before = instant_text(self.clock() - older_than)
        for item in self.store.query_all("adding", last=before, agenda=True):
            asked += 1
            try:
                changed += self._converge(item["pk"], item["sk"].removeprefix(own.PREFIX))
            except Unavailable:
                unanswered += 1
        return asked, changed, unanswered

    # -- how -----------------------------------------------------------------------------------------------------------

    def _known(self, account_id: str, method_id: str) -> StoredMethod | None:
        item = self.store.get(*own.method_key(account_id, method_id))
        return own.method_from(item) if item else None

    def _intend(self, account_id: str, method_id: str, actor: Actor) -> StoredMethod:
        account = self.store.get(account_id, "account")
        if account is None:
            raise NotFound("no such account")
        if len(own.methods_of(self.store, account_id).active) >= rules_methods.MOST_METHODS:
            raise Refusal("too_many_methods", f"an account has at most {rules_methods.MOST_METHODS} payment methods")
        at, entity_id = self.clock(), account["entity_id"]
        started = MethodStatus.STARTED
        method = StoredMethod(
            account_id, method_id, entity_id, started, actor.id, at, correlation_id=actor.correlation_id
        )
        unit = Unit(f"add {method_id}").insert(own.method_item(method))
        unit.put(audit_item(AuditRecord(account_id, at, actor, "method.started", method_id)))
        if self.store.write_one(unit) is None:
            return method
        known = self._known(account_id, method_id)
        if known is None:
            raise Unavailable("the method could not be recorded; try again")
        return known

    def _open(self, method: StoredMethod, return_url: str) -> Checkout:
        keys = [(method.account_id, "account"), (method.entity_id, "entity")]
        found = self.store.get_many(keys, consistent=True)
        account, seller = account_from(found[keys[0]]), entity_from(found[keys[1]])
        request = SetupRequest(
            method.id, method.account_id, account.currency, seller.name, account.language, return_url
        )
        try:
            return self.gateway.create_setup(request)
        except Unavailable:
            page = self.gateway.find_setup(method.id)
            if page is None:
                raise
            return page
        except Refusal as refusal:
            failed = MethodReport(
                method.id, method.account_id, "", MethodStatus.FAILED, self.clock(), failure_code=refusal.code
            )
            take_method(self.store, self.clock, failed, None)
            raise

    def _record(self, method: StoredMethod, page: Checkout) -> StoredMethod:
        for _ in range(_MOST_ATTEMPTS):
            new = replace(method, ref=page.ref, url=page.url, version=method.version + 1)
            if self.store.write_one(own.rewrite(Unit(f"page {method.id}"), method, new)) is None:
                return new
            known = self._known(method.account_id, method.id)
            assert known is not None, "a method is never deleted"
            if known.url or known.status is not MethodStatus.STARTED:
                return known
            method = known
        raise Unavailable("the method is being changed by others; try again")

    def _let_go(self, method: StoredMethod) -> bool:
        """Tell the gateway, as often as it takes; then forget the token."""
        if method.let_go:
            return False
        self.gateway.forget(method.id)
        new = replace(method, let_go=True, token="", url="", version=method.version + 1)
        return self.store.write_one(own.rewrite(Unit(f"let go {method.id}"), method, new)) is None

    def _converge(self, account_id: str, method_id: str) -> bool:
        method = self._known(account_id, method_id)
        if method is None:
            return False
        if method.status is MethodStatus.REMOVED:
            return self._let_go(method)
        said = self.gateway.look_up_setup(method.id)
        if said is None:  # the page was never opened: nobody can add it there any more
            failed = MethodStatus.FAILED
            said = MethodReport(method.id, account_id, "", failed, self.clock(), failure_code="never_opened")
        return take_method(self.store, self.clock, said, None) is Outcome.APPLIED


def take_method(store: Store, clock: Clock, report: MethodReport, event: GatewayEvent | None) -> Outcome | str:
    """Apply what the gateway says of one method; answers the reason (a code) when it fits none of ours.

    event: the event that carried it, whose guard goes into the same unit; None when we asked ourselves.
    """
    guard_key = records.event_guard_key(report.account_id, event.id) if event else None
    for _ in range(_MOST_ATTEMPTS):
        item = store.get(*own.method_key(report.account_id, report.method_id))
        if item is None:
            return "unknown_method"
        method = own.method_from(item)
        reason = rules_methods.misfit(method, report)
        if reason:
            return reason
        unit = Unit(f"report {report.method_id}")
        if event:
            unit.insert(records.event_guard(report.account_id, event, report.method_id))
        new = rules_methods.changed_by(method, report)
        if new is not None:
            own.rewrite(unit, method, new)
            unit.put(audit_item(_changed(method, new, clock)))
        conflict = store.write_one(unit) if unit.writes else None
        if conflict is None:
            return Outcome.APPLIED if new is not None else Outcome.OUTDATED
        if guard_key in conflict.keys:
            return Outcome.DUPLICATE
    raise Unavailable(f"{report.method_id} is being changed by others")


def _changed(old: StoredMethod, new: StoredMethod, clock: Clock) -> AuditRecord:
    actor = job(_JOB, old.correlation_id)
    after = {"status": new.status.value, "kind": new.kind.value, "failure_code": new.failure_code}
    action, before = f"method.{new.status}", {"status": old.status.value}
    return AuditRecord(old.account_id, clock(), actor, action, old.id, before, after)


Told = Callable[[Unit, StoredMethod], None]  # adds to the unit the letters that tell of a method


def warn(store: Store, clock: Clock, method: StoredMethod, tell: Told) -> bool:
    """Once per method: its people hear that it will expire; False when it changed at that moment."""
    unit = own.rewrite(Unit(f"warn {method.id}"), method, replace(method, warned=True, version=method.version + 1))
    tell(unit, method)
    facts = {"expires_on": method.expires_on.isoformat() if method.expires_on else ""}
    record = AuditRecord(method.account_id, clock(), job("autopay"), "method.expiry_told", method.id, after=facts)
    return store.write_one(unit.put(audit_item(record))) is None
