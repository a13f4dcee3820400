"""Use cases of autopay: set and change the rule, leave an invoice out, cancel a debit, and what a day does.

A day goes: read how started debits ended → start what was announced for today → announce what comes next. What is
announced and what is charged follows from `rules` alone, which the page's preview asks as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

from saldo.audit.model import Actor, AuditRecord, job
from saldo.audit.records import audit_item
from saldo.autopay import records, rules
from saldo.autopay.model import Case, Debit, DebitState, Plan, Planned, Rule
from saldo.autopay.reading import Paying, case_of, paying_of
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Refusal, Unavailable
from saldo.payments.model import PaymentStatus
from saldo.payments.model_methods import StoredMethod
from saldo.payments.reading import invoices_being_paid, load
from saldo.payments.records import SHARDS, request_guard_key
from saldo.payments.service import Payments
from saldo.storage.items import Key
from saldo.storage.store import Store
from saldo.storage.units import Unit

if TYPE_CHECKING:
    from saldo.autopay.telling import Telling

_JOB = "autopay"
_ENDED = {PaymentStatus.SETTLED: DebitState.PAID, PaymentStatus.FAILED: DebitState.FAILED}
_ENDED |= {PaymentStatus.CANCELLED: DebitState.FAILED}
REASON = "autopay"


@dataclass(slots=True)
class DayReport:
    """What a day did: debits announced, started, skipped and failed; accounts that changed at that moment."""

    announced: int = 0
    started: int = 0
    skipped: int = 0
    failed: int = 0
    unanswered: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Autopay:
    """Of one region. `store` is the region's, not narrowed to a customer."""

    store: Store
    clock: Clock
    payments: Payments
    telling: Telling

    # -- by the account's people ------------------------------------------------------------------------------------

    def set_rule(self, rule: Rule, actor: Actor) -> Rule:
        """From the next day's run on. `rule.version` is the one that was looked at, 0 for none before.

        Refusal: invalid_rule naming every problem, method_unusable, changed_meanwhile.
        """
        rules.check_rule(rule)
        paying = paying_of(self.store, rule.account_id)
        old = paying.rule
        if (old.version if old else 0) != rule.version:
            raise Refusal("changed_meanwhile", "somebody else changed this rule; look at it again")
        if rule.is_on and replace(paying, rule=rule).method is None:
            raise Refusal("method_unusable", "there is no payment method that could be charged")
        if rule.method_id and paying.methods.find(rule.method_id) is None:
            raise Refusal("method_unusable", "this payment method is not there")
        new = replace(rule, version=rule.version + 1, set_by=actor.id, set_at=self.clock())
        self._write_rule(old, new, actor, "autopay.set")
        return new

    def turn_off(self, account_id: str, actor: Actor) -> None:
        """Nothing more is collected, nor what was announced."""
        old = self._rule(account_id)
        if old.is_on:
            self._write_rule(old, replace(old, is_on=False, version=old.version + 1), actor, "autopay.turned_off")

    def leave_out(self, account_id: str, invoice_id: str, is_out: bool, actor: Actor) -> None:
        """Leave one invoice out, or take it in again."""
        old = self._rule(account_id)
        if (invoice_id in old.excluded) == is_out:
            return
        kept = tuple(i for i in old.excluded if i != invoice_id)
        new = replace(old, excluded=(*kept, invoice_id) if is_out else kept, version=old.version + 1)
        rules.check_rule(new)
        self._write_rule(old, new, actor, "autopay.invoice_left_out" if is_out else "autopay.invoice_taken_in")

    def cancel(self, account_id: str, debit_id: str, actor: Actor) -> Debit:
        """Until it starts; its invoices are then left to the payer. Refusal `debit_over` afterwards."""
        old = self.debit(account_id, debit_id)
        if old.state is DebitState.CANCELLED:
            return old
        new = self._moved(old, DebitState.CANCELLED, actor)
        if new is None:
            raise Refusal("changed_meanwhile", "this debit is just starting; look again")
        return new

    def debit(self, account_id: str, debit_id: str) -> Debit:
        item = self.store.get(*records.debit_key(account_id, debit_id))
        if item is None:
            raise NotFound("no such debit")
        return records.debit_from(item)

    def plan(self, account_id: str, on: date) -> Plan:
        """What the next runs will do, as things stand; writes nothing."""
        paying = paying_of(self.store, account_id)
        if paying.rule is None:
            return Plan()
        return rules.plan_of(case_of(self.store, paying, self._held(account_id), on), on)

    # -- by the day -------------------------------------------------------------------------------------------------

    def due(self, entity_id: str) -> Iterator[Key]:
        """What each day is about: the rules of the seller's accounts."""
        for shard in range(SHARDS):
            for item in self.store.query_all(records.agenda_list(entity_id, shard), agenda=True):
                yield item["pk"], item["sk"]

    def run(self, entity_id: str, on: date, return_url: str, keys: Iterable[Key] | None = None) -> DayReport:
        """What a day does for all of a seller's accounts with a rule; safe to repeat, also for a day that was missed.

        return_url: where a payer who is asked by their bank comes back to; may name `{account_id}`, `{payment_id}`.
        keys: a part of what is `due`; None for all.
        """
        report = DayReport()
        for account_id, _ in self.due(entity_id) if keys is None else keys:
            try:
                self._day_of(account_id, on, return_url.replace("{account_id}", account_id), report)
            except Unavailable:
                report.unanswered.append(account_id)
        return report

    def _day_of(self, account_id: str, on: date, return_url: str, report: DayReport) -> None:
        paying = paying_of(self.store, account_id)
        if paying.rule is None:
            return
        debits = [self._ended(d, report) if d.state is DebitState.STARTED else d for d in paying.debits]
        paying = replace(paying, debits=tuple(debits))
        case = case_of(self.store, paying, self._held(account_id), on)
        for debit in debits:
            is_due = debit.state is DebitState.ANNOUNCED and debit.debit_on <= on
            if is_due or debit.state is DebitState.STARTING:
                self._collect(debit, case, paying.method, on, return_url, report)
        for planned in rules.announced_now(rules.plan_of(case, on), on):
            report.announced += self._announce(paying, planned, on)

    def _ended(self, debit: Debit, report: DayReport) -> Debit:
        """How a started debit ended, when it has; its payers hear of a failure."""
        payment = load(self.store, debit.account_id, debit.payment_id)
        state = _ENDED.get(payment.status)
        if state is None:
            return debit
        code = payment.failure_code or "cancelled" if state is DebitState.FAILED else ""
        report.failed += state is DebitState.FAILED
        return self._moved(replace(debit, code=code), state, job(_JOB)) or debit

    def _collect(
        self, debit: Debit, case: Case, method: StoredMethod | None, on: date, return_url: str, report: DayReport
    ) -> None:
        """Claim, with what is charged fixed; then start the payment under the debit's own key, however often."""
        if debit.state is DebitState.ANNOUNCED:
            charge = rules.to_charge(case, debit, on)
            if isinstance(charge, str):
                report.skipped += self._moved(replace(debit, code=charge), DebitState.SKIPPED, job(_JOB)) is not None
                return
            claimed = self._moved(replace(debit, charged=charge), DebitState.STARTING, job(_JOB))
            if claimed is None:
                return  # cancelled at this moment
            debit = claimed
        self._start(debit, case.rule, method.id if method else "", return_url, report)

    def _start(self, debit: Debit, rule: Rule, method_id: str, return_url: str, report: DayReport) -> None:
        guard = self.store.get(*request_guard_key(debit.account_id, debit.request_key))
        if guard is None and not method_id:
            self._moved(replace(debit, code="no_method"), DebitState.FAILED, job(_JOB))
            report.failed += 1
            return
        actor = Actor(_JOB, "job", debit.id, on_behalf_of=rule.set_by)
        asked = (debit.account_id, debit.charged, actor, debit.request_key, return_url, REASON, "", method_id)
        try:
            payment = self.payments.start(*asked, on=debit.debit_on)
        except Refusal as refusal:
            self._moved(replace(debit, code=refusal.code), DebitState.FAILED, job(_JOB))
            report.failed += 1
            return
        asks = payment.status is PaymentStatus.REQUIRES_ACTION
        self._moved(replace(debit, payment_id=payment.id), DebitState.STARTED, job(_JOB), asks=asks)
        report.started += 1

    def _announce(self, paying: Paying, planned: Planned, on: date) -> bool:
        rule, method = paying.rule, paying.method
        assert rule is not None and method is not None, "without a rule and a method nothing is planned"
        id_ = records.debit_id(rule.account_id, rule.currency, on, planned.debit_on)
        debit = Debit(
            rule.account_id, id_, rule.entity_id, rule.currency, on, planned.debit_on, planned.lines, method.shown_as
        )
        unit = records.announce(Unit(f"announce {id_}"), debit)
        self.telling.announced(unit, debit)
        after = {"debit_on": debit.debit_on.isoformat(), "minor": debit.minor, "invoices": len(debit.lines)}
        record = AuditRecord(rule.account_id, self.clock(), job(_JOB), "autopay.announced", id_, after=after)
        return self.store.write_one(unit.put(audit_item(record))) is None

    # -- how --------------------------------------------------------------------------------------------------------

    def _held(self, account_id: str) -> dict[str, str]:
        return dict.fromkeys(invoices_being_paid(self.store, account_id), "payment_under_way")

    def _moved(self, debit: Debit, to: DebitState, actor: Actor, *, asks: bool = False) -> Debit | None:
        """The debit in its new state; None when somebody else moved it meanwhile. A failure is told, and that the
        payer's bank `asks` them."""
        old = debit.state
        rules.check_move(old, to)
        new = replace(debit, state=to)
        unit = records.rewrite(Unit(f"{to} {debit.id}"), debit, new)
        if to is DebitState.FAILED or asks:
            self.telling.not_made(unit, new)
        before, after = {"state": old.value}, {"state": to.value, "code": new.code, "payment_id": new.payment_id}
        record = AuditRecord(debit.account_id, self.clock(), actor, f"autopay.debit_{to}", debit.id, before, after)
        return new if self.store.write_one(unit.put(audit_item(record))) is None else None

    def _rule(self, account_id: str) -> Rule:
        item = self.store.get(*records.rule_key(account_id))
        if item is None:
            raise NotFound("there is no autopay rule")
        return records.rule_from(item)

    def _write_rule(self, old: Rule | None, new: Rule, actor: Actor, action: str) -> None:
        unit = records.put_rule(Unit(f"{action} {new.account_id}"), old, new)
        before, after = records.rule_fields(old) if old else {}, records.rule_fields(new)
        record = AuditRecord(new.account_id, self.clock(), actor, action, new.account_id, before, after)
        if self.store.write_one(unit.put(audit_item(record))):
            raise Refusal("changed_meanwhile", "somebody else changed this rule; look at it again")
