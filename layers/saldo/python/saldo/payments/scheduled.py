"""Payments that start on a later day by a stored method: recorded now, started once when their day has come.

`<account>` / `paying#scheduled#<id>`: its id follows from the form that asked, so that the item is its own guard.
Agenda `scheduled#<entity>` by the day, while it waits. Starting is idempotent for ever by the id.
`<account>` / `scheduled_for#<invoice>`: those that wait, by id, so that the page of an invoice knows them; of a payment
of very many invoices it is not told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from saldo.audit.model import Actor, AuditRecord, job
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock, instant_from, instant_text
from saldo.kernel.errors import NotFound, Refusal, Unavailable
from saldo.kernel.ids import fingerprint
from saldo.kernel.periods import local_date
from saldo.payments import records, records_methods, rules
from saldo.payments.model import Allocation, Payment
from saldo.payments.opening import Wish
from saldo.payments.reading import headers_of, load, payable
from saldo.payments.service import Payments
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import Conflict, Unit

PREFIX = "paying#scheduled#"
_FOR = "scheduled_for#"
_ID = "sched_"
_MOST_TOLD = 60  # invoices: each is a write in the unit
_JOB = "collect_payments"
FARTHEST = timedelta(days=90)


class ScheduledState(StrEnum):
    """STARTING is claimed by the day's run: it cannot be cancelled any more, and is started until that is on record."""

    WAITING = "waiting"
    STARTING = "starting"
    STARTED = "started"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Scheduled:
    """What starts on the day `on`. `by`: who asked, in whose name it starts. `failure_code`: why it did not."""

    account_id: str
    id: str
    entity_id: str
    allocations: tuple[Allocation, ...]
    currency: str
    amount_minor: int
    reason: str
    method_id: str
    on: date
    by: str
    asked_at: datetime
    approval_id: str = ""
    correlation_id: str = ""
    state: ScheduledState = ScheduledState.WAITING
    payment_id: str = ""
    failure_code: str = ""

    @property
    def request_key(self) -> str:
        return f"scheduled-{self.id}"


def scheduled_id(account_id: str, request_key: str) -> str:
    return f"{_ID}{fingerprint('scheduled', account_id, request_key)}"


def scheduled_key(account_id: str, id_: str) -> Key:
    return account_id, PREFIX + id_


def scheduled_for_key(account_id: str, invoice_id: str) -> Key:
    return account_id, _FOR + invoice_id


def scheduled_on(item: Item | None, minor: int) -> date | None:
    """When the first starts that pays so much of an invoice, or more. item: of `scheduled_for_key`."""
    waiting = [one for name, one in (item or {}).items() if name.startswith(_ID)]
    return min((date.fromisoformat(one["on"]) for one in waiting if one["minor"] >= minor), default=None)


def _note_at_invoices(unit: Unit, one: Scheduled) -> None:
    if len(one.allocations) > _MOST_TOLD:
        return
    for each in one.allocations:
        key = scheduled_for_key(one.account_id, each.invoice_id)
        if one.state in _ON_THE_AGENDA:
            said = {"on": one.on.isoformat(), "minor": each.minor}
            unit.update(key, set={"kind": "scheduled_for", one.id: said})
        else:
            unit.update(key, remove=(one.id,))


_PLAIN = (
    *("entity_id", "currency", "amount_minor", "reason", "method_id", "by", "approval_id", "correlation_id"),
    *("payment_id", "failure_code"),
)


_ON_THE_AGENDA = (ScheduledState.WAITING, ScheduledState.STARTING)


def scheduled_item(one: Scheduled) -> Item:
    pk, sk = scheduled_key(one.account_id, one.id)
    item: Item = {"pk": pk, "sk": sk, "kind": "scheduled_payment", "scheduled_id": one.id, "state": one.state.value}
    item |= {name: getattr(one, name) for name in _PLAIN}
    item |= {
        "allocations": [{"invoice_id": a.invoice_id, "minor": a.minor} for a in one.allocations],
        "on": one.on.isoformat(),
        "asked_at": instant_text(one.asked_at),
    }
    if one.state in _ON_THE_AGENDA:
        item |= {"agenda_pk": f"scheduled#{one.entity_id}", "agenda_on": one.on.isoformat()}
    return item


