"""Use case of staff: invoice one account now, through the very steps of a run.

A request is an attempt of its own (`run_<seller>_<date>_<request>`). The day it was made for is kept under the request
for ever, so asking again, also on a later day or after a crash, goes on where it stopped and bills nothing twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from saldo.accounts.model import Account
from saldo.accounts.records import account_from, entity_from
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.invoicing.run.bill import bill_accounts
from saldo.invoicing.run.cases import Billing
from saldo.invoicing.run.close import close_run, reconcile_run
from saldo.invoicing.run.issue import issue_invoices
from saldo.invoicing.run.model import Attempt, DueAccount, RunState, SetAside
from saldo.invoicing.run.number import drafts_of, number_invoices, set_aside_of
from saldo.invoicing.run.open import open_for_one
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Problems, Refusal
from saldo.kernel.ids import fingerprint
from saldo.kernel.numbers import fits
from saldo.kernel.periods import local_date
from saldo.orders.model import BY_STAFF, Item, ItemStatus, WaitingItem
from saldo.orders.records import PREFIX as ITEM_PREFIX
from saldo.orders.records import add_item, waiting_item_from
from saldo.storage.units import Unit
from saldo.subscriptions.records import PREFIX as SUBSCRIPTION_PREFIX

_MOST_ITEMS = 40


@dataclass(frozen=True, slots=True)
class OneOff:
    """What an account is to be invoiced now: these items, beside what is waiting or due anyhow.

    `request` names the wish for ever; ids of items follow from it.
    """

    account_id: str
    request: str
    items: tuple[Item, ...]
    actor: Actor


@dataclass(frozen=True, slots=True)
class Issued:
    """What became of it: ids of the documents, in number order, or why the account was set aside."""

    attempt: Attempt
    invoices: tuple[str, ...]
    set_aside: tuple[SetAside, ...]


class Invoices:
    """Invoices that staff asks for, outside the daily run."""

    def __init__(self, billing: Billing, clock: Clock) -> None:
        self._billing, self._store, self._clock = billing, billing.store, clock

    def issue_now(self, wish: OneOff) -> Issued:
        """Add the items and invoice the account as of today where the seller keeps its books.

        Refusals: `invalid_request` naming every problem, `request_reused`, `invoiced_elsewhere`,
        `nothing_to_invoice`, `dependencies_not_met`. An account that cannot be billed is set aside with its reason; the
        items then wait on it until it can be, or until they are withdrawn (`orders.items`).
        """
        _check(wish)
        account, on = self._account_and_day(wish)
        self._take_on(wish, account, on)
        on = self._day_of(wish)
        attempt = open_for_one(self._store, self._clock, account.entity_id, wish.request, on, self._due(account, on))
        if attempt.state is not RunState.CLOSED:
            attempt = self._run(attempt, wish.actor.correlation_id)
        invoices = tuple(draft.invoice_id for draft in drafts_of(self._store, attempt))
        return Issued(attempt, invoices, tuple(set_aside_of(self._store, attempt)))

    def _run(self, attempt: Attempt, correlation_id: str) -> Attempt:
        run_id, number = attempt.run_id, attempt.number
        for batch in attempt.batches:
            bill_accounts(self._billing, run_id, number, batch)
        for batch in number_invoices(self._store, self._clock, run_id, number, correlation_id):
            issue_invoices(self._store, self._clock, run_id, number, batch, correlation_id)
        reconcile_run(self._store, run_id, number)
        return close_run(self._store, self._clock, run_id, number)

    def _account_and_day(self, wish: OneOff) -> tuple[Account, date]:
        item = self._store.get(wish.account_id, "account")
        if item is None:
            raise NotFound("no such account")
        account = account_from(item)
        if account.invoiced_to:
            raise Refusal("invoiced_elsewhere", f"its charges come on the invoices of {account.invoiced_to}")
        entity = self._store.get(account.entity_id, "entity")
        if entity is None:
            raise NotFound("no such legal entity")
        return account, local_date(self._clock(), entity_from(entity).time_zone)

    def _guard_key(self, wish: OneOff) -> tuple[str, str]:
        return wish.account_id, f"guard#invoice_now#{wish.request}"

    def _take_on(self, wish: OneOff, account: Account, on: date) -> None:
        """Add the items under the request's guard, with the day it is for; one taken on before changes nothing."""
        pk, sk = self._guard_key(wish)
        unit = Unit(f"take on {wish.request}")
        unit.insert({"pk": pk, "sk": sk, "kind": "guard", "on": on.isoformat(), "content": _content(wish)})
        for item in _named(wish):
            add_item(unit, WaitingItem(account.id, account.entity_id, item, on, BY_STAFF))
        record = AuditRecord(
            account.id, self._clock(), wish.actor, "invoice.requested", wish.request, after={"items": len(wish.items)}
        )
        if self._store.write_one(unit.put(audit_item(record))) is None:
            return
        known = self._store.get(pk, sk)
        if known is None or known["content"] != _content(wish):
            raise Refusal("request_reused", f"request {wish.request} asked for something else before")

    def _day_of(self, wish: OneOff) -> date:
        guard = self._store.get(*self._guard_key(wish))
        assert guard is not None, "a request that was taken on has its guard"
        return date.fromisoformat(guard["on"])

    def _due(self, account: Account, on: date) -> DueAccount:
        """What waits on the account by that day. Items and subscriptions of accounts it pays for wait for the run."""
        items = map(waiting_item_from, self._store.query_all(account.id, prefix=ITEM_PREFIX, consistent=True))
        waiting = sorted(w.item.id for w in items if w.status is ItemStatus.WAITING and w.bill_on <= on)
        sold = self._store.query_all(account.id, prefix=SUBSCRIPTION_PREFIX, consistent=True)
        due = sorted(
            s["sk"].removeprefix(SUBSCRIPTION_PREFIX)
            for s in sold
            if "next_bill_on" in s and s["next_bill_on"] <= on.isoformat()
        )
        return DueAccount(account.id, tuple(due), tuple(waiting))


def _named(wish: OneOff) -> Sequence[Item]:
    """The items, each with an id that follows from the request."""
    return [replace(item, id=f"oneoff-{wish.request}-{n}") for n, item in enumerate(wish.items, 1)]


def _content(wish: OneOff) -> str:
    return fingerprint(*(repr(item) for item in _named(wish)))


def _check(wish: OneOff) -> None:
    problems = Problems()
    if not wish.request.isalnum() or not wish.request.isascii() or len(wish.request) > 40:
        problems.add("request", "invalid_request", "a request's id is 1 to 40 letters and digits")
    if len(wish.items) > _MOST_ITEMS:
        problems.add("items", "too_many", f"at most {_MOST_ITEMS} at once")
    for i, item in enumerate(wish.items):
        if not any(item.names.values()):
            problems.add(f"items[{i}].names", "missing", "say what it is for")
        if not fits(item.unit_price) or not fits(item.quantity):
            problems.add(f"items[{i}].unit_price", "not_a_number", "must be a finite number of at most 40 digits")
        elif not item.unit_price * item.quantity:
            problems.add(f"items[{i}].unit_price", "zero", "an item of nothing is none")
    problems.refuse_if_any("this cannot be invoiced", "invalid_request")