def scheduled_from(item: Item) -> Scheduled:
    plain: dict[str, Any] = {name: item[name] for name in _PLAIN}
    return Scheduled(
        account_id=item["pk"],
        id=item["scheduled_id"],
        allocations=tuple(Allocation(a["invoice_id"], a["minor"]) for a in item["allocations"]),
        on=date.fromisoformat(item["on"]),
        asked_at=instant_from(item["asked_at"]),
        state=ScheduledState(item["state"]),
        **plain,
    )


def _tell_nobody(_unit: Unit, _one: Scheduled) -> None:
    """Where nobody is told."""


@dataclass(frozen=True, slots=True)
class ScheduledPayments:
    """Of one region. `store` is the region's, not narrowed to a customer; `payments` starts them.

    not_started: adds the letters that tell of one that could not start to the unit that says so.
    """

    store: Store
    clock: Clock
    payments: Payments
    not_started: Callable[[Unit, Scheduled], None] = _tell_nobody

    def schedule(self, wish: Wish, on: date) -> Scheduled:
        """Have this start on a later day; the same form once. `wish.request_key` is the form's.

        Refusal: invalid_allocations with every problem, invalid_day (not after today, or too far), method_unusable.
        """
        if not 8 <= len(wish.request_key) <= 200:
            raise Refusal("invalid_request_key", "the form's key must have 8 to 200 characters")
        id_ = scheduled_id(wish.account_id, wish.request_key)
        known = self.store.get(*scheduled_key(wish.account_id, id_))
        if known is not None:
            return scheduled_from(known)
        self.record(self._checked(wish, on, id_), wish.actor)  # a conflict means that it is there already
        return self.get(wish.account_id, id_)

    def record(self, one: Scheduled, actor: Actor) -> Conflict | None:
        """Put one that was checked on record, as waiting."""
        unit = Unit(f"schedule {one.id}").insert(scheduled_item(one))
        _note_at_invoices(unit, one)
        after = {"on": one.on.isoformat(), "amount_minor": one.amount_minor, "currency": one.currency}
        record = AuditRecord(one.account_id, one.asked_at, actor, "payment.scheduled", one.id, after=after)
        return self.store.write_one(unit.put(audit_item(record)))

    def get(self, account_id: str, id_: str) -> Scheduled:
        item = self.store.get(*scheduled_key(account_id, id_))
        if item is None:
            raise NotFound("no such scheduled payment")
        return scheduled_from(item)

    def cancel(self, account_id: str, id_: str, actor: Actor) -> Scheduled:
        """Until it starts. Refusal `scheduled_over` afterwards."""
        old = self.get(account_id, id_)
        if old.state is ScheduledState.CANCELLED:
            return old
        if old.state is not ScheduledState.WAITING:
            raise Refusal("scheduled_over", "this payment has started, or could not")
        new = replace(old, state=ScheduledState.CANCELLED)
        if self._change(old, new, actor, "payment.schedule_cancelled"):
            return new
        raise Refusal("changed_meanwhile", "this payment is just starting; look again")

    def due(self, entity_id: str, on: date) -> list[Key]:
        """Those of a seller whose day has come."""
        items = self.store.query_all(f"scheduled#{entity_id}", last=on.isoformat(), agenda=True)
        return [(item["pk"], item["sk"]) for item in items]

    def start_due(
        self, entity_id: str, on: date, return_url: str, keys: Iterable[Key] | None = None
    ) -> list[Scheduled]:
        """Start all of a seller's whose day has come; one in trouble does not stop the others. Safe to repeat.

        return_url: where the payer comes back to; may name `{account_id}` and `{payment_id}`. keys: a part of what is
        `due`; None for all.
        """
        keys = self.due(entity_id, on) if keys is None else keys
        return [self._start(self.get(pk, sk.removeprefix(PREFIX)), return_url) for pk, sk in keys]

    # -- how -----------------------------------------------------------------------------------------------------------

    def _checked(self, wish: Wish, on: date, id_: str) -> Scheduled:
        account = self.store.get(wish.account_id, "account")
        if account is None:
            raise NotFound("no such account")
        today = local_date(self.clock(), account["time_zone"])
        if not today < on <= today + FARTHEST:
            raise Refusal("invalid_day", f"a payment can be scheduled for one of the next {FARTHEST.days} days")
        headers = headers_of(self.store, wish.account_id, wish.allocations)
        payables = {i: payable(header) for i, header in headers.items()}
        amount = rules.validated(wish.allocations, payables, wish.reason, on)
        method = records_methods.methods_of(self.store, wish.account_id).find(wish.method_id)
        if method is None or not method.pays(amount.currency, on):
            raise Refusal("method_unusable", "this payment method cannot be charged on that day; choose another one")
        return Scheduled(
            wish.account_id,
            id_,
            account["entity_id"],
            wish.allocations,
            amount.currency,
            amount.minor,
            wish.reason.strip(),
            wish.method_id,
            on,
            wish.actor.id,
            self.clock(),
            wish.approval_id,
            wish.actor.correlation_id,
        )

    def _begun(self, one: Scheduled) -> Payment | None:
        guard = self.store.get(*records.request_guard_key(one.account_id, one.request_key))
        return load(self.store, one.account_id, guard["payment_id"]) if guard else None

    def _start(self, one: Scheduled, return_url: str) -> Scheduled:
        if one.state is ScheduledState.WAITING:
            claimed = replace(one, state=ScheduledState.STARTING)
            if not self._change(one, claimed, job(_JOB, one.correlation_id), "payment.schedule_taken_up"):
                return self.get(one.account_id, one.id)  # cancelled at this moment
            one = claimed
        if one.state is not ScheduledState.STARTING:
            return one
        back = return_url.replace("{account_id}", one.account_id)
        actor = Actor(one.by, "user", one.correlation_id)
        begun = self._begun(one)
        try:
            allocations = begun.allocations if begun else self._still_open(one)
            payment = self.payments.start(
                one.account_id,
                allocations,
                actor,
                one.request_key,
                back,
                one.reason,
                one.approval_id,
                one.method_id,
                on=one.on,
            )
            new = replace(one, state=ScheduledState.STARTED, payment_id=payment.id)
        except Unavailable:
            return one  # still on the agenda
        except Refusal as refusal:
            new = replace(one, state=ScheduledState.FAILED, failure_code=refusal.code)
        self._change(one, new, job(_JOB, one.correlation_id), f"payment.schedule_{new.state}")
        return new

    def _still_open(self, one: Scheduled) -> tuple[Allocation, ...]:
        """What was chosen, less what has been settled otherwise meanwhile; as approved where that was needed."""
        if one.approval_id:
            return one.allocations
        payables = {i: payable(h) for i, h in headers_of(self.store, one.account_id, one.allocations).items()}
        return rules.apply_to_open(one.allocations, payables)

    def _change(self, old: Scheduled, new: Scheduled, actor: Actor, action: str) -> bool:
        unit = Unit(f"{action} {old.id}").put(scheduled_item(new), when={"state": old.state.value})
        if new.state not in _ON_THE_AGENDA:
            _note_at_invoices(unit, new)
        if new.state is ScheduledState.FAILED:
            self.not_started(unit, new)
        before, after = {"state": old.state.value}, {"state": new.state.value, "failure_code": new.failure_code}
        record = AuditRecord(old.account_id, self.clock(), actor, action, old.id, before, after)
        return self.store.write_one(unit.put(audit_item(record))) is None
